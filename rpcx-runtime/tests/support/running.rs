//! A server that runs in a task of its own.

use rpcx::Server;
use rpcx::server::DrainReport;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{TCP, memory_address, soon};

/// A server that runs in a task of its own, until it is told to stop or dropped.
pub(crate) struct Running {
    address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<DrainReport>,
}

impl Running {
    /// Serves at an address.
    pub(crate) async fn at(address: &str, server: Server) -> Self {
        let bound = server.bind(address).await.expect("the address is free");
        let address = bound.local_addr().to_string();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(bound.serve_until(async move {
            // A dropped sender is no wish to stop.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Self { address, stop, task }
    }

    /// Serves inside the process, for tests with a paused clock.
    pub(crate) async fn in_memory(server: Server) -> Self {
        Self::at(&memory_address(), server).await
    }

    /// Serves on a TCP port that the system chooses.
    pub(crate) async fn on_tcp(server: Server) -> Self {
        Self::at(TCP, server).await
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Tells the server to stop; gives the task that ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<DrainReport> {
        self.stop.send(()).expect("the server runs");
        self.task
    }

    /// Drops the server's future, and waits until it is dropped.
    pub(crate) async fn abort(self) {
        self.task.abort();
        let end = soon(self.task).await;
        assert!(end.is_err_and(|error| error.is_cancelled()), "the server ran");
    }
}
