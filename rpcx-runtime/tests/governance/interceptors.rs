//! What interceptors see, change, and decide.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rpcx::client::interceptor::{Incoming, Interceptor, Next, Outgoing};
use rpcx::client::selector::{Candidate, Selection, Selector};
use rpcx::protocol::SerializeType;
use rpcx::{Address, Error, Executed, FailMode, Result, codec};
use tokio::time::{Instant, advance, sleep};

use super::network::{Fault, name_of};
use super::world::{Mood, World, connect, failure, kind, ms, secs, settle, soon};

/// What interceptors wrote down, in order.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn write(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes everything down.
struct Recorder {
    name: &'static str,
    log: Log,
}

impl Recorder {
    fn ended(&self, what: &str, result: &Result<Incoming>) {
        let outcome = match result {
            Ok(reply) => match (reply.error(), reply.address()) {
                (Some(text), _) => text,
                (None, address) => address.map_or("nobody".to_owned(), name_of),
            },
            Err(error) => kind(error).0.to_owned(),
        };
        self.log.write(format!("{} {what} ends: {outcome}", self.name));
    }
}

impl Interceptor for Recorder {
    async fn call(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        assert_eq!((request.attempt(), request.address()), (0, None));
        let (service, method) = (request.service(), request.method());
        self.log.write(format!("{} call {service}.{method}", self.name));
        let result = next.run(request).await;
        self.ended("call", &result);
        result
    }

    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        let server = request.address().map(name_of).expect("a server was chosen");
        self.log.write(format!("{} attempt {} at {server}", self.name, request.attempt()));
        let result = next.run(request).await;
        self.ended("attempt", &result);
        result
    }

    fn connected(&self, server: &Address) {
        self.log.write(format!("{} connected to {}", self.name, name_of(server)));
    }

    fn connect_failed(&self, server: &Address, error: &Error) {
        let (server, error) = (name_of(server), kind(error).0);
        self.log.write(format!("{} not connected to {server}: {error}", self.name));
    }

    fn disconnected(&self, server: &Address) {
        self.log.write(format!("{} disconnected from {}", self.name, name_of(server)));
    }
}

fn recorder(name: &'static str) -> (Recorder, Log) {
    let log = Log::default();
    (Recorder { name, log: log.clone() }, log)
}

