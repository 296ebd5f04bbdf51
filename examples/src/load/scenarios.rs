//! What is measured: one function a scenario.

use std::sync::Arc;
use std::time::Duration;

use rpcx::client::interceptor::Interceptor;
use rpcx::client::{Breaker, Channel, RetryBudget};
use rpcx::{Client as _, Error};

use super::pace::{Arrivals, Pacer};
use super::{Disturbance, LoadClient, Loops, Plan, Row, ServerProcess, measure};
use crate::measure::{Measurement, Report};

/// What a scenario gives.
pub type Outcome = Result<Vec<Row>, Box<dyn std::error::Error + Send + Sync>>;

async fn connect(server: &ServerProcess, connections: usize) -> rpcx::Result<Vec<LoadClient>> {
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        let client = LoadClient::connect_to(server.address()).await?;
        client.add(1, 1).await?;
        clients.push(client);
    }
    Ok(clients)
}

async fn add(client: LoadClient) -> bool {
    client.add(40, 2).await.is_ok_and(|sum| sum == 42)
}

/// One connection of `clients` after the other.
fn adds(clients: Vec<LoadClient>) -> impl Fn(usize) -> CallFuture + Clone + Send + 'static {
    let clients: Arc<[LoadClient]> = clients.into();
    move |number| Box::pin(add(clients[number % clients.len()].clone()))
}

type CallFuture = std::pin::Pin<Box<dyn Future<Output = bool> + Send>>;

/// Calls at a fixed rate, measured.
async fn paced(
    plan: Plan,
    (rate, arrivals): (f64, Arrivals),
    call: impl Fn(usize) -> CallFuture + Send + 'static,
    server: &ServerProcess,
) -> Result<Report, Box<dyn std::error::Error + Send + Sync>> {
    let measurement = Arc::new(Measurement::default());
    let pacer = Pacer::start(rate, arrivals, &measurement, call);
    let [mut report] = measure(plan, [&measurement], server).await?;
    report.errors += pacer.end().await as u64;
    Ok(report)
}

/// One connection has as many calls under way as it may; `calm` others make `rate` calls a second
/// each. The ratio is that of their 99th percentile to what it was before.
///
/// The flood comes from a process of its own, and then from that of the calm ones. What any program costs
/// them that keeps the cores busy, another row tells.
///
/// # Errors
///
/// If there is no server, no connection or no other process.
pub async fn fairness(plan: Plan, calm: usize, rate: f64, flood: usize) -> Outcome {
    let server = ServerProcess::start().await?;
    let clients = connect(&server, calm).await?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let pace = (rate * calm as f64, Arrivals::Poisson);
    let before = paced(plan, pace, adds(clients.clone()), &server).await?;
    let mut rows = Vec::new();

    let burning = Disturbance::burn().await?;
    let beside = paced(plan, pace, adds(clients.clone()), &server).await?;
    burning.end().await?;
    rows.push(Row::new("calm, beside a process that burns", beside).p99_beside(&before));

    let flooding = server.flood(flood).await?;
    let beside = paced(plan, pace, adds(clients.clone()), &server).await?;
    flooding.end().await?;
    rows.push(Row::new("calm, beside a flood of another process", beside).p99_beside(&before));

    let flooding = connect(&server, 1).await?;
    let (measurement, flooded) = <(Arc<Measurement>, Arc<Measurement>)>::default();
    let mut loops = Loops::default();
    loops.start(flood, &flooded, adds(flooding));
    let pacer = Pacer::start(pace.0, pace.1, &measurement, adds(clients));
    let [mut beside, flood] = measure(plan, [&measurement, &flooded], &server).await?;
    beside.errors += pacer.end().await as u64;
    loops.end().await?;
    rows.push(Row::new("calm, beside a flood of their own process", beside).p99_beside(&before));
    rows.push(Row::new("that flood", flood));
    rows.insert(0, Row::new("calm, alone", before));
    Ok(rows)
}

/// Fast calls at a rate, beside handlers on the same connection that wait, and that burn the processor
/// in tasks of their own. Ratios are those of the 99th percentile to what it was before.
///
/// # Errors
///
/// If there is no server or no connection.
pub async fn slow(plan: Plan, rate: f64, wait: Duration, burn: Duration) -> Outcome {
    let server = ServerProcess::start().await?;
    let clients = connect(&server, 1).await?;
    let pace = (rate, Arrivals::Poisson);
    let alone = paced(plan, pace, adds(clients.clone()), &server).await?;
    let mut rows = Vec::new();
    let handlers = [("a handler that waits", wait, false), ("a handler that burns", burn, true)];
    for (what, time, burns) in handlers {
        let microseconds = u64::try_from(time.as_micros())?;
        let (fast, slow) = <(Arc<Measurement>, Arc<Measurement>)>::default();
        let mut loops = Loops::default();
        let client = clients[0].clone();
        loops.start(1, &slow, move |_| {
            let client = client.clone();
            async move {
                let done = if burns {
                    client.burn(microseconds).await
                } else {
                    client.wait(microseconds).await
                };
                done.is_ok_and(|done| done == microseconds)
            }
        });
        let pacer = Pacer::start(pace.0, pace.1, &fast, adds(clients.clone()));
        let [mut beside, slow] = measure(plan, [&fast, &slow], &server).await?;
        beside.errors += pacer.end().await as u64;
        loops.end().await?;
        rows.push(Row::new(format!("fast, beside {what}"), beside).p99_beside(&alone));
        rows.push(Row::new(format!("{what} {time:?}"), slow));
    }
    rows.insert(0, Row::new("fast, alone", alone));
    Ok(rows)
}

