//! What may be executed again: every way in which an attempt can end, in every fail mode.
//!
//! The servers write down what they run, the network fails at one point of a request's life.

use std::time::Duration;

use rpcx::client::ClientBuilder;
use rpcx::protocol::{Decoded, Limits, Message};
use rpcx::{Executed, FailMode, Result, RetryRule};

use super::network::Fault;
use super::world::{
    Mood, Plain, Station, WorkClient, World, connect, failure, kind, ms, secs, settle, soon,
};

/// One way in which an attempt ends, and what the rule says of it.
#[derive(Clone, Debug)]
struct Row {
    fault: Fault,
    mood: Mood,
    timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    /// What the caller gets if it ends here.
    error: (&'static str, Executed),
    /// How often the method runs in such an attempt.
    runs: usize,
    again: Again,
}

/// Which calls are made again after it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Again {
    Nobody,
    Everybody,
    /// And at once, in every mode: no byte had left.
    Renewed,
    /// Idempotent ones, and those that are to run at least once.
    IfHarmless,
    /// Those that are to run at least once.
    IfToldSo,
}

impl Row {
    fn of(fault: Fault, error: (&'static str, Executed), runs: usize, again: Again) -> Self {
        let (timeout, attempt_timeout) = (None, None);
        Self { fault, mood: Mood::Well, timeout, attempt_timeout, error, runs, again }
    }
}

/// What the method may stand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Once,
    Many,
    Risk,
}

const MODES: [FailMode; 4] =
    [FailMode::Failtry, FailMode::Failover, FailMode::Failfast, FailMode::Failbackup];
const METHODS: [Method; 3] = [Method::Once, Method::Many, Method::Risk];

/// How far a fault goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extent {
    /// The first connection has it.
    First,
    /// All have it.
    All,
}

/// All cases of a test share the servers.
struct Cases {
    world: World,
    servers: [Station; 2],
    next: i64,
    /// So that a failure can be found.
    count: usize,
}

impl Cases {
    async fn new() -> Self {
        let world = World::new();
        let servers = world.serve_all(["a", "b"]).await;
        Self { world, servers, next: 100_000, count: 0 }
    }

    /// Gives the lengths of a request and of its reply, and where the reply's payload begins.
    async fn lengths(&mut self) -> (usize, usize, usize) {
        let client = connect(self.world.builder(&["a"])).await;
        client.once(99_999).await.unwrap();
        self.world.ledger.take();
        self.world.network.dialed();
        let reply = self.world.network.last_reply();
        let mut bytes = bytes::BytesMut::from(&reply[..]);
        let Ok(Decoded::Message(message)) = Message::decode(&mut bytes, &Limits::default()) else {
            panic!("a reply")
        };
        let length = reply.len();
        (self.world.network.last_request(), length, length - message.payload().len())
    }

    /// Makes every call there is for this row, and looks whether the rule holds.
    async fn check(&mut self, row: &Row, extents: &[Extent]) {
        for server in &self.servers {
            server.set(row.mood.clone());
        }
        for extent in extents.iter().copied() {
            for mode in MODES {
                for method in METHODS {
                    for wrapped in [false, true] {
                        self.check_one(row, extent, mode, method, wrapped).await;
                    }
                }
            }
        }
    }

    async fn check_one(
        &mut self,
        row: &Row,
        extent: Extent,
        mode: FailMode,
        method: Method,
        wrapped: bool,
    ) {
        self.next += 1;
        self.count += 1;
        let network = &self.world.network;
        match extent {
            Extent::First => network.next([row.fault]),
            Extent::All => network.always(row.fault),
        }
        let builder = self.builder(row).fail_mode(mode);
        let builder = if wrapped { builder.interceptor(Plain) } else { builder };
        let client = connect(builder).await;
        let result = soon(call(&client, method, self.next)).await;
        settle().await;
        let case = format!("{row:?} {extent:?} {mode} {method:?} wrapped={wrapped}");

        let runs = self.world.ledger.take();
        assert!(runs.iter().all(|run| run.id == self.next), "{case}: a run that nobody asked for");
        let ran = runs.len();
        if method == Method::Once {
            assert!(ran <= 1, "{case}: ran {ran} times");
        }
        let dialed = network.dialed();
        if mode == FailMode::Failbackup && method == Method::Once {
            assert_eq!(failure(result), ("NotExecuted", Executed::No), "{case}");
            assert_eq!((ran, dialed.len()), (0, 0), "{case}");
        } else {
            let harmless = method != Method::Once;
            let repeats = match row.again {
                Again::Nobody => false,
                Again::Everybody | Again::Renewed => true,
                Again::IfHarmless => harmless,
                Again::IfToldSo => method == Method::Risk,
            };
            let repeats = repeats && mode != FailMode::Failfast;
            let renews = row.again == Again::Renewed;
            // A connection that is not lost is used again.
            let lasts = extent == Extent::All
                || mode == FailMode::Failtry && matches!(row.fault, Fault::Silent);
            let succeeds = !lasts && (repeats || renews);
            // The first and three more, as by default; one that is renewed is not counted.
            let failed = if lasts && repeats { 4 } else { 1 };
            let expected = row.runs * failed + usize::from(succeeds);
            match result {
                Ok(reply) => assert!(succeeds && reply == self.next, "{case}: {reply}"),
                Err(error) => {
                    assert!(!succeeds, "{case}: {error:?}");
                    let (what, executed) = kind(&error);
                    // A dial goes on behind an attempt's back, and may end one that comes later.
                    let ended = matches!(row.fault, Fault::NoAnswer) && what == "Connect";
                    let what = if ended { row.error.0 } else { what };
                    assert_eq!((what, executed), row.error, "{case}");
                }
            }
            assert_eq!(ran, expected, "{case}");
            let same = dialed.windows(2).all(|pair| pair[0] == pair[1]);
            assert!(mode != FailMode::Failtry || same, "{case}: {dialed:?}");
        }
        let network = &self.world.network;
        network.always(Fault::None);
        network.clear();
    }

