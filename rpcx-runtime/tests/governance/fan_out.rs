//! One call to all servers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rpcx::client::{FanOutError, Receipt, ServerFailure};
use rpcx::{Address, Error, Executed, FailMode, Server, ServiceError};
use tokio::time::Instant;

use super::network::{Fault, name_of};
use super::world::{
    Mood, Station, WorkClient, World, connect, failure, kind, ms, secs, settle, soon,
};

const FOUR: [&str; 4] = ["a", "b", "c", "d"];

/// A client of four servers: `a` is well, `b` fails, `c` is dead, `d` is slow.
async fn mixed() -> (World, [Station; 3], WorkClient) {
    let world = World::new();
    let servers = world.serve_all(["a", "b", "d"]).await;
    servers[1].set(Mood::Fails);
    servers[2].set(Mood::Slow(ms(100)));
    let client = connect(world.builder(&FOUR).fail_mode(FailMode::Failover)).await;
    (world, servers, client)
}

/// Serves several that are all well.
async fn well<const N: usize>(names: [&str; N]) -> (World, [Station; N], WorkClient) {
    let world = World::new();
    let servers = world.serve_all(names).await;
    let client = connect(world.builder(&names)).await;
    (world, servers, client)
}

/// Gives what each server said, by name.
fn said(receipts: Vec<Receipt<i64, Error>>) -> Vec<(String, Result<i64, &'static str>)> {
    let said = |receipt: Receipt<i64, Error>| {
        (name_of(&receipt.address), receipt.result.map_err(|error| kind(&error).0))
    };
    receipts.into_iter().map(said).collect()
}

fn told(failures: &[ServerFailure<Error>]) -> Vec<(String, &'static str)> {
    failures.iter().map(|one| (name_of(&one.address), kind(&one.error).0)).collect()
}

fn failed<T: std::fmt::Debug>(
    result: Result<T, FanOutError<Error>>,
) -> Vec<(String, &'static str)> {
    match result {
        Err(FanOutError::Failed(failures)) => told(&failures),
        other => panic!("{other:?}"),
    }
}

