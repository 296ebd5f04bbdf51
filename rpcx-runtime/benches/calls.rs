//! What it costs to have several servers: a call through a channel of three that a registry names,
//! against the same call on a channel to one; and a new list of a thousand servers.
//!
//! `cargo bench -p rpcx-runtime --bench calls`. The two kinds of calls take turns, many times, and the
//! medians are compared: other programs on the machine then slow both down. The time is the
//! processor's.
#![allow(clippy::print_stdout, reason = "a benchmark tells its figures")]

use std::time::Duration;

#[cfg(unix)]
use nix::sys::time::TimeSpec;
#[cfg(unix)]
use nix::time::{ClockId, clock_gettime};
use rpcx::registry::MultipleServers;
use rpcx::{Client as _, Instance, Result, SelectMode, Server};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the system gives what a runtime needs");
    runtime.block_on(async {
        for transport in [Transport::Memory, Transport::Tcp] {
            for callers in [1, 64] {
                compare(transport, callers).await;
            }
        }
        for changed in [1, 1_000] {
            update(changed).await;
        }
    });
}

#[rpcx::service]
trait Adder {
    async fn add(&self, a: u64, b: u64) -> Result<u64>;
}

struct Service;

impl Adder for Service {
    async fn add(&self, a: u64, b: u64) -> Result<u64> {
        Ok(a.wrapping_add(b))
    }
}

#[derive(Clone, Copy, Debug)]
enum Transport {
    Memory,
    Tcp,
}

/// Compares a call to one server with one that goes to one of three.
async fn compare(transport: Transport, callers: usize) {
    let mut servers = Vec::new();
    for number in 0..3 {
        let address = match transport {
            Transport::Memory => format!("memory@bench-{callers}-{number}"),
            Transport::Tcp => "tcp@127.0.0.1:0".to_owned(),
        };
        let server = Server::new().add(AdderServer::new(Service)).without_registry();
        let bound = server.bind(&address).await.expect("a free address");
        servers.push(bound.local_addr().to_string());
        tokio::spawn(bound.serve());
    }
    let one = AdderClient::connect_to(&servers[0]).await.expect("it listens");
    let first = discovered(&servers[..1], SelectMode::Random).await;
    let random = discovered(&servers, SelectMode::Random).await;
    let round_robin = discovered(&servers, SelectMode::RoundRobin).await;
    let kinds = [&one, &first, &random, &round_robin];
    let mut times = [(); 4].map(|()| Vec::with_capacity(ROUNDS));
    for round in 0..ROUNDS + WARM_UP {
        for turn in 0..kinds.len() {
            // Nobody is always the first.
            let kind = (turn + round) % kinds.len();
            let time = calls(kinds[kind], callers).await;
            if round >= WARM_UP {
                times[kind].push(time);
            }
        }
    }
    let [one, first, random, round_robin] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e9 / f64::from(CALLS)
    });
    let over = |time: f64| (time / one - 1.0) * 100.0;
    println!(
        "{transport:?}, {callers} callers: connect_to {one:.0} ns a call; discovered, one server \
         {first:.0} ({:+.1} %); three at random {random:.0} ({:+.1} %); three in turn \
         {round_robin:.0} ({:+.1} %)",
        over(first),
        over(random),
        over(round_robin)
    );
}

async fn discovered(servers: &[String], select: SelectMode) -> AdderClient {
    let list = MultipleServers::new(servers).expect("they are addresses");
    let client = AdderClient::builder().registry(list).select(select).connect().await;
    client.expect("the list is there")
}

/// Makes calls; gives the time of all of them.
async fn calls(client: &AdderClient, callers: usize) -> Duration {
    let each = CALLS / u32::try_from(callers).expect("a few callers");
    let begun = Clock::now();
    let callers = (0..callers).map(|_| async {
        for number in 0..each {
            let sum = client.add(u64::from(number), 1).await;
            assert_eq!(sum.expect("the server answers"), u64::from(number) + 1);
        }
    });
    futures_util::future::join_all(callers).await;
    begun.elapsed()
}

/// Measures how long a client takes to have a new list of a thousand servers, so many of them new.
async fn update(changed: usize) {
    let registry = MultipleServers::of(instances(0, changed));
    let builder = AdderClient::builder().registry(registry.clone());
    let client = builder.connect().await.expect("the list is there");
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        let instances = instances(round, changed);
        let last = instances.last().map(|one| one.address().clone());
        let begun = Clock::now();
        registry.update(instances);
        // The client's task has its turn.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        times.push(begun.elapsed());
        assert_eq!(client.channel().servers().last(), last.as_ref());
    }
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "a list of 1,000 servers, {changed} of them new: median {median:?}, longest {longest:?}"
    );
    assert!(cfg!(debug_assertions) || median < Duration::from_millis(1), "goal: a millisecond");
}

fn instances(round: usize, changed: usize) -> Vec<Instance> {
    let instance = |number: usize| {
        let generation = if number >= 1_000 - changed { round } else { 0 };
        let address = format!("tcp@10.{generation}.{}.{}:8972", number / 250, number % 250);
        Instance::new(address.parse().expect("it is an address"))
    };
    (0..1_000).map(instance).collect()
}

/// The processor's time of this thread, or what the clock says where that is not known.
struct Clock(#[cfg(unix)] TimeSpec, #[cfg(not(unix))] std::time::Instant);

#[cfg(unix)]
impl Clock {
    fn now() -> Self {
        let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        Self(now.expect("a thread has a clock"))
    }

    fn elapsed(&self) -> Duration {
        Duration::from(Self::now().0 - self.0)
    }
}

#[cfg(not(unix))]
impl Clock {
    fn now() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Calls between two looks at the clock.
const CALLS: u32 = 1_024;
const ROUNDS: usize = 100;
const WARM_UP: usize = 10;
