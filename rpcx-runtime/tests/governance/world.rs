//! Servers that write down what they run, and clients of them.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rpcx::client::ClientBuilder;
use rpcx::client::interceptor::Interceptor;
use rpcx::client::selector::{Candidate, Selection, Selector};
use rpcx::registry::MultipleServers;
use rpcx::{Address, Client, Context, Error, Executed, Result, Server};
use tokio::task::JoinHandle;

use super::network::{Network, name_of};

/// What the servers are called for. The names are as long as each other, and so are the frames.
#[rpcx::service]
pub(crate) trait Work {
    /// May not run twice.
    async fn once(&self, context: &Context, id: i64) -> Result<i64>;

    /// May run twice.
    #[rpcx(idempotent)]
    async fn many(&self, context: &Context, id: i64) -> Result<i64>;

    /// Is made again whatever that does.
    #[rpcx(retry = "at_least_once")]
    async fn risk(&self, context: &Context, id: i64) -> Result<i64>;

    /// Is never answered.
    #[rpcx(oneway)]
    async fn note(&self, context: &Context, id: i64) -> Result<()>;
}

/// One run of a method.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) server: String,
    pub(crate) id: i64,
    /// The time that the server was told.
    pub(crate) left: Option<Duration>,
    /// The request's metadata, without rpcx's own keys.
    pub(crate) metadata: rpcx::Metadata,
}

/// What a server does with calls, once it has written them down.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    /// It answers.
    #[default]
    Well,
    /// It answers after a while.
    Slow(Duration),
    /// It does not answer.
    Never,
    /// It says after a while that its time is over.
    Overtime(Duration),
    /// It answers with an error.
    Fails,
    /// It panics.
    Panics,
}

/// What all servers of a world ran.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<Run>>>);

impl Ledger {
    fn runs(&self) -> MutexGuard<'_, Vec<Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was written down since the last time.
    pub(crate) fn take(&self) -> Vec<Run> {
        std::mem::take(&mut self.runs())
    }

    /// Takes the servers of all runs since the last time.
    pub(crate) fn servers(&self) -> Vec<String> {
        self.take().into_iter().map(|run| run.server).collect()
    }

    /// Takes how often each of these servers ran something since the last time.
    pub(crate) fn counts<const N: usize>(&self, names: [&str; N]) -> [usize; N] {
        let servers = self.servers();
        names.map(|name| servers.iter().filter(|server| *server == name).count())
    }
}

/// A server's way to work.
struct Worker {
    name: String,
    ledger: Ledger,
    mood: Arc<Mutex<Mood>>,
}

impl Worker {
    async fn run(&self, context: &Context, id: i64) -> Result<i64> {
        let metadata = context.metadata().iter();
        let metadata = metadata.filter(|(key, _)| !key.starts_with("__")).collect();
        let (server, left) = (self.name.clone(), context.remaining());
        self.ledger.runs().push(Run { server, id, left, metadata });
        context.set_response_metadata("by", &self.name);
        let mood = self.mood.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match mood {
            Mood::Well => {}
            Mood::Slow(time) => tokio::time::sleep(time).await,
            Mood::Never => std::future::pending().await,
            Mood::Overtime(time) => {
                tokio::time::sleep(time).await;
                return Err(Error::service("context deadline exceeded"));
            }
            Mood::Fails => return Err(Error::service("out of stock")),
            Mood::Panics => panic!("a panic that the test asked for"),
        }
        Ok(id)
    }
}

impl Work for Worker {
    async fn once(&self, context: &Context, id: i64) -> Result<i64> {
        self.run(context, id).await
    }

    async fn many(&self, context: &Context, id: i64) -> Result<i64> {
        self.run(context, id).await
    }

    async fn risk(&self, context: &Context, id: i64) -> Result<i64> {
        self.run(context, id).await
    }

    async fn note(&self, context: &Context, id: i64) -> Result<()> {
        self.run(context, id).await.map(drop)
    }
}

/// Servers, their network and what they ran.
#[derive(Clone, Debug)]
pub(crate) struct World {
    number: u32,
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
}

