//! Several servers, Go's or ours, and a client of all of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rpcx::client::ClientBuilder;
use rpcx::registry::MultipleServers;
use rpcx::{Client as _, Error, FailMode};
use rpcx_examples::interop::{Args, InteropClient};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::port::free_port;
use crate::support::Program;

/// Servers of one kind, each on a port that stays its own.
pub(crate) struct Farm {
    program: PathBuf,
    option: &'static str,
    servers: Vec<Server>,
}

struct Server {
    addr: String,
    running: Option<Program>,
}

impl Farm {
    /// Starts `count` of our servers.
    pub(crate) fn of_ours(interop_server: &str, count: usize) -> Self {
        Self::start(Path::new(interop_server), "--addr", count)
    }

    /// Starts `count` of Go's servers.
    pub(crate) fn of_gos(go_server: &Path, count: usize) -> Self {
        Self::start(go_server, "-addr", count)
    }

    fn start(program: &Path, option: &'static str, count: usize) -> Self {
        let mut farm = Self { program: program.to_owned(), option, servers: Vec::new() };
        for place in 0..count {
            let addr = format!("127.0.0.1:{}", free_port());
            farm.servers.push(Server { addr, running: None });
            farm.restart(place);
        }
        farm
    }

    /// Starts a server that was killed, at the same address.
    pub(crate) fn restart(&mut self, place: usize) {
        let server = &mut self.servers[place];
        let program = Program::start(&self.program, &[self.option, &server.addr]);
        program.wait_for("ready");
        server.running = Some(program);
    }

    /// Kills a server.
    pub(crate) fn kill(&mut self, place: usize) {
        let program = self.servers[place].running.take().expect("it runs");
        program.kill();
    }

    /// Gives the running program.
    pub(crate) fn program(&self, place: usize) -> &Program {
        self.servers[place].running.as_ref().expect("it runs")
    }

    /// Lists the servers as a client is told of them.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(|server| format!("tcp@{}", server.addr)).collect()
    }

    /// Gives a builder for a client of all servers.
    pub(crate) fn builder(&self) -> ClientBuilder<InteropClient> {
        builder(&self.addresses())
    }
}

/// Gives a builder for a client of these servers.
pub(crate) fn builder(servers: &[String]) -> ClientBuilder<InteropClient> {
    InteropClient::builder().registry(MultipleServers::new(servers).expect("they are addresses"))
}

/// Which method the callers call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    /// One that may run twice.
    Idempotent,
    /// One that may not.
    NotIdempotent,
}

/// Callers that go on calling, each one call after the other.
pub(crate) struct Callers {
    tasks: tokio::task::JoinSet<()>,
    shared: Arc<Shared>,
    client: InteropClient,
}

#[derive(Default)]
struct Shared {
    calls: watch::Sender<u64>,
    failures: Mutex<Vec<Failure>>,
}

/// A call that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) begun: Instant,
    pub(crate) error: Error,
}

impl Callers {
    /// Has as many callers begin.
    pub(crate) async fn begin(
        count: usize,
        builder: ClientBuilder<InteropClient>,
        method: Method,
    ) -> Self {
        let client = builder.connect().await.expect("the list is there");
        let shared = Arc::new(Shared::default());
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..count {
            let client = InteropClient::from_channel(client.channel().clone());
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                for number in 0.. {
                    let begun = Instant::now();
                    let args = Args { a: i64::try_from(caller).unwrap_or_default(), b: number };
                    let product = args.a.wrapping_mul(args.b);
                    let result = match method {
                        Method::Idempotent => client.mul(args).fail_mode(FailMode::Failover).await,
                        Method::NotIdempotent => {
                            client.incr(args).fail_mode(FailMode::Failover).await
                        }
                    };
                    match result {
                        Ok(reply) => assert!(method == Method::NotIdempotent || reply.c == product),
                        Err(error) => {
                            shared.failures().push(Failure { begun, error });
                            // A call that fails at once has let nobody else run, such as who hears of
                            // servers.
                            tokio::task::yield_now().await;
                        }
                    }
                    shared.calls.send_modify(|calls| *calls += 1);
                }
            });
        }
        Self { tasks, shared, client }
    }

    /// Counts the calls that are over.
    pub(crate) fn calls(&self) -> u64 {
        *self.shared.calls.borrow()
    }

    /// Waits until another `count` calls are over.
    pub(crate) async fn more(&mut self, count: u64) {
        let enough = self.calls() + count;
        let mut calls = self.shared.calls.subscribe();
        let wait = tokio::time::timeout(SAFETY, calls.wait_for(|calls| *calls >= enough));
        wait.await.expect("calls go on").expect("the sender is ours");
        assert!(self.tasks.try_join_next().is_none(), "a caller has ended");
    }

    /// Waits until there is a connection to so many servers.
    pub(crate) async fn connected(&mut self, servers: usize) {
        let begun = Instant::now();
        while self.client.channel().status().iter().filter(|one| one.connections > 0).count()
            < servers
        {
            self.more(16).await;
            assert!(begun.elapsed() < SAFETY, "{:#?}", self.client.channel().status());
        }
    }

    /// Takes the failures since the last look.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        std::mem::take(&mut self.shared.failures())
    }
}

impl Shared {
    fn failures(&self) -> std::sync::MutexGuard<'_, Vec<Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long anything may take. It never decides a test that passes.
const SAFETY: Duration = Duration::from_secs(60);
