//! Many more calls than a server can take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rpcx::{Error, FailMode};

use super::pace::{Arrivals, Pacer};
use super::scenarios::Outcome;
use super::{LoadClient, Loops, Plan, Row, Scarce, ServerProcess, measure};
use crate::measure::Measurement;

/// What the server can do, and how much is asked of it.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    /// Connections of the client.
    pub connections: usize,
    /// Places in the pool that handlers share.
    pub places: usize,
    /// How long a handler needs its place.
    pub wait: Duration,
    /// How many times what the pool can do is asked for.
    pub times: f64,
    /// How long a caller waits for its answer.
    pub timeout: Duration,
}

/// What becomes of calls, each kind of it with how long that took.
#[derive(Clone, Debug, Default)]
struct Fates {
    served: Arc<Measurement>,
    refused: Arc<Measurement>,
    late: Arc<Measurement>,
    /// Failures of any other kind.
    other: Arc<AtomicU64>,
}

impl Fates {
    /// Makes a call; `true` if it was served.
    async fn call(&self, client: LoadClient, asked: Overload, microseconds: u64) -> bool {
        let since = Instant::now();
        let call = client.wait(microseconds).timeout(asked.timeout).retries(0);
        match call.await {
            Ok(waited) if waited == microseconds => return true,
            Err(Error::NotExecuted { .. }) => self.refused.count(since, true),
            Err(Error::Timeout { .. }) => self.late.count(since, true),
            Ok(_) | Err(_) => {
                self.other.fetch_add(1, Ordering::Relaxed);
                true
            }
        };
        false
    }
}

/// More calls than a pool at the server can do, first where the server refuses those beyond it, then where they
/// wait. The ratio is that of the calls that are served to what the pool can do.
///
/// # Errors
///
/// If there is no server or no connection.
pub async fn overload(plan: Plan, asked: Overload) -> Outcome {
    let mut rows = Vec::new();
    let pool = Some(asked.places);
    for (at_a_time, others) in [(pool, "others refused"), (None, "others wait")] {
        let server = ServerProcess::start_with(Scarce { pool, at_a_time }).await?;
        rows.extend(of_one_server(plan, asked, &server, others).await?);
    }
    Ok(rows)
}

async fn of_one_server(
    plan: Plan,
    asked: Overload,
    server: &ServerProcess,
    others: &str,
) -> Outcome {
    let mut clients = Vec::with_capacity(asked.connections);
    for _ in 0..asked.connections.max(1) {
        let builder = LoadClient::builder().fail_mode(FailMode::Failfast);
        clients.push(builder.connect_to(server.address()).await?);
    }
    let (clients, microseconds) =
        (Arc::<[_]>::from(clients), u64::try_from(asked.wait.as_micros())?);
    let fates = Fates::default();
    let call = {
        let fates = fates.clone();
        move |number: usize| {
            let (fates, client) = (fates.clone(), clients[number % clients.len()].clone());
            async move { fates.call(client, asked, microseconds).await }
        }
    };
    let (measurement, mut loops) = (Arc::new(Measurement::default()), Loops::default());
    loops.start(asked.places, &measurement, call.clone());
    let [most] = measure(plan, [&measurement], server).await?;
    loops.end().await?;

    let (peak, times) = (most.calls_per_s, asked.times);
    let pacer = Pacer::start((peak * times).max(1.0), Arrivals::Poisson, &fates.served, call);
    let kinds = [&fates.served, &fates.refused, &fates.late];
    let [mut served, refused, late] = measure(plan, kinds, server).await?;
    // Those that were refused or late are no errors here, but figures of their own.
    served.errors = fates.other.load(Ordering::Relaxed) + pacer.end().await as u64;
    let ratio = Some(served.calls_per_s / peak);
    Ok(vec![
        Row::new(format!("what the pool can do, {others}"), most),
        Row { ratio, ..Row::new(format!("served of {times} times that"), served) },
        Row::new("refused", refused),
        Row::new("without an answer in time", late),
    ])
}
