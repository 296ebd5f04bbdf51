//! Those who call, and what they are told.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use rpcx::registry::MultipleServers;
use rpcx::{Bytes, Executed, FailMode, Result};
use tokio::task::JoinSet;

use super::server::Ran;
use super::trouble::Site;
use super::{Plan, SoakClient, join_all};

/// Calls that are made until they are to end.
pub(super) struct Callers {
    tasks: JoinSet<()>,
    over: Arc<AtomicBool>,
}

/// What callers were told.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    next: AtomicU64,
    answered: AtomicU64,
    not_run: AtomicU64,
    maybe: AtomicU64,
    timeouts: AtomicU64,
    dropped: AtomicU64,
    wrong: AtomicU64,
    /// Calls that are said not to have run, as far as there is room.
    said_not_run: Mutex<VecDeque<u64>>,
    /// Calls that are said to have run.
    said_run: Mutex<VecDeque<u64>>,
}

impl Callers {
    pub(super) async fn begin(
        plan: Plan,
        sites: &[Site],
        ran: &Ran,
        outcomes: &Arc<Outcomes>,
    ) -> io::Result<Self> {
        let addresses = sites.iter().map(|site| format!("tcp@{}", site.proxy.address()));
        let list = MultipleServers::new(addresses).map_err(io::Error::other)?;
        let client = SoakClient::builder()
            .registry(list)
            .wait_for_server(Duration::from_secs(1))
            .connect()
            .await
            .map_err(io::Error::other)?;
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..plan.callers {
            let caller = Caller {
                client: client.clone(),
                rng: Rng::with_seed(plan.seed ^ (number as u64 + 1) << 40),
                room: ran.room(),
                outcomes: Arc::clone(outcomes),
            };
            tasks.spawn(caller.run(Arc::clone(&over)));
        }
        Ok(Self { tasks, over })
    }

    /// Lets the calls that are under way end, and makes no more.
    pub(super) async fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        join_all(self.tasks).await;
        // One-way calls may be on their way still.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

struct Caller {
    client: SoakClient,
    rng: Rng,
    room: u64,
    outcomes: Arc<Outcomes>,
}

impl Caller {
    async fn run(mut self, over: Arc<AtomicBool>) {
        while !over.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(self.rng.u64(0..PAUSE))).await;
            let id = self.outcomes.next.fetch_add(1, Ordering::Relaxed);
            if id >= self.room {
                return;
            }
            self.make(id).await;
        }
    }

    async fn make(&mut self, id: u64) {
        let size = if self.rng.u8(0..50) == 0 { 60_000 } else { self.rng.usize(0..400) };
        let cargo = Bytes::from(vec![7; size]);
        let wait = if self.rng.u8(0..4) == 0 { self.rng.u64(1..30) } else { 0 };
        let patience = self.rng.u64(1..60);
        let outcome = match (id % KINDS, self.rng.u8(0..20)) {
            (0, _) => self.client.note(id, cargo).timeout(TIMEOUT).await.map(|()| id),
            (kind, 0) => {
                // The caller loses its patience.
                let call = async {
                    match kind {
                        1 | 2 => self.client.add(id, wait, cargo).timeout(TIMEOUT).await,
                        _ => self.client.put(id, wait, cargo).timeout(TIMEOUT).await,
                    }
                };
                match tokio::time::timeout(Duration::from_millis(patience), call).await {
                    Ok(outcome) => outcome,
                    Err(_) => {
                        self.outcomes.dropped.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                }
            }
            (1, _) => {
                let call = self.client.add(id, wait, cargo).timeout(TIMEOUT);
                call.fail_mode(FailMode::Failover).await
            }
            (2, _) => self.client.add(id, wait, cargo).timeout(TIMEOUT).await,
            (3, _) => {
                let call = self.client.put(id, wait, cargo).timeout(TIMEOUT);
                call.fail_mode(FailMode::Failbackup).await
            }
            _ => {
                let call = self.client.put(id, wait, cargo).timeout(TIMEOUT);
                call.fail_mode(FailMode::Failover).await
            }
        };
        self.outcomes.note(id, outcome);
    }
}

impl Outcomes {
    /// Counts the calls that were begun.
    pub(super) fn calls(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn note(&self, id: u64, outcome: Result<u64>) {
        let is_oneway = id.is_multiple_of(KINDS);
        let counter = match outcome {
            Ok(reply) if reply == id => {
                if !is_oneway {
                    remember(&self.said_run, id);
                }
                &self.answered
            }
            Ok(_) => &self.wrong,
            Err(rpcx::Error::Timeout { executed: Executed::Maybe, .. }) => &self.timeouts,
            Err(error) if error.executed() == Executed::No => {
                remember(&self.said_not_run, id);
                &self.not_run
            }
            Err(_) => &self.maybe,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Lists what callers were told that is not so.
    pub(super) fn lies(&self, ran: &Ran) -> Vec<String> {
        let mut lies = Vec::new();
        let all = |list: &Mutex<VecDeque<u64>>| {
            list.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect::<Vec<_>>()
        };
        let ran_after_all =
            all(&self.said_not_run).into_iter().filter(|id| ran.runs(*id) > 0).count();
        if ran_after_all > 0 {
            lies.push(format!("{ran_after_all} calls ran that are said not to have"));
        }
        let never_ran = all(&self.said_run).into_iter().filter(|id| ran.runs(*id) == 0).count();
        if never_ran > 0 {
            lies.push(format!("{never_ran} calls were answered and never ran"));
        }
        let wrong = self.wrong.load(Ordering::Relaxed);
        if wrong > 0 {
            lies.push(format!("{wrong} calls got the reply of another"));
        }
        if self.answered.load(Ordering::Relaxed) == 0 {
            lies.push("no call was answered".to_owned());
        }
        lies
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "{} answered, {} may have run, {} timed out, {} did not run, {} given up",
            of(&self.answered),
            of(&self.maybe),
            of(&self.timeouts),
            of(&self.not_run),
            of(&self.dropped)
        )
    }
}

/// Keeps the last so many.
fn remember(list: &Mutex<VecDeque<u64>>, id: u64) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    if list.capacity() == 0 {
        list.reserve_exact(REMEMBERED);
    }
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(id);
}

/// Tells whether a call of this number may run twice.
pub(super) fn may_run_twice(id: u64) -> bool {
    id % KINDS > 2
}

/// Kinds of calls: one-way, two that may not run twice, two that may.
const KINDS: u64 = 5;
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest pause of a caller between two calls, in milliseconds.
const PAUSE: u64 = 40;
/// More calls than that are not made in a second, on average over a run.
pub(super) const MOST_A_SECOND: usize = 5_000;
const REMEMBERED: usize = 100_000;
