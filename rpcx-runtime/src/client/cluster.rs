//! The servers that a channel may call, and which one is next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::channel::ChannelSettings;
use super::endpoint::Endpoint;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::registry::{Discover, Reach, Snapshot};
use crate::service_info::SelectMode;

/// The servers that a channel may call.
pub(super) struct Cluster {
    servers: Arc<RwLock<Servers>>,
    select: SelectMode,
    turn: AtomicUsize,
    /// Follows the registry, if there is one.
    follower: Option<Follower>,
}

/// The servers that are in use now.
struct Servers {
    endpoints: Arc<[Arc<Endpoint>]>,
    /// Why there are none, as far as known.
    why_none: Arc<str>,
}

struct Follower {
    task: AbortHandle,
    service: String,
    news: watch::Receiver<Snapshot>,
    /// Whether the servers are those of an answer.
    answered: watch::Receiver<bool>,
    /// Keeps the registry's own tasks going.
    _registry: Arc<dyn Discover>,
}

impl Cluster {
    /// One server, whatever happens.
    pub(super) fn of_one(address: Address, settings: &Arc<ChannelSettings>) -> Self {
        let endpoint = Arc::new(Endpoint::new(address, Arc::clone(settings)));
        let servers = Servers { endpoints: [endpoint].into(), why_none: "".into() };
        Self {
            servers: Arc::new(RwLock::new(servers)),
            select: SelectMode::Random,
            turn: AtomicUsize::new(0),
            follower: None,
        }
    }

    /// The servers that `registry` names for `service`, now and later.
    pub(super) fn discovered(
        registry: Arc<dyn Discover>,
        service: &str,
        select: SelectMode,
        settings: &Arc<ChannelSettings>,
    ) -> Self {
        let mut news = registry.discover(service);
        let (first, is_answer) = {
            let news = news.borrow_and_update();
            (Servers::after(None, &news, service, settings), is_answer(&news))
        };
        let (answers, answered) = watch::channel(is_answer);
        let servers = Arc::new(RwLock::new(first));
        let following = follow(
            Arc::clone(&servers),
            news.clone(),
            answers,
            service.to_owned(),
            Arc::clone(settings),
        );
        let follower = Follower {
            task: tokio::spawn(following).abort_handle(),
            service: service.to_owned(),
            news,
            answered,
            _registry: registry,
        };
        // All channels start at a server of their own, or restarted clients would all call the first.
        let turn = AtomicUsize::new(fastrand::usize(..));
        Self { servers, select, turn, follower: Some(follower) }
    }

    /// Waits until the registry has said something, be it that it cannot be reached.
    pub(super) async fn first_answer(&self) {
        if let Some(follower) = &self.follower {
            let mut answered = follower.answered.clone();
            // An error means that the registry will say no more: no reason to wait.
            let _ = answered.wait_for(|answered| *answered).await;
        }
    }

