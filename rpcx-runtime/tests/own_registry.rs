//! A registry that is the user's own, with both halves.

use std::sync::{Arc, Mutex};

use rpcx::registry::{
    Announcement, Discover, Reach, Register, Registration, RegistrationState, Snapshot,
};
use rpcx::{Error, Instance, Server};
use tokio::sync::{oneshot, watch};

#[rpcx::service]
trait Echo {
    async fn echo(&self, number: i64) -> rpcx::Result<i64>;
}

struct Service;

impl Echo for Service {
    async fn echo(&self, number: i64) -> rpcx::Result<i64> {
        Ok(number)
    }
}

/// Knows one service.
#[derive(Clone, Debug)]
struct Notebook {
    page: Arc<watch::Sender<Snapshot>>,
    services: Arc<Mutex<Vec<String>>>,
}

impl Notebook {
    fn new() -> Self {
        let page = Arc::new(watch::Sender::new(Snapshot::live(Vec::<Instance>::new())));
        Self { page, services: Arc::default() }
    }
}

impl Discover for Notebook {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        self.page.subscribe()
    }
}

impl Register for Notebook {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        self.services.lock().unwrap().push(service.to_owned());
        self.page.send_replace(Snapshot::live([announcement.instance().clone()]));
        let (_, state) = watch::channel(RegistrationState::Registered);
        let page = Arc::clone(&self.page);
        Registration::with_withdraw(state, move || {
            page.send_replace(Snapshot::live(Vec::<Instance>::new()));
            std::future::ready(())
        })
    }
}

#[tokio::test]
async fn a_registry_of_ones_own_serves_both_sides() {
    let notebook = Notebook::new();
    let server = Server::new().add(EchoServer::new(Service)).registry(notebook.clone());
    let bound = server.bind("memory@own-registry").await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(bound.serve_until(async {
        let _ = stopped.await;
    }));
    let client = EchoClient::builder().registry(notebook.clone()).connect().await.unwrap();
    assert_eq!(client.echo(7).await.unwrap(), 7);
    assert_eq!(*notebook.services.lock().unwrap(), ["Echo"]);
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(notebook.page.borrow().instances().is_empty());
}

#[tokio::test]
async fn what_it_says_of_an_outage_reaches_the_caller() {
    let notebook = Notebook::new();
    notebook.page.send_replace(Snapshot::lost(Vec::<Instance>::new(), "the ink is dry"));
    assert!(matches!(notebook.page.borrow().reach(), Reach::Lost { .. }));
    let client = EchoClient::builder().registry(notebook).connect().await.unwrap();
    let Err(Error::NoServer { why }) = client.echo(7).await else { panic!("it has no server") };
    assert_eq!(why, "registry unreachable since 0 s: the ink is dry");
}

#[tokio::test]
async fn a_dropped_registration_is_taken_out() {
    let notebook = Notebook::new();
    let mut page = notebook.page.subscribe();
    let instance = Instance::new("tcp@h:1".parse().unwrap());
    let registration = notebook.register("Echo", instance.into());
    page.wait_for(|page| page.instances().len() == 1).await.unwrap();
    drop(registration);
    page.wait_for(|page| page.instances().is_empty()).await.unwrap();
}
