//! What a server's ready-made interceptors let through.
#![cfg(feature = "macros")]

mod support;

use std::time::Duration;

use rpcx::client::Channel;
use rpcx::reflection::MethodInfo;
use rpcx::server::interceptor::{AddressFilter, Aliases, ConcurrencyLimit};
use rpcx::{Client as _, Error, Executed, Server};

use support::{Answer, Args, Event, Frame, Probe, Raw, Reply, Running, Tester, Text, pack, soon};

fn arith() -> Server {
    Server::new().add(Tester::service())
}

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

fn waited(seq: u64, name: &str) -> Answer {
    Answer::ok(seq, pack(&Text::new(name)))
}

#[tokio::test]
async fn an_address_filter_admits_by_the_clients_address() {
    let allow = AddressFilter::allow(["127.0.0.1"]).unwrap();
    let deny = AddressFilter::deny(["10.0.0.0/8"]).unwrap();
    let server = arith().interceptor(allow.clone()).interceptor(deny.clone());
    let running = Running::on_tcp(server).await;
    let mut first = Raw::connect(running.address()).await;
    first.expect_serves().await;
    deny.add("127.0.0.0/8").unwrap();
    Raw::connect(running.address()).await.expect_end().await;
    first.expect_serves().await;
    deny.remove("127.0.0.0/8").unwrap();
    Raw::connect(running.address()).await.expect_serves().await;
    allow.replace(["10.1.2.3"]).unwrap();
    Raw::connect(running.address()).await.expect_end().await;
    first.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_an_address_is_on_no_list() {
    let everybody = ["0.0.0.0/0", "::/0"];
    let denied = Running::in_memory(arith().interceptor(AddressFilter::deny(everybody).unwrap()));
    Raw::connect(denied.await.address()).await.expect_serves().await;
    let allowed = Running::in_memory(arith().interceptor(AddressFilter::allow(everybody).unwrap()));
    Raw::connect(allowed.await.address()).await.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn aliases_lead_to_the_real_methods_and_can_be_changed() {
    let aliases = Aliases::new();
    aliases.add_service("Calculator", "Arith");
    aliases.add_method("Calculator", "Times", "Arith", "Mul");
    aliases.add_method("Arith", "Mul", "Arith", "Nope");
    let running = Running::in_memory(arith().interceptor(aliases.clone())).await;
    let mut raw = Raw::connect(running.address()).await;
    let named = |seq, service: &str, method: &str| Frame {
        path: service.into(),
        method: method.into(),
        ..Frame::mul(seq)
    };
    assert_eq!(raw.call(&named(1, "Calculator", "Times")).await, Answer::forty_two(1));
    // One step, not two.
    assert_eq!(raw.call(&named(2, "Calculator", "Mul")).await, Answer::forty_two(2));
    let leads_away = Answer::error(3, "rpcx: can't find method Mul");
    assert_eq!(raw.call(&Frame::mul(3)).await, leads_away);
    aliases.remove_method("Arith", "Mul");
    aliases.remove_method("Calculator", "Times");
    assert_eq!(raw.call(&Frame::mul(4)).await, Answer::forty_two(4));
    let gone = Answer::error(5, "rpcx: can't find method Times");
    assert_eq!(raw.call(&named(5, "Calculator", "Times")).await, gone);
    aliases.remove_service("Calculator");
    let gone = Answer::error(6, "rpcx: can't find service Calculator");
    assert_eq!(raw.call(&named(6, "Calculator", "Mul")).await, gone);
}

async fn limited(limit: ConcurrencyLimit) -> (Running, Raw, Probe) {
    let (service, probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service).interceptor(limit)).await;
    let raw = Raw::connect(running.address()).await;
    (running, raw, probe)
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_a_methods_limit_are_refused_and_those_of_others_are_not() {
    let limit = ConcurrencyLimit::new().method("Arith", "Wait", 2);
    let (_running, mut raw, mut probe) = limited(limit).await;
    for (seq, name) in [(1, "a"), (2, "b")] {
        raw.send(&wait(seq, name)).await;
        assert_eq!(probe.event().await, Event::started(name));
    }
    let refused = Answer::refused(3, "too many calls of Arith.Wait are running");
    assert_eq!(raw.call(&wait(3, "c")).await, refused);
    raw.expect_serves().await;
    probe.open("a");
    assert_eq!(raw.answer().await, waited(1, "a"));
    assert_eq!(probe.event().await, Event::finished("a"));
    raw.send(&wait(4, "d")).await;
    assert_eq!(probe.event().await, Event::started("d"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_gives_its_place_back() {
    let limit = ConcurrencyLimit::new().total(1).per_method(1);
    let (running, mut raw, mut probe) = limited(limit).await;
    raw.send(&wait(1, "a")).await;
    assert_eq!(probe.event().await, Event::started("a"));
    let mut other = Raw::connect(running.address()).await;
    let refused = Answer::refused(1, "too many calls of this server are running");
    assert_eq!(other.call(&Frame::mul(1)).await, refused);
    drop(raw);
    assert_eq!(probe.event().await, Event::dropped("a"));
    other.expect_serves().await;
    // A method that is not there counts as a whole, and has no limit of its own.
    let unknown = Frame { method: b"Nope".to_vec(), ..Frame::mul(2) };
    assert_eq!(other.call(&unknown).await, Answer::error(2, "rpcx: can't find method Nope"));
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_a_place_so_long_and_so_many() {
    let limit = ConcurrencyLimit::new().per_method(1).wait(Duration::from_secs(1), 1);
    let (_running, mut raw, mut probe) = limited(limit).await;
    raw.send(&wait(1, "a")).await;
    assert_eq!(probe.event().await, Event::started("a"));
    raw.send(&wait(2, "b")).await;
    let refused = |seq| Answer::refused(seq, "too many calls of Arith.Wait are running");
    let begun = tokio::time::Instant::now();
    assert_eq!(raw.call(&wait(3, "c")).await, refused(3));
    assert_eq!(begun.elapsed(), Duration::ZERO, "one waits already");
    assert_eq!(raw.answer().await, refused(2));
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
    raw.send(&wait(4, "d")).await;
    probe.open("a");
    assert_eq!(raw.answer().await, waited(1, "a"));
    assert_eq!(probe.event().await, Event::finished("a"));
    assert_eq!(probe.event().await, Event::started("d"));
}

#[tokio::test(start_paused = true)]
async fn a_client_of_this_crate_knows_that_a_refused_call_did_not_run() {
    static MUL: MethodInfo = MethodInfo::new("Arith", "Mul");
    let limit = ConcurrencyLimit::new().total(1);
    let (running, mut raw, mut probe) = limited(limit).await;
    raw.send(&wait(1, "a")).await;
    assert_eq!(probe.event().await, Event::started("a"));
    let channel = Channel::connect_to(running.address()).await.unwrap();
    let args = Args { a: 6, b: 7 };
    let call = channel.call::<_, Reply>(&MUL, &args).retries(0);
    let error = soon(call.into_future()).await.unwrap_err();
    assert!(matches!(error, Error::NotExecuted { .. }), "{error:?}");
    assert_eq!(error.executed(), Executed::No);
    // It is tried again by itself, and by then there is room.
    let call = channel.call::<_, Reply>(&MUL, &args).retries(3).start();
    probe.open("a");
    assert_eq!(raw.answer().await, waited(1, "a"));
    assert_eq!(soon(call).await.unwrap(), Reply { c: 42 });
}

#[tokio::test]
async fn so_many_connections_may_be_open_from_one_address() {
    let limit = ConcurrencyLimit::new().connections_per_address(2);
    let running = Running::on_tcp(arith().interceptor(limit)).await;
    let mut first = Raw::connect(running.address()).await;
    first.expect_serves().await;
    let mut second = Raw::connect(running.address()).await;
    second.expect_serves().await;
    Raw::connect(running.address()).await.expect_end().await;
    second.expect_serves().await;
    first.finish().await;
    first.expect_end().await;
    // The server closes its end before it forgets the connection.
    let again = async {
        loop {
            let mut again = Raw::connect(running.address()).await;
            if again.serves().await {
                return again;
            }
        }
    };
    let mut again = soon(again).await;
    Raw::connect(running.address()).await.expect_end().await;
    again.expect_serves().await;
}

#[cfg(feature = "rate-limit")]
mod rates {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::{Arc, Mutex};

    use rpcx::server::interceptor::{ConnectionInfo, Interceptor, Rate, RateLimit};
    use rpcx::transport::{Accept, AcceptFuture, Duplex, Listener};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::sync::mpsc;

    use super::*;

    fn refused(seq: u64, what: &str, milliseconds: u32) -> Answer {
        let text = format!("request reached rate limit: {what}, again in {milliseconds} ms");
        let mut answer = Answer::refused(seq, &text);
        answer.metadata.insert("retry-after-ms".to_owned(), milliseconds.to_string());
        answer
    }

    async fn running(limit: RateLimit) -> (Running, Raw) {
        let running = Running::in_memory(arith().interceptor(limit)).await;
        let raw = Raw::connect(running.address()).await;
        (running, raw)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_a_rate_are_refused_and_told_when_to_come_again() {
        let limit = RateLimit::new().calls(Rate::per_second(10).burst(2));
        let (running, mut raw) = running(limit).await;
        let mut other = Raw::connect(running.address()).await;
        assert_eq!(raw.call(&Frame::mul(1)).await, Answer::forty_two(1));
        assert_eq!(other.call(&Frame::mul(2)).await, Answer::forty_two(2));
        let what = "calls of this server";
        assert_eq!(raw.call(&Frame::mul(3)).await, refused(3, what, 100));
        tokio::time::advance(Duration::from_millis(60)).await;
        assert_eq!(other.call(&Frame::mul(4)).await, refused(4, what, 40));
        tokio::time::advance(Duration::from_millis(40)).await;
        assert_eq!(raw.call(&Frame::mul(5)).await, Answer::forty_two(5));
    }

    #[tokio::test(start_paused = true)]
    async fn each_method_has_a_rate_of_its_own() {
        let limit = RateLimit::new().calls_per_method(Rate::per_second(1));
        let limit = limit.method("Arith", "Echo", Rate::per_second(2));
        let (_running, mut raw) = running(limit).await;
        for seq in [1, 2] {
            assert_eq!(raw.call(&Frame::echo(seq, "x")).await, Answer::ok(seq, "x"));
        }
        assert_eq!(raw.call(&Frame::echo(3, "x")).await, refused(3, "calls of Arith.Echo", 500));
        assert_eq!(raw.call(&Frame::mul(4)).await, Answer::forty_two(4));
        assert_eq!(raw.call(&Frame::mul(5)).await, refused(5, "calls of Arith.Mul", 1000));
        for seq in 6..9 {
            let unknown = Frame { method: format!("Nope{seq}").into(), ..Frame::mul(seq) };
            let text = format!("rpcx: can't find method Nope{seq}");
            assert_eq!(raw.call(&unknown).await, Answer::error(seq, &text));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_for_its_turn_if_that_comes_soon_enough() {
        let limit = RateLimit::new().calls(Rate::per_second(1).burst(1));
        let (_running, mut raw) = running(limit.wait(Duration::from_millis(1500))).await;
        let begun = tokio::time::Instant::now();
        for seq in 1..=3 {
            assert_eq!(raw.call(&Frame::mul(seq)).await, Answer::forty_two(seq));
        }
        // tokio's timers are of whole milliseconds.
        assert!(begun.elapsed().abs_diff(Duration::from_secs(2)) < Duration::from_millis(5));
        for seq in 4..=6 {
            raw.send(&Frame::mul(seq)).await;
        }
        let mut answers = [raw.answer().await, raw.answer().await, raw.answer().await];
        answers.sort_by_key(|answer| answer.result.is_ok());
        assert_eq!(answers.iter().filter(|answer| answer.result.is_ok()).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_wait_have_their_turns_one_after_the_other() {
        let limit = RateLimit::new().calls_per_method(Rate::per_second(1).burst(1));
        let (_running, mut raw) = running(limit.wait(Duration::from_millis(2500))).await;
        let begun = tokio::time::Instant::now();
        for seq in 1..=5 {
            raw.send(&Frame::mul(seq)).await;
        }
        assert_eq!(raw.answer().await, Answer::forty_two(1));
        // Two wait: the next ones would have to wait too long, and are told so at once.
        let what = "calls of Arith.Mul";
        assert_eq!(raw.answer().await, refused(4, what, 3000));
        assert_eq!(raw.answer().await, refused(5, what, 3000));
        assert!(begun.elapsed().is_zero());
        for seq in [2, 3] {
            assert_eq!(raw.answer().await, Answer::forty_two(seq));
            let late = begun.elapsed().abs_diff(Duration::from_secs(seq - 1));
            assert!(late < Duration::from_millis(5), "{seq}: {:?}", begun.elapsed());
        }
    }

    /// Accepts connections from whatever address the test says.
    struct Addressed(mpsc::UnboundedReceiver<(SocketAddr, DuplexStream)>);

    impl std::fmt::Debug for Addressed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Addressed")
        }
    }

    impl Accept for Addressed {
        fn local_address(&self) -> std::io::Result<rpcx::Address> {
            "memory@addressed".parse().map_err(std::io::Error::other)
        }

        fn accept(&mut self) -> AcceptFuture<'_> {
            Box::pin(async {
                let Some((peer, stream)) = self.0.recv().await else {
                    return std::future::pending().await;
                };
                Ok(Duplex { peer: Some(peer), ..Duplex::of(stream) })
            })
        }
    }

    /// Clients of a server, each from an address of its own.
    struct Clients(mpsc::UnboundedSender<(SocketAddr, DuplexStream)>);

    impl Clients {
        fn of(server: Server) -> Self {
            let (sender, receiver) = mpsc::unbounded_channel();
            let listener = Listener::Own(Box::new(Addressed(receiver)));
            tokio::spawn(server.without_registry().bind_to(listener).unwrap().serve());
            Self(sender)
        }

        fn connect(&self, address: u32) -> DuplexStream {
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            let peer = SocketAddr::new(Ipv4Addr::from(address).into(), 1);
            self.0.send((peer, theirs)).unwrap();
            ours
        }

        /// Tells whether a connection from there serves a call.
        async fn calls(&self, address: u32) -> bool {
            let mut stream = self.connect(address);
            let _ = stream.write_all(&Frame::mul(1).encode()).await;
            let mut answer = [0; 16];
            if soon(stream.read_exact(&mut answer)).await.is_err() {
                return false;
            }
            // The lowest bit of the third byte: an error.
            answer[2] & 1 == 0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_limited_by_address_and_in_all() {
        let limit = RateLimit::new().connections_per_address(Rate::per_second(1));
        let clients = Clients::of(arith().interceptor(limit.connections(Rate::per_second(3))));
        assert!(clients.calls(1).await);
        assert!(!clients.calls(1).await, "one a second from one address");
        assert!(clients.calls(2).await);
        assert!(clients.calls(3).await);
        assert!(!clients.calls(4).await, "three a second in all");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(clients.calls(1).await);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_limited_by_address_and_few_addresses_are_remembered() {
        let rate = Rate::new(1, Duration::from_secs(60));
        let limit = RateLimit::new().addresses(2).calls_per_address(rate);
        let clients = Clients::of(arith().interceptor(limit));
        assert!(clients.calls(1).await);
        assert!(!clients.calls(1).await);
        assert!(clients.calls(2).await);
        assert!(clients.calls(3).await, "the first of those that share a count");
        assert!(!clients.calls(4).await);
        assert!(!clients.calls(2).await);
        tokio::time::advance(Duration::from_secs(121)).await;
        for address in [4, 2] {
            assert!(clients.calls(address).await);
        }
    }

    /// Counts refusals.
    #[derive(Clone, Default)]
    struct Refusals(Arc<Mutex<Vec<String>>>);

    impl Interceptor for Refusals {
        fn refused(&self, connection: &ConnectionInfo, why: &str) {
            self.0.lock().unwrap().push(format!("{}: {why}", connection.peer().unwrap().ip()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn others_hear_of_a_refused_connection() {
        let refusals = Refusals::default();
        let limit = RateLimit::new().connections_per_address(Rate::per_second(1));
        let server = arith().interceptor(limit).interceptor(refusals.clone());
        let clients = Clients::of(server);
        assert!(clients.calls(7).await);
        assert!(!clients.calls(7).await);
        let seen = refusals.0.lock().unwrap().clone();
        assert_eq!(seen, ["0.0.0.7: too many connections from its address"]);
    }
}