    fn builder(&self, row: &Row) -> ClientBuilder<WorkClient> {
        // A second request is another matter: see `failbackup`.
        let mut builder = self.world.builder(&["a", "b"]).backup_latency(secs(3600));
        if let Some(timeout) = row.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(timeout) = row.attempt_timeout {
            builder = builder.attempt_timeout(timeout);
        }
        builder
    }
}

async fn call(client: &WorkClient, method: Method, id: i64) -> Result<i64> {
    match method {
        Method::Once => client.once(id).await,
        Method::Many => client.many(id).await,
        Method::Risk => client.risk(id).await,
    }
}

const BOTH: [Extent; 2] = [Extent::First, Extent::All];
const LOST: (&str, Executed) = ("ConnectionLost", Executed::Maybe);

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_reached_ran_nothing() {
    let mut cases = Cases::new().await;
    let refused = ("Connect", Executed::No);
    for fault in [Fault::Refused, Fault::NoAnswer] {
        cases.check(&Row::of(fault, refused, 0, Again::Everybody), &BOTH).await;
    }
    let too_late = ("Timeout", Executed::No);
    let row = Row::of(Fault::NoAnswer, too_late, 0, Again::Everybody);
    cases.check(&Row { attempt_timeout: Some(ms(500)), ..row.clone() }, &BOTH).await;
    let row = Row { timeout: Some(ms(500)), again: Again::Nobody, ..row };
    cases.check(&row, &BOTH).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_cut_may_have_run_from_its_first_byte_on() {
    let mut cases = Cases::new().await;
    let (length, ..) = cases.lengths().await;
    assert!((40..100).contains(&length), "{length}");
    let none = ("ConnectionLost", Executed::No);
    for cut in [Fault::CutRequest as fn(usize) -> Fault, Fault::StuckRequest] {
        cases.check(&Row::of(cut(0), none, 0, Again::Renewed), &BOTH).await;
        for after in 1..length {
            // All of them break alike; a few are enough for that.
            let extents = if after % 16 == 1 { &BOTH[..] } else { &BOTH[..1] };
            cases.check(&Row::of(cut(after), LOST, 0, Again::IfHarmless), extents).await;
        }
    }
    assert!(cases.count > 48 * length, "{}", cases.count);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_its_whole_reply_may_have_run() {
    let mut cases = Cases::new().await;
    let (_, length, _) = cases.lengths().await;
    assert!((30..100).contains(&length), "{length}");
    for after in 0..length {
        let extents = if after % 16 == 0 { &BOTH[..] } else { &BOTH[..1] };
        let row = Row::of(Fault::CutReply(after), LOST, 1, Again::IfHarmless);
        cases.check(&row, extents).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_makes_no_sense_is_of_a_call_that_ran() {
    let mut cases = Cases::new().await;
    let (_, _, payload) = cases.lengths().await;
    // A byte that begins nothing in MessagePack.
    let undecodable = Fault::Corrupt { at: payload, byte: 0xc1 };
    let row = Row::of(undecodable, ("Decode", Executed::Yes), 1, Again::Nobody);
    cases.check(&row, &BOTH).await;
    let no_message = Fault::Corrupt { at: 0, byte: 0xff };
    let row = Row::of(no_message, ("Protocol", Executed::Maybe), 1, Again::IfToldSo);
    cases.check(&row, &BOTH).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_service_answers_is_final() {
    let mut cases = Cases::new().await;
    let row = Row::of(Fault::None, ("Service", Executed::Yes), 1, Again::Nobody);
    for mood in [Mood::Fails, Mood::Panics] {
        let row = Row { mood, ..row.clone() };
        cases.check(&row, &[Extent::All]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_out_of_time_is_over_and_an_attempt_need_not_be() {
    let mut cases = Cases::new().await;
    let too_late = ("Timeout", Executed::Maybe);
    let row = Row::of(Fault::Silent, too_late, 1, Again::Nobody);
    cases.check(&Row { timeout: Some(ms(500)), ..row.clone() }, &BOTH).await;
    let row = Row { attempt_timeout: Some(ms(500)), again: Again::IfHarmless, ..row };
    cases.check(&row, &BOTH).await;
}

/// The same as above for requests that the writer's task sends, as another call is on its way.
#[tokio::test(start_paused = true)]
async fn a_request_behind_another_one_is_cut_in_the_same_way() {
    let mut cases = Cases::new().await;
    let (length, ..) = cases.lengths().await;
    let network = cases.world.network.clone();
    for cut in [Fault::CutRequest as fn(usize) -> Fault, Fault::StuckRequest] {
        for after in 0..length {
            for method in METHODS {
                for server in &cases.servers {
                    server.set(Mood::Never);
                }
                network.next([cut(length + after)]);
                let client = connect(cases.world.builder(&["a", "b"])).await;
                let first = client.once(100_000).start();
                settle().await;
                assert_eq!(cases.world.ledger.take().len(), 1);
                for server in &cases.servers {
                    server.set(Mood::Well);
                }
                let result = soon(call(&client, method, 100_001)).await;
                let case = format!("{after} {method:?}");
                assert_eq!(failure(soon(first).await), LOST, "{case}");
                let ran = cases.world.ledger.take().len();
                if after == 0 || method != Method::Once {
                    assert_eq!((result.ok(), ran), (Some(100_001), 1), "{case}");
                } else {
                    assert_eq!((failure(result), ran), (LOST, 0), "{case}");
                }
                network.clear();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_rule_may_be_the_calls_or_the_builders() {
    let mut cases = Cases::new().await;
    let world = cases.world.clone();
    for (own, builder, runs) in [
        (None, None, 1),
        (None, Some(RetryRule::AtLeastOnce), 2),
        (Some(RetryRule::AtLeastOnce), None, 2),
        (Some(RetryRule::Safe), Some(RetryRule::AtLeastOnce), 1),
    ] {
        cases.next += 1;
        world.network.next([Fault::CutReply(0)]);
        let mut client = world.builder(&["a", "b"]);
        if let Some(rule) = builder {
            client = client.retry(rule);
        }
        let client = connect(client).await;
        let mut call = client.once(cases.next);
        if let Some(rule) = own {
            call = call.retry(rule);
        }
        let result = call.await;
        assert_eq!(world.ledger.take().len(), runs, "{own:?} {builder:?}");
        assert_eq!(result.is_ok(), runs == 2, "{own:?} {builder:?}");
    }
    // The attribute counts less than both.
    world.network.next([Fault::CutReply(0)]);
    let client = connect(world.builder(&["a", "b"])).await;
    assert_eq!(failure(client.risk(1).retry(RetryRule::Safe).await), LOST);
    assert_eq!(world.ledger.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_turn_has_not_run() {
    let world = World::new();
    let [server] = world.serve_all(["a"]).await;
    server.set(Mood::Never);
    for mode in MODES {
        for wrapped in [false, true] {
            let builder = world.builder(&["a"]).max_in_flight(1).fail_mode(mode);
            let builder = if wrapped { builder.interceptor(Plain) } else { builder };
            let client = connect(builder).await;
            let _first = client.many(1).start();
            settle().await;
            let result = client.many(2).timeout(secs(1)).await;
            assert_eq!(failure(result), ("Timeout", Executed::No), "{mode} {wrapped}");
            assert_eq!(world.ledger.take().len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_waits_too_long_for_its_turn_is_made_elsewhere() {
    for wrapped in [false, true] {
        let world = World::new();
        let [a, _b] = world.serve_all(["a", "b"]).await;
        a.set(Mood::Never);
        let builder = world.builder(&["a", "b"]).max_in_flight(1).fail_mode(FailMode::Failover);
        let builder = if wrapped { builder.interceptor(Plain) } else { builder };
        let client = connect(builder.attempt_timeout(ms(500))).await;
        let _first = client.once(1).attempt_timeout(secs(3600)).start();
        settle().await;
        assert_eq!(client.once(2).await.unwrap(), 2);
        assert_eq!(world.ledger.servers(), ["a", "b"]);
    }
}