/// Handlers that wait, many at a time.
///
/// # Errors
///
/// If there is no server or no connection.
pub async fn waits(plan: Plan, connections: usize, in_flight: usize, wait: Duration) -> Outcome {
    let server = ServerProcess::start().await?;
    let clients: Arc<[LoadClient]> = connect(&server, connections).await?.into();
    let microseconds = u64::try_from(wait.as_micros())?;
    let measurement = Arc::new(Measurement::default());
    let mut loops = Loops::default();
    loops.start(in_flight, &measurement, move |number| {
        let client = clients[number % clients.len()].clone();
        async move { client.wait(microseconds).await.is_ok_and(|waited| waited == microseconds) }
    });
    let [report] = measure(plan, [&measurement], &server).await?;
    loops.end().await?;
    Ok(vec![Row::new(format!("{in_flight} waiting {wait:?}, {connections} connections"), report)])
}

/// Calls that start when they should, at shares of what the two sides can do. The ratio is that of the
/// calls that were made to those that should have been.
///
/// # Errors
///
/// If there is no server or no connection.
pub async fn open(plan: Plan, connections: usize, arrivals: Arrivals, shares: &[f64]) -> Outcome {
    let server = ServerProcess::start().await?;
    let clients = connect(&server, connections).await?;
    // As later, each call is a task of its own: that is part of what the client can do.
    let (measurement, call) = (Arc::new(Measurement::default()), adds(clients.clone()));
    let mut loops = Loops::default();
    loops.start(CAPACITY_IN_FLIGHT * connections, &measurement, move |number| {
        let call = tokio::spawn(call(number));
        async move { call.await.unwrap_or_default() }
    });
    let [most] = measure(plan, [&measurement], &server).await?;
    loops.end().await?;
    let capacity = most.calls_per_s;
    let mut rows = vec![Row::new("as many as there can be", most)];
    for share in shares {
        let rate = (capacity * share).max(1.0);
        let report = paced(plan, (rate, arrivals), adds(clients.clone()), &server).await?;
        let ratio = Some(report.calls_per_s / rate);
        rows.push(Row { ratio, ..Row::new(format!("{:.0} % of that", share * 100.0), report) });
    }
    Ok(rows)
}

/// What features cost, used and not used: rounds of short windows, one feature after the other. The
/// ratio is that of the processor time a call, both sides, to that of a plain call; of all rounds the
/// median.
///
/// # Errors
///
/// If there is no server or no connection.
pub async fn idle(plan: Plan, rounds: usize, in_flight: usize) -> Outcome {
    let server = ServerProcess::start().await?;
    let builder = Channel::builder;
    let features: [(&str, Channel); 6] = {
        let address = server.address();
        let unlimited = builder()
            .max_in_flight(usize::MAX)
            .retry_budget(RetryBudget::unlimited())
            .ejection(None);
        [
            ("plain", builder().connect_to(address).await?),
            ("no limits", unlimited.connect_to(address).await?),
            ("a breaker", builder().breaker(Breaker::default()).connect_to(address).await?),
            ("a timeout", builder().timeout(Duration::from_secs(10)).connect_to(address).await?),
            ("an interceptor", builder().interceptor(Nothing).connect_to(address).await?),
            (METADATA, builder().connect_to(address).await?),
        ]
    };
    let mut figures: Vec<Vec<Report>> = features.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((feature, channel), figures) in features.iter().zip(&mut figures) {
            let client = LoadClient::new(channel.clone());
            let with_metadata = *feature == METADATA;
            let measurement = Arc::new(Measurement::default());
            let mut loops = Loops::default();
            loops.start(in_flight, &measurement, move |_| {
                let client = client.clone();
                async move {
                    let call = client.add(40, 2);
                    let sum: Result<i64, Error> = if with_metadata {
                        call.metadata("tenant", "blue").metadata("trace", "17").await
                    } else {
                        call.await
                    };
                    sum.is_ok_and(|sum| sum == 42)
                }
            });
            let [report] = measure(plan, [&measurement], &server).await?;
            loops.end().await?;
            figures.push(report);
        }
    }
    let plain: Vec<f64> = figures[0].iter().map(Report::cpu_s_per_m).collect();
    let rows = features.iter().zip(figures).map(|((feature, _), mut reports)| {
        let costs = reports.iter().map(Report::cpu_s_per_m).zip(&plain);
        let ratio = median(costs.map(|(cost, plain)| cost / plain).collect());
        let errors = reports.iter().map(|report| report.errors).sum();
        reports.sort_by(|a, b| a.cpu_s_per_m().total_cmp(&b.cpu_s_per_m()));
        let report = reports.swap_remove(reports.len() / 2);
        Row { ratio: Some(ratio), ..Row::new(*feature, Report { errors, ..report }) }
    });
    Ok(rows.collect())
}

/// An interceptor that does nothing.
struct Nothing;

impl Interceptor for Nothing {}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

const METADATA: &str = "two pairs of metadata";
/// Calls that are under way on each connection while the capacity is measured.
const CAPACITY_IN_FLIGHT: usize = 64;