fn pairs<T: Clone>(pairs: &[(&str, T)]) -> Vec<(String, T)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn inform_gives_a_receipt_of_each_server_in_the_order_of_the_list() {
    let (world, _servers, client) = mixed().await;
    let begun = Instant::now();
    let receipts = client.once(7).inform().await.unwrap();
    assert!((100..103).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let by: Vec<_> = receipts.iter().map(|one| one.metadata.get("by").map(str::to_owned)).collect();
    assert_eq!(by, [Some("a".to_owned()), Some("b".to_owned()), None, Some("d".to_owned())]);
    let expected = [("a", Ok(7)), ("b", Err("Service")), ("c", Err("Connect")), ("d", Ok(7))];
    assert_eq!(said(receipts), pairs(&expected));
    // Once each, whatever the fail mode.
    assert_eq!(world.network.dialed(), FOUR);
    assert_eq!(world.ledger.counts(FOUR), [1, 1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn each_server_is_called_once_however_it_fails_and_whatever_the_mode() {
    let modes = [FailMode::Failtry, FailMode::Failover, FailMode::Failfast, FailMode::Failbackup];
    for mode in modes {
        let world = World::new();
        let servers = world.serve_all(FOUR).await;
        servers[3].set(Mood::Never);
        world.network.at("a", Fault::Refused);
        world.network.at("b", Fault::CutReply(0));
        world.network.at("c", Fault::CutRequest(9));
        let client = connect(world.builder(&FOUR).fail_mode(mode).attempt_timeout(ms(100))).await;
        let receipts = client.many(1).inform().await.unwrap();
        let lost = Err("ConnectionLost");
        let expected = [("a", Err("Connect")), ("b", lost), ("c", lost), ("d", Err("Timeout"))];
        assert_eq!(said(receipts), pairs(&expected), "{mode}");
        assert_eq!(world.network.dialed(), FOUR, "{mode}");
        assert_eq!(world.ledger.counts(FOUR), [0, 1, 0, 1], "{mode}");
        // Not even a method that may not run twice is refused: no server runs it twice.
        world.network.at("a", Fault::None);
        let receipts = client.once(1).inform().await.unwrap();
        assert_eq!(said(receipts)[0], ("a".to_owned(), Ok(1)), "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn broadcast_succeeds_with_the_last_server() {
    let (world, servers, client) = well(["a", "b", "c"]).await;
    servers[1].set(Mood::Slow(ms(200)));
    let begun = Instant::now();
    assert_eq!(client.once(7).broadcast().await.unwrap(), 7);
    assert!((200..203).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(world.ledger.counts(["a", "b", "c"]), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn broadcast_ends_with_the_first_failure_but_calls_all() {
    let (world, servers, client) = well(["a", "b", "c"]).await;
    servers[0].set(Mood::Never);
    servers[1].set(Mood::Slow(ms(50)));
    servers[2].set(Mood::Overtime(ms(70)));
    let begun = Instant::now();
    assert_eq!(failed(client.once(7).broadcast().await), pairs(&[("c", "Service")]));
    assert!((70..73).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(world.ledger.counts(["a", "b", "c"]), [1, 1, 1]);
    // A server that cannot be reached is a failure.
    let [a, b, c] = servers;
    a.set(Mood::Well);
    c.set(Mood::Well);
    b.kill().await;
    assert_eq!(failed(client.once(7).broadcast().await), pairs(&[("b", "Connect")]));
}

#[tokio::test(start_paused = true)]
async fn fork_ends_with_the_first_success() {
    let (world, servers, client) = mixed().await;
    servers[0].set(Mood::Never);
    let begun = Instant::now();
    assert_eq!(client.once(7).fork().await.unwrap(), 7);
    assert!((100..103).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(world.ledger.counts(FOUR), [1, 1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn fork_fails_with_all_servers_in_the_order_in_which_they_failed() {
    let (_world, servers, client) = mixed().await;
    servers[0].set(Mood::Overtime(ms(300)));
    servers[2].set(Mood::Overtime(ms(100)));
    let mut failures = failed(client.once(7).fork().await);
    assert_eq!(failures.split_off(2), pairs(&[("d", "Service"), ("a", "Service")]));
    failures.sort();
    assert_eq!(failures, pairs(&[("b", "Service"), ("c", "Connect")]));
}

#[tokio::test(start_paused = true)]
async fn without_a_server_no_call_is_made() {
    let world = World::new();
    let client = connect(world.builder(&[])).await;
    let why = "no server: no server of `Work` is registered";
    let error = client.once(1).inform().await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.executed()), (why, Executed::No));
    for result in [client.once(1).broadcast().await, client.once(1).fork().await] {
        match result {
            Err(FanOutError::NotMade(error)) => assert_eq!(error.to_string(), why),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_call_is_that_of_each_server() {
    let (_world, servers, client) = well(["a", "b"]).await;
    servers[0].set(Mood::Never);
    let begun = Instant::now();
    let receipts = client.many(1).timeout(ms(300)).inform().await.unwrap();
    assert!((300..303).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let error = receipts[0].result.as_ref().unwrap_err();
    assert!(
        matches!(error, Error::Timeout { after, executed: Executed::Maybe } if *after == ms(300)),
        "{error:?}"
    );
    assert_eq!(said(receipts)[1], ("b".to_owned(), Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_first_server_is_part_of_the_calls_time() {
    let world = World::new();
    let list = world.list(&[]);
    let builder = world.builder(&[]).registry(list.clone()).wait_for_server(secs(10));
    let client = connect(builder).await;
    let begun = Instant::now();
    let result = client.many(1).timeout(ms(200)).inform().await;
    assert_eq!(failure(result), ("Timeout", Executed::No));
    assert!((200..203).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    // Without a time it waits as long as the builder says.
    let begun = Instant::now();
    assert_eq!(failure(client.many(1).inform().await), ("NoServer", Executed::No));
    assert_eq!(begun.elapsed().as_secs(), 10);
    // One that comes in between has what is left.
    let server = world.serve("a").await;
    server.set(Mood::Never);
    let begun = Instant::now();
    let call = tokio::spawn(client.many(1).timeout(ms(200)).inform());
    tokio::time::sleep(ms(150)).await;
    world.update(&list, &["a"]);
    let receipts = soon(call).await.unwrap().unwrap();
    assert_eq!(said(receipts), pairs(&[("a", Err("Timeout"))]));
    assert!((200..205).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn dropping_it_gives_all_calls_up() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    for server in &servers {
        server.set(Mood::Never);
    }
    // A call that is not given up leaves no room for the next one.
    let client = connect(world.builder(&["a", "b"]).max_in_flight(1)).await;
    let calls = client.many(1).inform();
    assert!(tokio::time::timeout(ms(50), calls).await.is_err());
    assert_eq!(world.ledger.counts(["a", "b"]), [1, 1]);
    for server in &servers {
        server.set(Mood::Well);
    }
    let begun = Instant::now();
    assert_eq!(client.many(2).broadcast().await.unwrap(), 2);
    // So does the first success of a fork, and the first failure of a broadcast.
    servers[1].set(Mood::Never);
    assert_eq!(client.many(3).fork().await.unwrap(), 3);
    servers[1].set(Mood::Well);
    assert_eq!(client.many(4).broadcast().await.unwrap(), 4);
    servers[0].set(Mood::Fails);
    servers[1].set(Mood::Never);
    assert_eq!(failed(client.many(5).broadcast().await), pairs(&[("a", "Service")]));
    servers[0].set(Mood::Well);
    servers[1].set(Mood::Well);
    assert_eq!(client.many(6).broadcast().await.unwrap(), 6);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_before_it_is_awaited_and_it_borrows_nothing() {
    let (world, _servers, client) = well(["a", "b"]).await;
    let calls = client.many(1).inform();
    drop(client);
    settle().await;
    assert!(world.network.dialed().is_empty());
    assert_eq!(soon(tokio::spawn(calls)).await.unwrap().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_is_never_answered_goes_to_all_too() {
    let (world, _servers, client) = well(["a", "b"]).await;
    let receipts = client.note(1).inform().await.unwrap();
    assert!(receipts.into_iter().all(|receipt| receipt.result.is_ok()));
    settle().await;
    assert_eq!(world.ledger.counts(["a", "b"]), [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_channel_to_one_server_calls_that() {
    let world = World::new();
    let _server = world.serve("a").await;
    let builder = world.builder(&[]);
    let client = builder.connect_lazily(&world.address("a")).unwrap();
    let receipts = client.many(1).inform().await.unwrap();
    assert_eq!(said(receipts), pairs(&[("a", Ok(1))]));
}

#[test]
fn the_error_names_the_servers() {
    let address = |text: &str| -> Address { text.parse().unwrap() };
    let error: FanOutError<Error> = FanOutError::NotMade(Error::NoServer { why: "x".to_owned() });
    assert_eq!(error.to_string(), "no server: x");
    let error = Error::from(error);
    assert_eq!(kind(&error), ("NoServer", Executed::No));
    assert_eq!(address("memory@a").to_string(), "memory@a");
}

/// A service with errors of its own.
#[rpcx::service]
trait Stock {
    async fn reserve(&self, number: i64) -> Result<i64, StockError>;
}

#[derive(Debug, PartialEq)]
enum StockError {
    SoldOut,
    Unreachable(Executed),
}

impl ServiceError for StockError {
    fn to_wire(&self) -> String {
        "sold out".to_owned()
    }

    fn from_wire(error: Error) -> Self {
        match error {
            Error::Service(text) if text == "sold out" => Self::SoldOut,
            other => Self::Unreachable(other.executed()),
        }
    }
}

impl std::fmt::Display for StockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Has so many.
struct Store(i64);

impl Stock for Store {
    async fn reserve(&self, number: i64) -> Result<i64, StockError> {
        if number > self.0 { Err(StockError::SoldOut) } else { Ok(self.0 - number) }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_the_services_own() {
    let world = World::new();
    let mut stations = Vec::new();
    for (name, number) in [("a", 10), ("b", 5)] {
        let server = Server::new().add(StockServer::new(Store(number)));
        stations.push(world.serve_with(name, Arc::<Mutex<Mood>>::default(), server).await);
    }
    let builder = || StockClient::builder().connector(world.network.clone());
    let client = connect(builder().registry(world.list(&["a", "b", "c"]))).await;
    let receipts = client.reserve(7).inform().await.unwrap();
    let results: Vec<_> = receipts.into_iter().map(|receipt| receipt.result).collect();
    let unreachable = Err(StockError::Unreachable(Executed::No));
    assert_eq!(results, [Ok(3), Err(StockError::SoldOut), unreachable]);
    assert_eq!(client.reserve(7).fork().await.unwrap(), 3);

    let two = connect(builder().registry(world.list(&["a", "b"]))).await;
    match two.reserve(7).broadcast().await {
        Err(error @ FanOutError::Failed(_)) => {
            let address = world.address("b");
            let text = format!("the call failed at 1 of the servers; {address}: SoldOut");
            assert_eq!(error.to_string(), text);
        }
        other => panic!("{other:?}"),
    }
    match two.reserve(20).fork().await {
        Err(FanOutError::Failed(failures)) => {
            assert!(failures.iter().all(|one| one.error == StockError::SoldOut));
            assert_eq!(failures.len(), 2);
        }
        other => panic!("{other:?}"),
    }
    let nobody = connect(builder().registry(world.list(&[]))).await;
    let not_made = StockError::Unreachable(Executed::No);
    assert_eq!(nobody.reserve(1).inform().await.unwrap_err(), not_made);
    assert!(matches!(
        nobody.reserve(1).fork().await,
        Err(FanOutError::NotMade(StockError::Unreachable(Executed::No)))
    ));
}
