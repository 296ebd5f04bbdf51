//! A server that listens.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;

use super::accept;
use super::announce::{Plan, Registrations};
use super::budget::RequestBudget;
use super::builder::ServerSettings;
use super::load::LoadCounter;
use super::router::Router;
use super::stop::DrainReport;
use crate::address::Address;
use crate::service_info::ServiceInfo;
use crate::transport::Listener;

/// A server that listens and does not serve yet; clients may connect already, and wait.
#[derive(Debug)]
#[must_use = "a bound server serves nobody until it is told to"]
pub struct Bound {
    listener: Listener,
    address: Address,
    plan: Plan,
    registrations: Registrations,
    parts: Arc<Parts>,
}

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) router: Router,
    pub(super) settings: ServerSettings,
    pub(super) load: Arc<LoadCounter>,
    pub(super) budget: RequestBudget,
}

impl Bound {
    pub(super) fn new(
        listener: Listener,
        address: Address,
        plan: Plan,
        router: Router,
        settings: ServerSettings,
    ) -> Self {
        let load = Arc::new(LoadCounter::new());
        let budget = RequestBudget::new(settings.request_bytes);
        let parts = Arc::new(Parts { router, settings, load, budget });
        Self { listener, address, plan, registrations: Registrations::default(), parts }
    }

    /// Gives the address that is listened on, with the port that the system chose.
    pub fn local_addr(&self) -> &Address {
        &self.address
    }

    /// Gives how the entries in registries stand, from the moment on in which the server serves.
    pub fn registrations(&self) -> Registrations {
        self.registrations.clone()
    }

    /// Lists the services by name, each under the name that it is called by, with what its trait says.
    pub fn services(&self) -> impl Iterator<Item = (&str, &'static ServiceInfo)> {
        self.parts.router.list()
    }

    /// Serves until the future is dropped, which closes all connections at once.
    ///
    /// The entries in registries are written from the call on, not only from the first poll.
    pub fn serve(self) -> impl Future<Output = ()> {
        let served = self.serve_until(std::future::pending());
        async {
            // It does not come to that: nothing tells the server to stop.
            let _report = served.await;
        }
    }

    /// Serves until `stop` is ready, then lets running calls finish; tells what became of them.
    ///
    /// All that follows takes no longer than
    /// [`shutdown_timeout`](super::Server::shutdown_timeout) and a tenth of a second, whatever clients and
    /// registries do:
    ///
    /// 1. The entries are taken out of registries, which is waited for at most 2 s. The server goes on serving,
    ///    and lets clients in.
    /// 2. It does so for another [`propagation`](super::Server::propagation), until clients have heard of it. Both
    ///    have at most half of the time; a server without a registry, or with `inprocess`, needs neither.
    /// 3. From then on nobody can connect. Clients of this crate are told, and make further calls elsewhere.
    /// 4. Each connection is served until its client closes it, or until no call has come for half a
    ///    second; Go rpcx 1.9.4 stops reading at once, and loses what is on its way.
    /// 5. When the time is over no further call is taken. Those that run have 50 ms, and are dropped then.
    ///
    /// A handler that blocks its thread cannot be dropped: it is left behind, and ends with its runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes all connections at once.
    pub fn serve_until<S: Future<Output = ()>>(
        self,
        stop: S,
    ) -> impl Future<Output = DrainReport> + use<S> {
        // Not in the future: whoever spawns it may look for the server at once.
        let announced = self.plan.register(&self.parts.load, &self.registrations);
        accept::run(self.listener, self.parts, announced, stop)
    }
}

/// Why a server does not listen: everything that is wrong, at once.
#[derive(Debug)]
pub struct BindError {
    problems: Vec<String>,
    source: Option<io::Error>,
}

impl BindError {
    pub(super) fn new(problems: Vec<String>, source: Option<io::Error>) -> Self {
        Self { problems, source }
    }

    /// Lists what is wrong, one text each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
