//! Holds what callers were told against what ran.

use std::collections::HashSet;
use std::fmt;
use std::ops::AddAssign;

use rpcx::client::Ejection;
use rpcx::{Executed, FailMode, SelectMode};

use crate::callers::{Kind, Outcome, Patience, Record};
use crate::ledger;
use crate::network::address_of;
use crate::plan::server_name;
use crate::run::Run;

/// How much was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    seeds: u64,
    calls: u64,
    failed: u64,
    promised: u64,
    faults: u64,
}

/// Gives the figures, or every promise that was broken.
pub(crate) fn judge(run: &Run) -> Result<Figures, Vec<String>> {
    let mut broken = Vec::new();
    if run.hangs {
        broken.push("a call does not end".to_owned());
    }
    check_runs(run, &mut broken);
    let mut figures =
        Figures { seeds: 1, faults: run.plan.unreliable.len() as u64, ..Figures::default() };
    for record in &run.records {
        figures.calls += 1;
        figures.failed += u64::from(matches!(record.outcome, Outcome::Failed { .. }));
        figures.promised += u64::from(is_promised(run, record));
        if let Err(why) = check(run, record) {
            broken.push(format!("{why}: {record:?}, ran {:?}", run.truth.runs(record.id)));
        }
    }
    if !run.hangs {
        check_return(run, &mut broken);
    }
    if broken.is_empty() { Ok(figures) } else { Err(broken) }
}

/// Nothing runs twice that may not.
fn check_runs(run: &Run, broken: &mut Vec<String>) {
    for record in &run.records {
        let runs = run.truth.runs(record.id);
        let twice = match record.kind {
            Kind::Put(_) => false,
            Kind::Add(_) | Kind::Note => runs.len() > 1,
            Kind::AddAtAll => {
                let servers: HashSet<_> = runs.iter().map(|run| run.server).collect();
                servers.len() < runs.len()
            }
        };
        if twice {
            broken.push(format!("ran twice: {record:?}, {runs:?}"));
        }
    }
}

/// What the caller was told is so, and what it was promised was kept.
fn check(run: &Run, record: &Record) -> Result<(), String> {
    check_told(run, record)?;
    let failed = match &record.outcome {
        Outcome::Failed { .. } => true,
        Outcome::AtEach(receipts) => receipts.iter().any(|(_, failed)| failed.is_some()),
        Outcome::Answered | Outcome::WrongReply(_) | Outcome::Dropped => false,
    };
    if record.kind == Kind::Add(FailMode::Failbackup) {
        let dropped = matches!(record.outcome, Outcome::Dropped);
        return if failed || dropped { Ok(()) } else { Err("may not be made twice".to_owned()) };
    }
    if failed && is_promised(run, record) {
        return Err("promised to succeed".to_owned());
    }
    let patient = !matches!(record.patience, Patience::Timeout(_) | Patience::Dropped(_));
    // Half-open breakers let one call through, and refuse the others.
    let refusable = run.plan.setup.breaker;
    if failed && patient && !refusable && run.plan.is_recovered(record.begun) {
        return Err("fails after everything has come back".to_owned());
    }
    if let Patience::Timeout(timeout) = record.patience
        && record.ended > record.begun + timeout + OVERSHOOT
    {
        return Err("ended late".to_owned());
    }
    Ok(())
}

/// What the caller was told is so.
fn check_told(run: &Run, record: &Record) -> Result<(), String> {
    let ran = run.truth.runs(record.id);
    match &record.outcome {
        Outcome::WrongReply(reply) => Err(format!("the reply is that of {reply}")),
        Outcome::Answered if record.kind != Kind::Note && ran.is_empty() => {
            Err("answered, and never ran".to_owned())
        }
        Outcome::Failed { executed: Executed::No, .. } if !ran.is_empty() => {
            Err("said not to have run".to_owned())
        }
        Outcome::Failed { executed: Executed::Yes, .. } if ran.is_empty() => {
            Err("said to have run".to_owned())
        }
        Outcome::Answered | Outcome::Failed { .. } | Outcome::Dropped => Ok(()),
        Outcome::AtEach(receipts) => receipts.iter().try_for_each(|(address, failed)| {
            let here = |run: &&ledger::Run| address_of(&server_name(run.server)) == *address;
            match (failed, ran.iter().find(here)) {
                (Some(Executed::No), Some(_)) => Err(format!("did run at {address}")),
                (None | Some(Executed::Yes), None) => Err(format!("did not run at {address}")),
                _ => Ok(()),
            }
        }),
    }
}

fn is_promised(run: &Run, record: &Record) -> bool {
    let modes = [Kind::Put(FailMode::Failover), Kind::Put(FailMode::Failbackup)];
    modes.contains(&record.kind)
        && matches!(record.patience, Patience::Enough | Patience::Unlimited)
        && run.plan.promises_success(record.client, record.begun, record.ended)
}

/// Every server gets calls again once everything has come back.
fn check_return(run: &Run, broken: &mut Vec<String>) {
    let setup = &run.plan.setup;
    let chooses_few = setup.sticky || setup.select == SelectMode::WeightedPing;
    // By default a server may be passed over for longer than the rest of the run.
    if chooses_few || setup.ejection == Some(Ejection::default()) {
        return;
    }
    let all = run.truth.all();
    for server in 0..run.plan.servers {
        let back = all.iter().any(|(_, runs)| {
            runs.iter().any(|one| one.server == server && run.plan.is_recovered(one.at))
        });
        if !back {
            broken.push(format!("server {server} gets no calls after everything has come back"));
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.calls += other.calls;
        self.failed += other.failed;
        self.promised += other.promised;
        self.faults += other.faults;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, calls, failed, promised, faults } = self;
        write!(
            f,
            "{seeds} seeds, {faults} faults of servers, {calls} calls of which {failed} failed; \
             {promised} were promised to succeed, and did"
        )
    }
}

/// How late a timeout may be: a tick of the simulation, and one of tokio's timer.
const OVERSHOOT: std::time::Duration = crate::plan::ms(5);