impl World {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { number, network: Network::default(), ledger: Ledger::default() }
    }

    /// Gives the address of a server as text; metadata may follow the name after a `?`.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("memory@w{}-{name}", self.number)
    }

    /// Makes a list of servers by their names.
    pub(crate) fn list(&self, names: &[&str]) -> MultipleServers {
        let servers = names.iter().map(|name| self.address(name));
        MultipleServers::new(servers).expect("addresses")
    }

    /// Replaces a list.
    pub(crate) fn update(&self, list: &MultipleServers, names: &[&str]) {
        let instance = |name: &&str| {
            let text = self.address(name);
            let (address, query) = text.split_once('?').unwrap_or((&text, ""));
            rpcx::Instance::new(address.parse().expect("an address"))
                .with_metadata(rpcx::InstanceMetadata::parse(query))
        };
        list.update(names.iter().map(instance).collect::<Vec<_>>());
    }

    /// Serves under a name, until the station is dropped.
    pub(crate) async fn serve(&self, name: &str) -> Station {
        let mood = Arc::<Mutex<Mood>>::default();
        let server = self.add_to(Server::new(), name, &mood);
        self.serve_with(name, mood, server).await
    }

    /// Adds the service that writes down what it runs as that server.
    pub(crate) fn add_to(&self, server: Server, name: &str, mood: &Arc<Mutex<Mood>>) -> Server {
        let (name, ledger, mood) = (name.to_owned(), self.ledger.clone(), Arc::clone(mood));
        server.add(WorkServer::new(Worker { name, ledger, mood }))
    }

    /// Serves something else under a name.
    pub(crate) async fn serve_with(
        &self,
        name: &str,
        mood: Arc<Mutex<Mood>>,
        server: Server,
    ) -> Station {
        let bound = server.bind(&self.address(name)).await.expect("the name is free");
        Station { mood, task: tokio::spawn(bound.serve()) }
    }

    /// Serves under several names.
    pub(crate) async fn serve_all<const N: usize>(&self, names: [&str; N]) -> [Station; N] {
        let mut stations = Vec::new();
        for name in names {
            stations.push(self.serve(name).await);
        }
        stations.try_into().unwrap_or_else(|_| unreachable!("one for each name"))
    }

    /// Starts a client of these servers that takes the first one that is fit.
    pub(crate) fn builder(&self, names: &[&str]) -> ClientBuilder<WorkClient> {
        let builder = WorkClient::builder().connector(self.network.clone());
        builder.registry(self.list(names)).selector(First)
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Station {
    mood: Arc<Mutex<Mood>>,
    task: JoinHandle<()>,
}

impl Station {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// Ends the server and its connections at once.
    pub(crate) async fn kill(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
        settle().await;
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes the first of the servers that are fit.
#[derive(Debug)]
pub(crate) struct First;

impl Selector for First {
    fn select(&self, _: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        Some(0)
    }
}

/// Does nothing; with it a call has a future of its own.
pub(crate) struct Plain;

impl Interceptor for Plain {}

/// Makes the client.
pub(crate) async fn connect<C: Client>(builder: ClientBuilder<C>) -> C {
    soon(builder.connect()).await.expect("a list is always there")
}

/// Waits for `future`; with a paused clock this fails as soon as nobody has anything left to do.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("what the test waits for does not come")
}

/// Lets everybody else do what there is to do.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Gives the name of the variant of an error, and what it says of the server.
pub(crate) fn kind(error: &Error) -> (&'static str, Executed) {
    let name = match error {
        Error::NoServer { .. } => "NoServer",
        Error::Connect { .. } => "Connect",
        Error::NotExecuted { .. } => "NotExecuted",
        Error::ConnectionLost { .. } => "ConnectionLost",
        Error::Timeout { .. } => "Timeout",
        Error::Service(_) => "Service",
        Error::Decode(_) => "Decode",
        Error::Protocol(_) => "Protocol",
        other => panic!("an error that no test makes: {other:?}"),
    };
    (name, error.executed())
}

/// Gives the kind of a result's error.
#[track_caller]
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, Executed) {
    kind(&result.expect_err("the call fails"))
}

/// Gives the names of addresses.
pub(crate) fn names(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(name_of).collect()
}

/// So many milliseconds.
pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// So many seconds.
pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const LONG: Duration = Duration::from_secs(24 * 3600);
