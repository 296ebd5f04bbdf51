//! The steps in which a server stops, how long each may take, and what is told of them.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rpcx::registry::{
    Announcement, Discover, InProcess, MultipleServers, Register, Registration, RegistrationState,
    Snapshot,
};
use rpcx::server::DrainReport;
use rpcx::transport::{Connector as _, NetworkConnector};
use rpcx::{Address, Instance, Server};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use support::{
    Answer, Event, Frame, Probe, Raw, Running, Tester, Text, memory_address, pack, soon,
};

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

fn waited(seq: u64, name: &str) -> Answer {
    Answer::ok(seq, pack(&Text::new(name)))
}

/// A server in memory, and a connection on which the call 1, `running`, waits.
async fn waiting(server: Server) -> (Running, Raw, Probe) {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(server.add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "running")).await;
    assert_eq!(probe.event().await, Event::started("running"));
    (running, raw, probe)
}

async fn report(stopping: JoinHandle<DrainReport>) -> DrainReport {
    soon(stopping).await.expect("the server has no panic")
}

/// Tells whether a server takes connections at this address.
async fn listens(address: &str) -> bool {
    let address: Address = address.parse().unwrap();
    soon(NetworkConnector::new().connect(&address)).await.is_ok()
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test(start_paused = true)]
async fn the_report_counts_what_was_running_and_what_came_late() {
    let (running, mut raw, mut probe) = waiting(Server::new()).await;
    // Over before the end begins: nobody counts it.
    raw.expect_serves().await;
    raw.send(&wait(2, "oneway").oneway()).await;
    assert_eq!(probe.event().await, Event::started("oneway"));
    let begun = Instant::now();
    let server = running.stop();
    raw.expect_silence().await;
    raw.expect_serves().await;
    raw.send(&wait(3, "late")).await;
    assert_eq!(probe.event().await, Event::started("late"));
    probe.open("oneway");
    for (seq, name) in [(1, "running"), (3, "late")] {
        probe.open(name);
        assert_eq!(raw.answer().await, waited(seq, name));
    }
    let report = report(server).await;
    assert_eq!((report.served(), report.cut(), report.cut_connections()), (4, 0, 0));
    assert_eq!(report.took(), begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_report_counts_what_was_cut() {
    for time in [ms(10_000), ms(100), Duration::ZERO] {
        let (running, mut raw, mut probe) = waiting(Server::new().shutdown_timeout(time)).await;
        raw.send(&wait(2, "oneway").oneway()).await;
        assert_eq!(probe.event().await, Event::started("oneway"));
        let begun = Instant::now();
        let report = report(running.stop()).await;
        assert_eq!((report.served(), report.cut(), report.cut_connections()), (0, 2, 1));
        assert!(begun.elapsed() >= time && begun.elapsed() <= time + ms(100), "{report:?}");
        raw.expect_end().await;
        let mut ends = [probe.event().await, probe.event().await];
        ends.sort();
        assert_eq!(ends, [Event::dropped("oneway"), Event::dropped("running")]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_gives_up_is_neither_served_nor_cut() {
    let (running, raw, mut probe) = waiting(Server::new()).await;
    let server = running.stop();
    tokio::time::sleep(ms(10)).await;
    drop(raw);
    assert_eq!(probe.event().await, Event::dropped("running"));
    let report = report(server).await;
    assert_eq!((report.served(), report.cut(), report.cut_connections()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_shortly_after_the_time_is_answered() {
    let (running, mut raw, probe) = waiting(Server::new().shutdown_timeout(ms(1_000))).await;
    let begun = Instant::now();
    let server = running.stop();
    sleep_until(begun + ms(1_020)).await;
    probe.open("running");
    assert_eq!(raw.answer().await, waited(1, "running"));
    raw.expect_end().await;
    let report = report(server).await;
    assert_eq!((report.served(), report.cut(), report.took()), (1, 0, ms(1_020)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_when_the_time_is_over() {
    let (running, mut raw, mut probe) = waiting(Server::new().shutdown_timeout(ms(1_000))).await;
    let begun = Instant::now();
    let server = running.stop();
    sleep_until(begun + ms(1_010)).await;
    raw.send(&wait(2, "late")).await;
    let report = report(server).await;
    assert_eq!((report.served(), report.cut()), (0, 1));
    assert_eq!(probe.seen(), [Event::dropped("running")]);
}

/// Where servers are written down; taking an entry out takes as long as told.
#[derive(Clone, Debug)]
struct Board {
    state: RegistrationState,
    withdrawal: Withdrawal,
    withdrawn: Arc<Mutex<Option<Instant>>>,
}

#[derive(Clone, Copy, Debug)]
enum Withdrawal {
    AtOnce,
    Never,
    Panics,
}

impl Board {
    fn new(withdrawal: Withdrawal) -> Self {
        let state = RegistrationState::Registered;
        Self { state, withdrawal, withdrawn: Arc::default() }
    }

    fn withdrawn(&self) -> Option<Instant> {
        *self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Discover for Board {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        watch::channel(Snapshot::live(Vec::<Instance>::new())).1
    }
}

impl Register for Board {
    fn register(&self, _: &str, _: Announcement) -> Registration {
        let (withdrawal, withdrawn) = (self.withdrawal, Arc::clone(&self.withdrawn));
        let (_, state) = watch::channel(self.state.clone());
        Registration::with_withdraw(state, move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
            *withdrawn.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            match withdrawal {
                Withdrawal::AtOnce => Box::pin(std::future::ready(())),
                Withdrawal::Never => Box::pin(std::future::pending()),
                Withdrawal::Panics => Box::pin(async { panic!("the board fell down") }),
            }
        })
    }
}

/// Stops a server that is registered; gives how long it let clients in.
async fn let_in_for(server: Server, clients: &[u64]) -> Duration {
    let (service, _probe) = Tester::gated();
    let running = Running::in_memory(server.add(service)).await;
    let address = running.address().to_owned();
    Raw::connect(&address).await.expect_serves().await;
    let begun = Instant::now();
    let server = running.stop();
    for at in clients {
        sleep_until(begun + ms(*at)).await;
        // Whoever comes is served.
        Raw::connect(&address).await.expect_serves().await;
    }
    let took = report(server).await.took();
    assert!(!listens(&address).await);
    took
}

#[tokio::test(start_paused = true)]
async fn a_registered_server_lets_clients_in_until_none_has_come_for_a_second() {
    let server = || Server::new().registry(Board::new(Withdrawal::AtOnce));
    assert_eq!(let_in_for(server(), &[]).await, ms(1_000));
    assert_eq!(let_in_for(server(), &[400]).await, ms(1_400));
    // Two seconds are the most, however many come.
    assert_eq!(let_in_for(server(), &[400, 800, 1_200, 1_600, 1_999]).await, ms(2_000));
    let longer = || server().propagation(ms(4_000));
    assert_eq!(let_in_for(longer(), &[900, 1_800, 2_700]).await, ms(3_700));
    assert_eq!(let_in_for(server().propagation(ms(300)), &[200]).await, ms(300));
    assert_eq!(let_in_for(server().propagation(Duration::ZERO), &[]).await, Duration::ZERO);
    // Calls have half of the time.
    let short = || server().shutdown_timeout(ms(1_000));
    assert_eq!(let_in_for(short(), &[]).await, ms(500));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_nobody_finds_in_a_registry_does_not_wait() {
    let nowhere = MultipleServers::new(["memory@nowhere"]).unwrap();
    assert_eq!(let_in_for(Server::new().registry(nowhere), &[]).await, Duration::ZERO);
    assert_eq!(let_in_for(Server::new().registry(InProcess), &[]).await, Duration::ZERO);
    for state in [
        RegistrationState::Pending { error: None },
        RegistrationState::Refused { error: "no".into() },
    ] {
        let board = Board { state, ..Board::new(Withdrawal::AtOnce) };
        assert_eq!(let_in_for(Server::new().registry(board), &[]).await, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_hangs_or_panics_does_not_keep_a_server() {
    let hangs = || Server::new().registry(Board::new(Withdrawal::Never));
    assert_eq!(let_in_for(hangs(), &[]).await, ms(3_000));
    assert_eq!(let_in_for(hangs().shutdown_timeout(ms(1_000)), &[]).await, ms(500));
    assert_eq!(let_in_for(hangs().shutdown_timeout(Duration::ZERO), &[]).await, Duration::ZERO);
    let panics = Server::new().registry(Board::new(Withdrawal::Panics));
    assert_eq!(let_in_for(panics, &[]).await, ms(1_000));
}

#[tokio::test(start_paused = true)]
async fn all_steps_together_have_the_time_that_the_server_was_told() {
    for seconds in [1, 3, 10] {
        let time = Duration::from_secs(seconds);
        let board = Board::new(Withdrawal::Never);
        let server = Server::new().registry(board.clone()).shutdown_timeout(time);
        let (running, _raw, mut probe) = waiting(server).await;
        let begun = Instant::now();
        let report = report(running.stop()).await;
        assert_eq!(board.withdrawn(), Some(begun));
        assert_eq!(report.cut(), 1);
        assert!(begun.elapsed() >= time && begun.elapsed() <= time + ms(100), "{report:?}");
        assert_eq!(probe.event().await, Event::dropped("running"));
    }
}

#[tokio::test(start_paused = true)]
async fn entries_go_first_then_clients_hear_of_it_then_connections_close() {
    let board = Board::new(Withdrawal::AtOnce);
    let (running, mut raw, probe) = waiting(Server::new().registry(board.clone())).await;
    let address = running.address().to_owned();
    raw.send(&Frame::mul(2).marked()).await;
    assert_eq!(raw.answer().await, Answer::forty_two(2));
    let begun = Instant::now();
    let server = running.stop();
    let notice = raw.message().await;
    assert!(notice.header().is_leaving());
    assert_eq!(board.withdrawn(), Some(begun));
    assert_eq!(begun.elapsed(), ms(1_000));
    assert!(!listens(&address).await, "a client that leaves at once finds the successor");
    probe.open("running");
    assert_eq!(raw.answer().await, waited(1, "running"));
    raw.expect_end().await;
    assert_eq!(begun.elapsed(), ms(1_500));
    assert_eq!(report(server).await.served(), 1);
}

#[rpcx::service]
trait Block {
    async fn block(&self) -> rpcx::Result<()>;
}

/// Blocks its thread until the test lets it go on.
struct Blocker(Mutex<Receiver<()>>, tokio::sync::mpsc::UnboundedSender<()>);

impl Block for Blocker {
    async fn block(&self) -> rpcx::Result<()> {
        let _ = self.1.send(());
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_blocks_its_thread_does_not_keep_a_server() {
    let (release, released) = channel();
    let (blocked, mut blocks) = tokio::sync::mpsc::unbounded_channel();
    let service = BlockServer::new(Blocker(Mutex::new(released), blocked));
    let server = Server::new().add(service).shutdown_timeout(ms(10));
    let running = Running::at(&memory_address(), server).await;
    let client = BlockClient::connect_to(running.address()).await.unwrap();
    let call = tokio::spawn(async move { client.block().await });
    soon(blocks.recv()).await.unwrap();
    let report = report(running.stop()).await;
    assert_eq!(report.cut_connections(), 1);
    release.send(()).unwrap();
    // It had begun to answer before anybody could drop it.
    soon(call).await.unwrap().unwrap();
}
