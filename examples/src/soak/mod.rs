//! Calls for many minutes over a network and with servers that fail in turn, and what is left of it.
//!
//! Two servers run in processes of their own, each behind a [`Proxy`]. One of them is
//! killed now and then, the other never: on that one, and on this process, memory, descriptors and tasks are
//! watched. Servers tell this process of every call that they run, and so it knows what ran twice.

mod callers;
mod memory;
mod server;
mod trouble;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use self::callers::{Callers, Outcomes};
pub use self::memory::{Sample, Samples, descriptors, peak_kib, resident_kib};
pub use self::server::{Ran, ServerProcess, Soak, SoakClient, SoakServer, SoakService, serve};
use self::trouble::{Site, Trouble};
use crate::faults::{Faults, Proxy};

/// How long to soak, and with what seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How long, and until there was every kind of trouble once.
    pub length: Duration,
    /// What faults come when follows from it.
    pub seed: u64,
    /// How long each kind of trouble lasts; as much calm follows.
    pub phase: Duration,
    /// Callers, each with one call at a time.
    pub callers: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Verdict {
    /// What was seen, a line each.
    pub figures: Vec<String>,
    /// What must not be; nothing if all is well.
    pub broken: Vec<String>,
}

/// Soaks.
///
/// # Errors
///
/// If a server does not start, or this machine has no `/proc`.
pub async fn run(plan: Plan, say: impl Fn(&str)) -> io::Result<Verdict> {
    let ran = Ran::with_room(room(plan));
    let program = std::env::current_exe()?;
    let steady = ServerProcess::start(&program, "127.0.0.1:0", ran.clone()).await?;
    let mortal = ServerProcess::start(&program, "127.0.0.1:0", ran.clone()).await?;
    let base = base(&steady).await?;
    let mut sites = Vec::new();
    for (number, server) in [steady, mortal].into_iter().enumerate() {
        let faults = Faults::new(plan.seed.wrapping_add(number as u64));
        let proxy = Proxy::start("127.0.0.1:0", server.address(), faults.clone()).await?;
        sites.push(Site { server, proxy, faults });
    }
    let outcomes = Arc::new(Outcomes::default());
    let callers = Callers::begin(plan, &sites, &ran, &outcomes).await?;
    let mut trouble = Trouble::new(plan.seed);
    let mut samples = Samples::default();
    let (begun, mut last) = (Instant::now(), 0);
    while begun.elapsed() < plan.length || !trouble.was_of_every_kind() {
        let name = trouble.begin(&mut sites, plan.phase).await?;
        Trouble::end(&sites);
        tokio::time::sleep(plan.phase).await;
        samples.push(sample(begun, &sites[0]).await?);
        let calls = outcomes.calls();
        say(&format!("{}, {name}: {} calls, {outcomes}", samples.last(), calls - last));
        last = calls;
    }
    callers.end().await;
    let faults: Vec<_> = sites.iter().map(|site| site.faults.counts().to_string()).collect();
    let mut verdict = judge(plan, &samples, &outcomes, &ran);
    verdict.figures.extend(faults.into_iter().map(|counts| format!("a proxy: {counts}")));
    let left = leftovers(&mut sites, base).await?;
    verdict.figures.push(format!("kinds of trouble: {trouble}"));
    verdict.figures.push(format!("at the steady server before {base:?} and after {left:?}"));
    if left.tasks > base.tasks || left.descriptors > base.descriptors {
        verdict.broken.push(format!("left at the server: {left:?}, before {base:?}"));
    }
    Ok(verdict)
}

/// What a server has that grows if something leaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Left {
    tasks: usize,
    descriptors: usize,
}

/// Counts what the server has with nobody but this asking.
async fn base(server: &ServerProcess) -> io::Result<Left> {
    let tasks = server.tasks().await.map_err(io::Error::other)?;
    Ok(Left { tasks, descriptors: descriptors(server.pid())? })
}

/// Ends the proxies, and waits until the server is back to what it had, or for a minute.
async fn leftovers(sites: &mut Vec<Site>, base: Left) -> io::Result<Left> {
    let steady = sites.swap_remove(0);
    sites.clear();
    drop(steady.proxy);
    let begun = Instant::now();
    loop {
        let left = self::base(&steady.server).await?;
        let is_back = left.tasks <= base.tasks && left.descriptors <= base.descriptors;
        if is_back || begun.elapsed() > Duration::from_secs(60) {
            return Ok(left);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn sample(begun: Instant, steady: &Site) -> io::Result<Sample> {
    let (pid, own) = (steady.server.pid(), std::process::id());
    Ok(Sample {
        at: begun.elapsed(),
        server_kib: resident_kib(pid)?,
        server_descriptors: descriptors(pid)?,
        server_tasks: steady.server.tasks().await.map_err(io::Error::other)?,
        client_kib: resident_kib(own)?,
        client_descriptors: descriptors(own)?,
        client_tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
    })
}

fn judge(plan: Plan, samples: &Samples, outcomes: &Outcomes, ran: &Ran) -> Verdict {
    let mut figures = vec![format!("seed {}, {:?}", plan.seed, plan.length)];
    let mut broken = Vec::new();
    let duplicates = ran.twice(|id| !callers::may_run_twice(id));
    let repeated = ran.twice(callers::may_run_twice);
    figures.push(format!(
        "{} calls: {outcomes}; {duplicates} duplicates of calls that may not run twice, {repeated} others \
         ran more than once",
        outcomes.calls()
    ));
    if duplicates > 0 {
        broken.push(format!("{duplicates} calls ran twice that may not"));
    }
    broken.extend(outcomes.lies(ran));
    for (what, slope, growth) in samples.slopes() {
        figures.push(format!(
            "{what}: {slope:+.0} KiB a minute, {growth:+} KiB in all after the first third"
        ));
        if plan.length >= JUDGED_FROM && growth > GROWTH_KIB && slope > SLOPE_KIB {
            broken.push(format!("memory of the {what} grows by {slope:.0} KiB a minute"));
        }
    }
    Verdict { figures, broken }
}

/// So many calls at most: their numbers are kept in memory that does not grow.
fn room(plan: Plan) -> usize {
    let seconds = usize::try_from(plan.length.as_secs()).unwrap_or(usize::MAX).saturating_add(60);
    seconds.saturating_mul(callers::MOST_A_SECOND)
}

/// Waits for tasks of a set to end, whatever came of them.
async fn join_all(mut tasks: JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Shorter runs end before memory has settled.
const JUDGED_FROM: Duration = Duration::from_secs(300);
const GROWTH_KIB: i64 = 8 << 10;
const SLOPE_KIB: f64 = 200.0;
