//! Three servers behind one client: Go's and ours, which have to look the same to it.
//!
//! The Go programs are built from `rpcx-runtime/tests/go-peer`, which needs Go. Without it a test
//! says that it was skipped and passes; where `CI` is `true` it fails.

#[path = "support/farm.rs"]
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod farms;
#[path = "support/go.rs"]
mod go;
#[path = "support/port.rs"]
mod port;
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod support;

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;

use farms::{Callers, Farm, Method, builder};
use go::GoModule;
use nix::sys::signal::Signal;
use rpcx::client::FanOutError;
use rpcx::{Error, Executed, FailMode, Refusal, SelectMode};
use rpcx_examples::interop::{Args, InteropClient, MetaArgs, SleepArgs, TextArgs};
use tokio::time::Instant;

static GO_PEER: GoModule = GoModule::new("go-peer");

const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

/// Makes two tests of each function: with servers of ours, and with Go's.
macro_rules! farm_tests {
    ($($test:ident: $ours:ident, $gos:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $ours() {
            $test(Farm::of_ours(INTEROP_SERVER, 3)).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $gos() {
            let Some(folder) = GO_PEER.programs(stringify!($gos)) else { return };
            $test(Farm::of_gos(&folder.join("go-server"), 3)).await;
        }
    )*};
}

farm_tests! {
    selectors: selectors_over_ours, selectors_over_gos;
    failover: failover_over_ours, failover_over_gos;
    failbackup: failbackup_over_ours, failbackup_over_gos;
    fan_out: fan_out_over_ours, fan_out_over_gos;
    one_way: one_way_over_ours, one_way_over_gos;
    metadata: metadata_over_ours, metadata_over_gos;
    deadlines: deadlines_over_ours, deadlines_over_gos;
    killed: killed_over_ours, killed_over_gos;
}

/// Each selector spreads the calls as it promises.
async fn selectors(farm: Farm) {
    let all = farm.addresses();
    let spread = async |client: &InteropClient, calls| {
        let mut places = Vec::new();
        for _ in 0..calls {
            places.push(place(&all, client).await);
        }
        places
    };
    let count =
        |places: &[usize]| [0, 1, 2].map(|one| places.iter().filter(|at| **at == one).count());

    let client = connect(farm.builder().select(SelectMode::Random)).await;
    let counts = count(&spread(&client, 300).await);
    // That one of them gets fewer happens once in 10¹⁰ times.
    assert!(counts.iter().all(|count| *count >= 50), "{counts:?}");

    let client = connect(farm.builder().select(SelectMode::RoundRobin)).await;
    let places = spread(&client, 30).await;
    assert_eq!(count(&places), [10, 10, 10]);
    assert!(places.windows(3).all(|three| count(three) == [1, 1, 1]), "{places:?}");

    let weighted: Vec<_> = all
        .iter()
        .zip([5, 3, 2])
        .map(|(server, weight)| format!("{server}?weight={weight}"))
        .collect();
    let client = connect(builder(&weighted).select(SelectMode::WeightedRoundRobin)).await;
    assert_eq!(count(&spread(&client, 100).await), [50, 30, 20]);

    let client = connect(farm.builder().select(SelectMode::ConsistentHash)).await;
    assert_eq!(count(&spread(&client, 30).await).into_iter().max(), Some(30));

    let client = connect(farm.builder().select(SelectMode::LeastPending)).await;
    let counts = count(&spread(&client, 300).await);
    assert!(counts.iter().all(|count| *count >= 50), "{counts:?}");
}

/// A server that is not there costs no call.
async fn failover(farm: Farm) {
    let dead = format!("tcp@127.0.0.1:{}", port::free_port());
    let servers = [vec![dead.clone()], farm.addresses()].concat();
    let builder = builder(&servers).fail_mode(FailMode::Failover).select(SelectMode::RoundRobin);
    let client = connect(builder).await;
    let mut served = HashMap::new();
    for number in 0..60 {
        let detailed = client.mul(Args { a: 6, b: number }).detailed().await;
        assert_eq!(detailed.result.expect("another server answers").c, 6 * number);
        let address = detailed.address.expect("it was called").to_string();
        *served.entry(address).or_insert(0) += 1;
    }
    assert!(!served.contains_key(&dead), "{served:?}");
    assert_eq!(served.len(), 3, "{served:?}");
    // What the service itself answers is final.
    let error = client.error(TextArgs { msg: "no stock".to_owned() }).await.unwrap_err();
    assert!(matches!(&error, Error::Service(text) if text == "no stock"), "{error:?}");
}

/// A server that stands still is not waited for.
async fn failbackup(farm: Farm) {
    let select = SelectMode::RoundRobin;
    let client = connect(farm.builder().select(select).fail_mode(FailMode::Failbackup)).await;
    for number in 0..30 {
        assert_eq!(client.mul(Args { a: 2, b: number }).await.unwrap().c, 2 * number);
    }
    // A connection to each is open: from now on one of them says nothing.
    farm.program(1).signal(Signal::SIGSTOP);
    for number in 0..12 {
        let call = client.mul(Args { a: 2, b: number }).timeout(SAFETY);
        assert_eq!(call.backup_latency(ms(20)).await.unwrap().c, 2 * number);
    }
    let patient = connect(farm.builder().select(select).fail_mode(FailMode::Failover)).await;
    for number in 0..12 {
        let call = patient.mul(Args { a: 2, b: number }).attempt_timeout(ms(300));
        assert_eq!(call.await.unwrap().c, 2 * number);
    }
    farm.program(1).signal(Signal::SIGCONT);
    let refused = client.incr(Args { a: 1, b: 0 }).await.unwrap_err();
    let Error::NotExecuted { reason: Refusal::NotIdempotent { method } } = refused else {
        panic!("it may run twice: {refused:?}")
    };
    assert_eq!(method, "Arith.Incr");
    assert_eq!(counts(&farm).await, [0, 0, 0]);
}

/// A call to all reaches each of them once.
async fn fan_out(farm: Farm) {
    let client = connect(farm.builder()).await;
    let one = Args { a: 1, b: 0 };
    let receipts = client.incr(one.clone()).inform().await.unwrap();
    let addresses: Vec<_> = receipts.iter().map(|receipt| receipt.address.to_string()).collect();
    assert_eq!(addresses, farm.addresses());
    assert!(receipts.iter().all(|receipt| receipt.result.as_ref().is_ok_and(|reply| reply.c == 1)));
    assert_eq!(counts(&farm).await, [1, 1, 1]);
    assert_eq!(client.incr(one.clone()).broadcast().await.unwrap().c, 2);
    assert_eq!(counts(&farm).await, [2, 2, 2]);
    assert_eq!(client.incr(one.clone()).fork().await.unwrap().c, 3);
    wait_for_counts(&farm, [3, 3, 3]).await;

    let servers = [farm.addresses(), vec![format!("tcp@127.0.0.1:{}", port::free_port())]].concat();
    let client = connect(builder(&servers)).await;
    let receipts = client.incr(one.clone()).inform().await.unwrap();
    let failed: Vec<_> = receipts.iter().filter(|receipt| receipt.result.is_err()).collect();
    let [failed] = failed.as_slice() else { panic!("{receipts:?}") };
    assert_eq!(failed.address.to_string(), servers[3]);
    assert!(matches!(failed.result, Err(Error::Connect { .. })), "{failed:?}");
    assert_eq!(counts(&farm).await, [4, 4, 4]);
    let broadcast = client.incr(one.clone()).broadcast().await;
    assert!(matches!(broadcast, Err(FanOutError::Failed(failed)) if failed.len() == 1));
    assert_eq!(client.mul(Args { a: 6, b: 7 }).fork().await.unwrap().c, 42);
    let error = client.error(TextArgs { msg: "no".to_owned() }).fork().await.unwrap_err();
    assert!(matches!(&error, FanOutError::Failed(failed) if failed.len() == 4), "{error:?}");
}

/// Calls without a reply run, each once.
async fn one_way(farm: Farm) {
    let client = connect(farm.builder().select(SelectMode::RoundRobin)).await;
    for _ in 0..30 {
        client.incr(Args { a: 1, b: 0 }).oneway().await.unwrap();
    }
    wait_for_counts(&farm, [10, 10, 10]).await;
}

/// Metadata travels both ways, to whichever server.
async fn metadata(farm: Farm) {
    let client = connect(farm.builder().select(SelectMode::RoundRobin)).await;
    for number in 0..6 {
        let call = client.meta(MetaArgs {}).metadata("trace", format!("t-{number}"));
        let detailed = call.metadata("löwe", "ü").detailed().await;
        let meta = detailed.result.unwrap().meta;
        assert_eq!(meta.get("trace"), Some(&format!("t-{number}")));
        assert_eq!(meta.get("löwe").map(String::as_str), Some("ü"));
        assert_eq!(detailed.metadata.get("echo-trace"), Some(&*format!("t-{number}")));
    }
}

/// A call ends with its time, and its connection goes on.
async fn deadlines(farm: Farm) {
    let client = connect(farm.builder().select(SelectMode::RoundRobin)).await;
    for mode in [FailMode::Failtry, FailMode::Failover, FailMode::Failfast] {
        let begun = Instant::now();
        let call = client.sleep(SleepArgs { ms: 30_000 }).fail_mode(mode);
        let error = call.timeout(ms(200)).await.unwrap_err();
        let elapsed = begun.elapsed();
        let Error::Timeout { after, executed } = error else { panic!("{mode}: {error:?}") };
        assert_eq!((after, executed), (ms(200), Executed::Maybe));
        assert!(elapsed >= ms(195) && elapsed < SAFETY, "{elapsed:?}");
    }
    let slow = client.sleep(SleepArgs { ms: 300 }).timeout(SAFETY).await;
    assert_eq!(slow.unwrap().c, 300);
    for number in 0..6 {
        assert_eq!(client.mul(Args { a: 3, b: number }).await.unwrap().c, 3 * number);
    }
}

/// That one is killed under load costs no idempotent call.
async fn killed(mut farm: Farm) {
    let mut callers = Callers::begin(64, farm.builder(), Method::Idempotent).await;
    callers.connected(3).await;
    callers.more(1_000).await;
    farm.kill(0);
    callers.more(2_000).await;
    farm.restart(0);
    callers.connected(3).await;
    callers.more(1_000).await;
    let failures = callers.failures();
    let line =
        format!("kill of one in three: {} calls, {} failed", callers.calls(), failures.len());
    // Not `eprintln`, which the test runner would keep to itself.
    let _ = writeln!(std::io::stderr(), "{line}");
    assert!(failures.is_empty(), "{failures:#?}");
}

async fn connect(builder: rpcx::client::ClientBuilder<InteropClient>) -> InteropClient {
    builder.connect().await.expect("the list is there")
}

/// Makes a call; gives the place of the server that answered.
async fn place(servers: &[String], client: &InteropClient) -> usize {
    let detailed = client.mul(Args { a: 6, b: 7 }).detailed().await;
    assert_eq!(detailed.result.expect("it answers").c, 42);
    let address = detailed.address.expect("it was called").to_string();
    servers.iter().position(|server| *server == address).expect("it is in the list")
}

/// Reads each server's counter.
async fn counts(farm: &Farm) -> [i64; 3] {
    let mut counts = [0; 3];
    for (count, address) in counts.iter_mut().zip(farm.addresses()) {
        let client = InteropClient::connect_to(&address).await.expect("it is there");
        *count = client.count(Args { a: 0, b: 0 }).await.expect("it answers").c;
    }
    counts
}

/// Waits until the counters say this.
async fn wait_for_counts(farm: &Farm, wanted: [i64; 3]) {
    let begun = Instant::now();
    loop {
        let found = counts(farm).await;
        if found == wanted {
            return;
        }
        assert!(begun.elapsed() < SAFETY, "found {found:?}, wanted {wanted:?}");
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// How long anything may take. It never decides a test that passes.
const SAFETY: Duration = Duration::from_secs(30);