    /// Chooses a server: not one of `avoided`, nor one that could not be reached lately, as long as
    /// there are others.
    pub(super) fn pick(&self, avoided: &[Address]) -> Result<Arc<Endpoint>> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let all = &servers.endpoints;
        if all.is_empty() {
            return Err(self.none(&servers));
        }
        let turn = self.next_turn(all.len());
        let chosen = &all[turn % all.len()];
        let fits = |endpoint: &&Arc<Endpoint>| !avoided.contains(endpoint.address());
        if fits(&chosen) && !chosen.is_avoided() {
            return Ok(Arc::clone(chosen));
        }
        let others: Vec<_> = all.iter().filter(fits).collect();
        let reachable: Vec<_> = others.iter().copied().filter(|one| !one.is_avoided()).collect();
        let better = if reachable.is_empty() { others } else { reachable };
        // The turns of one that is passed over go to all others alike.
        let round = turn / all.len();
        let chosen = if better.is_empty() { chosen } else { better[round % better.len()] };
        Ok(Arc::clone(chosen))
    }

    /// Tells whether there is a server that is not one of `avoided`.
    pub(super) fn has_other(&self, avoided: &[Address]) -> bool {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        servers.endpoints.iter().any(|endpoint| !avoided.contains(endpoint.address()))
    }

    /// Gives the only server, if the channel was made for one.
    pub(super) fn only(&self) -> Option<Arc<Endpoint>> {
        if self.follower.is_some() {
            return None;
        }
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        servers.endpoints.first().cloned()
    }

    /// Lists the servers in use.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        servers.endpoints.iter().map(|endpoint| endpoint.address().clone()).collect()
    }

    /// Gives a number whose remainder and quotient by `count` choose.
    fn next_turn(&self, count: usize) -> usize {
        match (count, self.select) {
            (0 | 1, _) => 0,
            (_, SelectMode::Random) => fastrand::usize(..),
            // Relaxed: the counter orders nothing but itself, and may wrap.
            (_, SelectMode::RoundRobin) => self.turn.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn none(&self, servers: &Servers) -> Error {
        let why = match self.follower.as_ref().map(|follower| follower.news.borrow()) {
            Some(news) => match news.reach() {
                Reach::Lost { since, error } => {
                    let seconds = since.elapsed().as_secs();
                    format!("registry unreachable since {seconds} s: {error}")
                }
                Reach::Starting => "the registry has not answered yet".to_owned(),
                Reach::Live => servers.why_none.to_string(),
            },
            None => servers.why_none.to_string(),
        };
        Error::NoServer { why }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(follower) = &self.follower {
            tracing::trace!(service = follower.service, "nobody calls the service any more");
            follower.task.abort();
        }
    }
}

/// Takes every news of the registry over.
async fn follow(
    servers: Arc<RwLock<Servers>>,
    mut news: watch::Receiver<Snapshot>,
    answers: watch::Sender<bool>,
    service: String,
    settings: Arc<ChannelSettings>,
) {
    while news.changed().await.is_ok() {
        let known = {
            let servers = servers.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&servers.endpoints)
        };
        let (next, is_answer) = {
            let news = news.borrow_and_update();
            (Servers::after(Some(&known), &news, &service, &settings), is_answer(&news))
        };
        let last = {
            let mut servers = servers.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *servers, next)
        };
        // Connections to servers that are gone end here, or with the last call on them.
        drop((last, known));
        answers.send_if_modified(|answered| std::mem::replace(answered, is_answer) != is_answer);
    }
}

fn is_answer(news: &Snapshot) -> bool {
    !matches!(news.reach(), Reach::Starting)
}

impl Servers {
    /// Works the servers out; those that stay keep their connections.
    fn after(
        known: Option<&[Arc<Endpoint>]>,
        news: &Snapshot,
        service: &str,
        settings: &Arc<ChannelSettings>,
    ) -> Self {
        let instances = news.instances();
        let usable = instances.iter().filter(|instance| {
            let metadata = instance.metadata();
            let group = settings.group.as_deref();
            let in_group = group.is_none_or(|group| metadata.groups().any(|own| own == group));
            in_group && !metadata.is_inactive()
        });
        let mut endpoints: Vec<Arc<Endpoint>> = Vec::new();
        for instance in usable {
            // A server that is listed twice has one connection, too.
            let mut known = known.unwrap_or_default().iter().chain(&endpoints);
            let known = known.find(|known| known.address() == instance.address()).cloned();
            endpoints.push(known.unwrap_or_else(|| {
                let address = instance.address().clone();
                Arc::new(Endpoint::new(address, Arc::clone(settings)))
            }));
        }
        let why_none = if instances.is_empty() {
            format!("no server of `{service}` is registered")
        } else {
            let count = instances.len();
            format!("none of the servers of `{service}` ({count}) is active and in the group")
        };
        Self { endpoints: endpoints.into(), why_none: why_none.into() }
    }
}
