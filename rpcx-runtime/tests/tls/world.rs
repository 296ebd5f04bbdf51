//! A service that tells whom it serves, and who signs certificates.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rpcx::client::ClientBuilder;
use rpcx::server::DrainReport;
use rpcx::tls::rustls::crypto::ring;
use rpcx::tls::rustls::pki_types::CertificateDer;
use rpcx::tls::rustls::pki_types::pem::PemObject as _;
use rpcx::tls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rpcx::tls::{ClientTls, ServerTls};
use rpcx::{Bytes, Context, Error, Executed, FailMode, Server};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

#[path = "../support/certificates.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod certificates;

pub(crate) use certificates::{Authority, Folder, Pair};

#[rpcx::service]
pub(crate) trait Desk {
    /// Says how many certificates the caller has shown, and whether they are for `host`.
    async fn identify(&self, context: &Context, host: String) -> rpcx::Result<(usize, bool)>;

    /// Gives back what it gets.
    async fn echo(&self, data: Bytes) -> rpcx::Result<Bytes>;

    /// Says that it has begun, and never ends.
    async fn hang(&self) -> rpcx::Result<()>;

    /// Sends the caller a message, unasked.
    async fn ring(&self, context: &Context) -> rpcx::Result<()>;
}

/// What a handler of [`Desk::hang`] tells.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Begun,
    Dropped,
}

pub(crate) struct Clerk(mpsc::UnboundedSender<Event>);

impl Clerk {
    pub(crate) fn new() -> (DeskServer<Self>, mpsc::UnboundedReceiver<Event>) {
        let (sender, events) = mpsc::unbounded_channel();
        (DeskServer::new(Self(sender)), events)
    }

    pub(crate) fn service() -> DeskServer<Self> {
        Self::new().0
    }
}

impl Desk for Clerk {
    async fn identify(&self, context: &Context, host: String) -> rpcx::Result<(usize, bool)> {
        let identity = context.peer_identity();
        let shown = identity.map_or(0, |identity| identity.certificates().len());
        Ok((shown, identity.is_some_and(|identity| identity.is_for(&host))))
    }

    async fn echo(&self, data: Bytes) -> rpcx::Result<Bytes> {
        Ok(data)
    }

    async fn hang(&self) -> rpcx::Result<()> {
        let _dropped = Dropped(self.0.clone());
        let _ = self.0.send(Event::Begun);
        std::future::pending().await
    }

    async fn ring(&self, context: &Context) -> rpcx::Result<()> {
        let pusher = context.pusher().expect("the call came on a connection");
        let metadata = rpcx::Metadata::default();
        pusher.send("Desk", "bell", &metadata, "ding").expect("the connection is open");
        Ok(())
    }
}

struct Dropped(mpsc::UnboundedSender<Event>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Dropped);
    }
}

/// A server that runs in a task of its own.
pub(crate) struct Running {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<DrainReport>,
}

impl Running {
    pub(crate) async fn at(address: &str, server: Server) -> Self {
        let bound = server.bind(address).await.expect("the address is free");
        let address = bound.local_addr().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(bound.serve_until(async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Self { address, stop, task }
    }

    /// Serves the desk over TLS on TCP.
    pub(crate) async fn over(tls: impl Into<ServerTls>) -> Self {
        Self::at(TCP, Server::new().add(Clerk::service()).tls(tls)).await
    }

    /// Tells the server to stop; gives the task that ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<DrainReport> {
        self.stop.send(()).expect("the server runs");
        self.task
    }
}

/// An authority, and what servers and clients that know no other use.
pub(crate) struct World {
    pub(crate) authority: Authority,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { authority: Authority::new("ours") }
    }

    /// A server that any client may call.
    pub(crate) fn server(&self) -> ServerTls {
        server_tls(&self.authority.sign(&HOSTS))
    }

    /// A server that wants a certificate of the client.
    pub(crate) fn mutual_server(&self) -> ServerTls {
        self.server().client_authorities(self.authority.certificate()).unwrap()
    }

    /// A client without a certificate.
    pub(crate) fn client(&self) -> ClientTls {
        ClientTls::new(self.authority.certificate()).unwrap()
    }

    /// A client with a certificate for `host`.
    pub(crate) fn known_client(&self, host: &str) -> ClientTls {
        let Pair { certificate, key } = self.authority.sign(&[host]);
        self.client().identity(certificate, key).unwrap()
    }
}

pub(crate) fn server_tls(pair: &Pair) -> ServerTls {
    ServerTls::new(&pair.certificate, &pair.key).unwrap()
}

/// A client that tries once, and has time enough on a busy machine.
pub(crate) fn builder() -> ClientBuilder<DeskClient> {
    DeskClient::builder().connect_timeout(SAFETY).fail_mode(FailMode::Failfast)
}

/// Connects; gives the reason if that fails, which must say that nothing ran.
pub(crate) async fn connect(address: &str, tls: ClientTls) -> Result<DeskClient, String> {
    soon(builder().tls(tls).connect_to(address)).await.map_err(reason)
}

/// Gives why there is no connection; on a busy machine it may be the first call that learns it.
pub(crate) async fn refusal(address: &str, tls: ClientTls) -> String {
    match connect(address, tls).await {
        Err(told) => told,
        Ok(client) => reason(soon(client.echo(Bytes::new()).into_future()).await.unwrap_err()),
    }
}

/// Calls once, on a connection that the call opens.
pub(crate) async fn call_lazily(address: &str, tls: ClientTls) -> Result<Bytes, String> {
    let client = builder().tls(tls).connect_lazily(address).unwrap();
    soon(client.echo(Bytes::from_static(b"x")).into_future()).await.map_err(reason)
}

pub(crate) fn reason(error: Error) -> String {
    assert_eq!(error.executed(), Executed::No);
    match error {
        Error::Connect { source, .. } => source.to_string(),
        error => panic!("{error:?} is no failure to connect"),
    }
}

pub(crate) async fn assert_serves(client: &DeskClient) {
    let data = Bytes::from_static(b"are you there?");
    assert_eq!(soon(client.echo(data.clone()).into_future()).await.unwrap(), data);
}

/// Waits for an event that is sure to come.
pub(crate) async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(SAFETY, event).await.expect("what the test waits for does not come")
}

/// Gives an address that no other test of this process has.
pub(crate) fn memory_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("memory@tls-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// rustls's own configuration of a client that trusts `authority`.
pub(crate) fn rustls_client(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(crate) const TCP: &str = "tcp@127.0.0.1:0";
/// For whom the servers' certificates are.
pub(crate) const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "desk.internal"];
pub(crate) const SAFETY: Duration = Duration::from_secs(30);