#[tokio::test(start_paused = true)]
async fn the_first_one_is_the_outermost() {
    let world = World::new();
    let _a = world.serve("a").await;
    let (outer, log) = recorder("outer");
    let inner = Recorder { name: "inner", log: log.clone() };
    let client = connect(world.builder(&["a"]).interceptor(outer).interceptor(inner)).await;
    assert_eq!(client.once(1).await.unwrap(), 1);
    let expected = [
        "outer call Work.Once",
        "inner call Work.Once",
        "outer attempt 1 at a",
        "inner attempt 1 at a",
        "outer connected to a",
        "inner connected to a",
        "inner attempt ends: a",
        "outer attempt ends: a",
        "inner call ends: a",
        "outer call ends: a",
    ];
    assert_eq!(log.take(), expected);
    drop(client);
    world.network.closed("a").await;
    assert_eq!(log.take(), ["outer disconnected from a", "inner disconnected from a"]);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_seen_with_its_number_and_server() {
    let world = World::new();
    let _servers = world.serve_all(["b", "c"]).await;
    world.network.at("b", Fault::CutReply(0));
    let (recorder, log) = recorder("i");
    let builder = world.builder(&["a", "b", "c"]).fail_mode(FailMode::Failover);
    let client = connect(builder.interceptor(recorder)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    let expected = [
        "i call Work.Many",
        "i attempt 1 at a",
        "i not connected to a: Connect",
        "i attempt ends: Connect",
        "i attempt 2 at b",
        "i connected to b",
        "i disconnected from b",
        "i attempt ends: ConnectionLost",
        "i attempt 3 at c",
        "i connected to c",
        "i attempt ends: c",
        "i call ends: c",
    ];
    assert_eq!(log.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn both_requests_of_failbackup_are_attempts() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Never);
    let (recorder, log) = recorder("i");
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failbackup);
    let client = connect(builder.interceptor(recorder)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    let attempts: Vec<_> =
        log.take().into_iter().filter(|line| line.starts_with("i attempt")).collect();
    assert_eq!(attempts, ["i attempt 1 at a", "i attempt 1 at b", "i attempt ends: b"]);
}

#[tokio::test(start_paused = true)]
async fn the_services_errors_are_answers() {
    let world = World::new();
    let server = world.serve("a").await;
    server.set(Mood::Fails);
    let (recorder, log) = recorder("i");
    let client = connect(world.builder(&["a"]).interceptor(recorder)).await;
    assert_eq!(failure(client.many(1).await), ("Service", Executed::Yes));
    let ends: Vec<_> = log.take().into_iter().filter(|line| line.contains("ends")).collect();
    assert_eq!(ends, ["i attempt ends: out of stock", "i call ends: out of stock"]);
}

#[tokio::test(start_paused = true)]
async fn a_dial_is_heard_of_once_whoever_waited_for_it() {
    let world = World::new();
    let (recorder, log) = recorder("i");
    let builder = world.builder(&["a"]).fail_mode(FailMode::Failfast).interceptor(recorder);
    let client = connect(builder).await;
    world.network.next([Fault::NoAnswer]);
    let calls: Vec<_> = (0..20).map(|id| client.once(id).start()).collect();
    for call in calls {
        assert_eq!(failure(soon(call).await).0, "Connect");
    }
    let heard =
        |what: &str, lines: &[String]| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(heard("not connected", &log.take()), 1);
    let a = world.serve("a").await;
    a.set(Mood::Never);
    let calls: Vec<_> = (0..20).map(|id| client.once(id).start()).collect();
    settle().await;
    a.kill().await;
    for call in calls {
        assert_eq!(failure(soon(call).await).0, "ConnectionLost");
    }
    let lines = log.take();
    assert_eq!((heard(" connected", &lines), heard("disconnected", &lines)), (1, 1));
}

/// Adds metadata around the call and around each attempt.
struct Labels;

impl Interceptor for Labels {
    async fn call(&self, mut request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        assert_eq!(request.metadata().get("own"), Some("1"));
        request.metadata_mut().insert("call", "yes");
        request.metadata_mut().remove("secret");
        next.run(request).await
    }

    async fn attempt(&self, mut request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        let number = request.attempt().to_string();
        assert_eq!(request.metadata().get("call"), Some("yes"));
        assert!(request.metadata().iter().all(|(key, _)| !key.starts_with("only-")));
        request.metadata_mut().insert(format!("only-{number}"), number);
        next.run(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_reaches_the_server_from_the_call_and_from_its_attempt_alone() {
    let world = World::new();
    let _servers = world.serve_all(["a", "b"]).await;
    world.network.at("a", Fault::CutReply(0));
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
    let client = connect(builder.interceptor(Labels).auth("token")).await;
    let call = client.many(1).metadata("own", "1").metadata("secret", "2");
    assert_eq!(call.await.unwrap(), 1);
    let seen = world.ledger.take().into_iter().map(|run| {
        let mut pairs: Vec<_> =
            run.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.sort();
        pairs.join(" ")
    });
    let expected = ["call=yes only-1=1 own=1", "call=yes only-2=2 own=1"];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

/// Calls for another id than the caller did.
struct Swap;

impl Interceptor for Swap {
    async fn call(&self, mut request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        let id: i64 = codec::decode(request.serialize_type(), request.payload()).unwrap();
        let mut payload = Vec::new();
        codec::encode(request.serialize_type(), &(id + 1), &mut payload).unwrap();
        request.set_payload(payload);
        let reply = next.run(request).await?;
        assert_eq!(codec::decode::<i64>(SerializeType::MSGPACK, &reply.payload()).unwrap(), id + 1);
        assert_eq!(reply.metadata().get("by"), Some("a"));
        Ok(reply)
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_can_be_replaced_and_replies_looked_at() {
    let world = World::new();
    let _a = world.serve("a").await;
    let client = connect(world.builder(&["a"]).interceptor(Swap)).await;
    assert_eq!(client.once(41).await.unwrap(), 42);
    assert_eq!(world.ledger.take()[0].id, 42);
}

/// What an interceptor of the tests decides.
#[derive(Clone, Copy)]
enum Decision {
    /// Goes on.
    Goes,
    /// Goes on, and once more whatever came of it.
    GoesTwice,
    /// Answers without going on.
    Answers(i64),
    /// Fails without going on, in that way.
    Fails(fn() -> Error),
    /// Goes on and fails all the same.
    FailsAfter(fn() -> Error),
}

/// Decides around the call, or around the first attempts.
struct Decides {
    around_call: bool,
    decision: Decision,
    left: AtomicUsize,
}

impl Decides {
    fn call(decision: Decision) -> Self {
        Self { around_call: true, decision, left: AtomicUsize::new(usize::MAX) }
    }

    /// Decides about so many attempts; the next ones go on.
    fn attempts(decision: Decision, left: usize) -> Self {
        Self { around_call: false, decision, left: AtomicUsize::new(left) }
    }

    async fn decide(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        match self.decision {
            Decision::Goes => next.run(request).await,
            Decision::GoesTwice => {
                let _ = next.run(request.clone()).await;
                next.run(request).await
            }
            Decision::Answers(reply) => {
                let mut payload = Vec::new();
                codec::encode(request.serialize_type(), &reply, &mut payload).unwrap();
                Ok(request.answer(payload))
            }
            Decision::Fails(error) => Err(error()),
            Decision::FailsAfter(error) => {
                next.run(request).await?;
                Err(error())
            }
        }
    }
}

impl Interceptor for Decides {
    async fn call(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        if self.around_call { self.decide(request, next).await } else { next.run(request).await }
    }

    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        let left =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if self.around_call || left.is_err() {
            return next.run(request).await;
        }
        self.decide(request, next).await
    }
}

fn service() -> Error {
    Error::service("no")
}

fn not_connected() -> Error {
    let address = "memory@nowhere".parse().unwrap();
    Error::Connect { address, source: std::io::ErrorKind::Other.into() }
}

fn lost() -> Error {
    let address = "memory@nowhere".parse().unwrap();
    Error::ConnectionLost { address, executed: Executed::Maybe }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_go_on_ends_the_call() {
    let world = World::new();
    let _a = world.serve("a").await;
    let refuse = Decides::call(Decision::Fails(service));
    let client = connect(world.builder(&["a"]).interceptor(refuse)).await;
    assert_eq!(failure(client.once(1).await), ("Service", Executed::Yes));
    // Whatever it says, the call is not made again around it.
    let refuse = Decides::call(Decision::FailsAfter(not_connected));
    let again = connect(world.builder(&["a"]).interceptor(refuse)).await;
    assert_eq!(failure(again.once(2).await), ("Connect", Executed::No));
    assert_eq!(world.ledger.take().len(), 1);
    assert_eq!(world.network.dialed(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_around_an_attempt_is_made_again_by_what_it_says() {
    // Fails how, made again at first for a method that may not run twice, and for one that may.
    let cases: [(Decision, bool, bool, usize); 5] = [
        (Decision::Fails(service), false, false, 0),
        (Decision::Fails(not_connected), true, true, 0),
        (Decision::Fails(lost), false, true, 0),
        (Decision::FailsAfter(lost), false, true, 1),
        (Decision::FailsAfter(service), false, false, 1),
    ];
    for (place, (decision, once, many, runs)) in cases.into_iter().enumerate() {
        for (is_many, again) in [(false, once), (true, many)] {
            let world = World::new();
            let _servers = world.serve_all(["a", "b"]).await;
            let decides = Decides::attempts(decision, 1);
            let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
            let client = connect(builder.interceptor(decides)).await;
            let result = if is_many { client.many(1).await } else { client.once(1).await };
            assert_eq!(result.is_ok(), again, "{place} {is_many}: {result:?}");
            let ran = world.ledger.servers();
            assert_eq!(ran.len(), runs + usize::from(again), "{place} {is_many}: {ran:?}");
            assert!(!again || ran.last().is_some_and(|last| last == "b"), "{ran:?}");
        }
    }
    // If it goes on failing, the call does.
    let world = World::new();
    let _a = world.serve("a").await;
    let decides = Decides::attempts(Decision::Fails(not_connected), usize::MAX);
    let client = connect(world.builder(&["a"]).interceptor(decides)).await;
    assert_eq!(failure(client.once(1).await), ("Connect", Executed::No));
    assert!(world.ledger.take().is_empty());
    let fine = Decides::attempts(Decision::Goes, usize::MAX);
    let client = connect(world.builder(&["a"]).interceptor(fine)).await;
    assert_eq!(client.once(1).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_run_is_not_forgotten() {
    let world = World::new();
    let [a] = world.serve_all(["a"]).await;
    let decides = Decides::attempts(Decision::FailsAfter(lost), 1);
    let builder = world.builder(&["a"]).interceptor(decides).retries(1);
    let client = connect(builder.retry_interval(secs(1))).await;
    let call = client.many(1).start();
    settle().await;
    assert_eq!(world.ledger.take().len(), 1);
    a.kill().await;
    // The second attempt cannot be made, and is not the whole truth.
    assert_eq!(failure(soon(call).await), ("ConnectionLost", Executed::Maybe));
}

#[tokio::test(start_paused = true)]
async fn one_may_answer_in_the_servers_place() {
    for decides in
        [Decides::call(Decision::Answers(42)), Decides::attempts(Decision::Answers(42), usize::MAX)]
    {
        let world = World::new();
        let (recorder, log) = recorder("i");
        let builder = world.builder(&["a"]).interceptor(recorder).interceptor(decides);
        let client = connect(builder).await;
        assert_eq!(client.once(1).await.unwrap(), 42);
        assert!(world.network.dialed().is_empty());
        assert_eq!(log.take().last().unwrap(), "i call ends: nobody");
        // In the codec of the call.
        let call = client.once(1).codec(SerializeType::JSON);
        assert_eq!(call.await.unwrap(), 42);
        client.note(1).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_may_go_on_twice() {
    // Around the call all of it is made again, around the attempt that, at its server.
    for (decides, ran) in [
        (Decides::call(Decision::GoesTwice), ["a", "b"]),
        (Decides::attempts(Decision::GoesTwice, usize::MAX), ["a", "a"]),
    ] {
        let world = World::new();
        let [_a, _b] = world.serve_all(["a", "b"]).await;
        let builder = world.builder(&["a", "b"]).selector(Turns::default());
        let client = connect(builder.interceptor(decides)).await;
        assert_eq!(client.once(7).await.unwrap(), 7);
        let runs = world.ledger.take();
        assert!(runs.iter().all(|run| run.id == 7));
        assert_eq!(runs.into_iter().map(|run| run.server).collect::<Vec<_>>(), ran);
    }
    // The second time may do what the first one could not.
    let world = World::new();
    let _a = world.serve("a").await;
    world.network.next([Fault::CutReply(0)]);
    let decides = Decides::attempts(Decision::GoesTwice, usize::MAX);
    let client = connect(world.builder(&["a"]).interceptor(decides)).await;
    assert_eq!(client.once(1).await.unwrap(), 1);
    assert_eq!(world.network.dialed(), ["a", "a"]);
}

/// Takes the servers in turn, from the first on.
#[derive(Debug, Default)]
struct Turns(AtomicUsize);

impl Selector for Turns {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        self.0.fetch_add(1, Ordering::SeqCst).checked_rem(candidates.len())
    }
}

#[tokio::test(start_paused = true)]
async fn state_is_what_it_keeps_between_before_and_after() {
    struct Timing(Log);
    impl Interceptor for Timing {
        async fn call(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
            let begun = Instant::now();
            let result = next.run(request).await;
            self.0.write(format!("call {}", begun.elapsed().as_millis() / 10));
            result
        }

        async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
            let (begun, number) = (Instant::now(), request.attempt());
            let result = next.run(request).await;
            self.0.write(format!("attempt {number} {}", begun.elapsed().as_millis() / 10));
            result
        }
    }
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Never);
    servers[1].set(Mood::Slow(ms(302)));
    let log = Log::default();
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
    let builder = builder.attempt_timeout(ms(501)).retry_interval(ms(102));
    let client = connect(builder.interceptor(Timing(log.clone()))).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(log.take(), ["attempt 1 50", "attempt 2 30", "call 90"]);
}

/// Tells the others what it knows.
struct Tells(Log);

#[derive(Clone, Debug, PartialEq)]
struct Trace(u32);

impl Interceptor for Tells {
    async fn call(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        let extensions = request.extensions().clone();
        assert_eq!(extensions.get::<Trace>(), None, "each call has its own");
        extensions.insert(Trace(0));
        let result = next.run(request).await;
        self.0.write(format!("{:?}", extensions.remove::<Trace>()));
        assert_eq!(extensions.get::<Trace>(), None);
        result
    }
}

struct Counts;

impl Interceptor for Counts {
    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        let Trace(count) = request.extensions().get().expect("the call has it");
        let before = request.extensions().insert(Trace(count + 1));
        assert_eq!(before, Some(Trace(count)));
        next.run(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn extensions_are_shared_by_all_of_one_call() {
    let world = World::new();
    let _b = world.serve("b").await;
    let log = Log::default();
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
    let builder = builder.interceptor(Tells(log.clone())).interceptor(Counts);
    let client = connect(builder).await;
    client.once(1).await.unwrap();
    client.once(2).await.unwrap();
    assert_eq!(log.take(), ["Some(Trace(2))", "Some(Trace(1))"]);
}

/// Takes its time.
#[derive(Clone, Copy)]
struct Dawdles {
    before_call: u64,
    before_attempt: u64,
    after_attempt: u64,
}

impl Interceptor for Dawdles {
    async fn call(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        sleep(ms(self.before_call)).await;
        next.run(request).await
    }

    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        sleep(ms(self.before_attempt)).await;
        let result = next.run(request).await;
        sleep(ms(self.after_attempt)).await;
        result
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_is_that_of_its_interceptors_too() {
    let none = Dawdles { before_call: 0, before_attempt: 0, after_attempt: 0 };
    for (dawdles, executed, runs) in [
        (Dawdles { before_call: 500, ..none }, Executed::No, 0),
        (Dawdles { before_attempt: 500, ..none }, Executed::No, 0),
        (Dawdles { after_attempt: 500, ..none }, Executed::Maybe, 1),
    ] {
        let world = World::new();
        let _a = world.serve("a").await;
        let client = connect(world.builder(&["a"]).interceptor(dawdles)).await;
        let begun = Instant::now();
        let error = client.many(1).timeout(ms(300)).await.unwrap_err();
        assert!(
            matches!(error, Error::Timeout { after, executed: ran } if after == ms(300) && ran == executed),
            "{error:?}"
        );
        assert!((300..303).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        assert_eq!(world.ledger.take().len(), runs);
        // With more time it works.
        assert_eq!(client.many(1).timeout(secs(1)).await.unwrap(), 1);
        // The server hears what is left.
        let left = world.ledger.take()[0].left.unwrap();
        let expected = 1000 - dawdles.before_call - dawdles.before_attempt;
        assert!(left <= ms(expected) && left > ms(expected - 5), "{left:?} of {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_way_calls_and_started_ones_and_detailed_ones_pass_them() {
    let world = World::new();
    let _a = world.serve("a").await;
    let (recorder, log) = recorder("i");
    let client = connect(world.builder(&["a"]).interceptor(recorder)).await;
    client.note(1).await.unwrap();
    client.once(2).oneway().await.unwrap();
    assert_eq!(client.once(3).start().await.unwrap(), 3);
    let detailed = client.once(4).detailed().await;
    assert_eq!(detailed.result.unwrap(), 4);
    assert_eq!(detailed.address.map(|address| name_of(&address)), Some("a".to_owned()));
    assert_eq!(detailed.metadata.get("by"), Some("a"));
    settle().await;
    assert_eq!(world.ledger.take().len(), 4);
    let lines = log.take();
    let calls = lines.iter().filter(|line| line.starts_with("i call Work"));
    let expected = ["i call Work.Note", "i call Work.Once", "i call Work.Once", "i call Work.Once"];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
    assert_eq!(lines.iter().filter(|line| *line == "i call ends: a").count(), 4, "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_to_all_servers_is_one_call_at_each() {
    let world = World::new();
    let _servers = world.serve_all(["a", "b"]).await;
    let (recorder, log) = recorder("i");
    let client = connect(world.builder(&["a", "b", "c"]).interceptor(recorder)).await;
    let receipts = client.once(1).inform().await.unwrap();
    let results: Vec<_> = receipts.iter().map(|receipt| receipt.result.is_ok()).collect();
    assert_eq!(results, [true, true, false]);
    let mut lines = log.take();
    lines.sort();
    let expected = [
        "i attempt 1 at a",
        "i attempt 1 at b",
        "i attempt 1 at c",
        "i attempt ends: Connect",
        "i attempt ends: a",
        "i attempt ends: b",
        "i call Work.Once",
        "i call Work.Once",
        "i call Work.Once",
        "i call ends: Connect",
        "i call ends: a",
        "i call ends: b",
        "i connected to a",
        "i connected to b",
        "i not connected to c: Connect",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_them_where_they_wait() {
    struct Guarded(Log);
    impl Interceptor for Guarded {
        async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
            let _guard = Guard(self.0.clone());
            next.run(request).await
        }
    }
    struct Guard(Log);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.write("dropped".to_owned());
        }
    }
    let world = World::new();
    let server = world.serve("a").await;
    server.set(Mood::Never);
    let log = Log::default();
    let client = connect(world.builder(&["a"]).interceptor(Guarded(log.clone()))).await;
    let call = client.once(1).start();
    settle().await;
    assert_eq!(world.ledger.take().len(), 1);
    drop(call);
    settle().await;
    assert_eq!(log.take(), ["dropped"]);
    advance(secs(1)).await;
    assert_eq!(failure(client.once(2).timeout(ms(5)).await), ("Timeout", Executed::Maybe));
    assert_eq!(log.take(), ["dropped"]);
}

#[tokio::test(start_paused = true)]
async fn clients_without_a_registry_have_them_too() {
    let world = World::new();
    let _a = world.serve("a").await;
    let (recorder, log) = recorder("i");
    let builder = world.builder(&[]).interceptor(recorder);
    let client = builder.connect_to(&world.address("a")).await.unwrap();
    assert_eq!(log.take(), ["i connected to a"]);
    assert_eq!(client.once(1).await.unwrap(), 1);
    assert_eq!(log.take().len(), 4);
}

/// Panics whenever it hears of a connection.
struct Deaf;

impl Interceptor for Deaf {
    fn connected(&self, _: &Address) {
        panic!("a panic that the test asked for");
    }

    fn connect_failed(&self, _: &Address, _: &Error) {
        panic!("a panic that the test asked for");
    }

    fn disconnected(&self, _: &Address) {
        panic!("a panic that the test asked for");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_panics_at_the_news_of_connections_harms_none() {
    let world = World::new();
    let a = world.serve("a").await;
    let (recorder, log) = recorder("i");
    let builder = world.builder(&["a"]).fail_mode(FailMode::Failfast).interceptor(Deaf);
    let client = connect(builder.interceptor(recorder)).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    assert_eq!(client.once(1).await.unwrap(), 1);
    a.kill().await;
    world.network.closed("a").await;
    settle().await;
    assert!(tasks() < before, "nothing of the connection is left");
    assert_eq!(failure(client.once(2).await), ("Connect", Executed::No));
    let news: Vec<_> = log.take().into_iter().filter(|line| line.contains("connected")).collect();
    let expected = ["i connected to a", "i disconnected from a", "i not connected to a: Connect"];
    assert_eq!(news, expected);
}
