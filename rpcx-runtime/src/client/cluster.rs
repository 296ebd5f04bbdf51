//! The servers that a channel may call, and which one is next.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::endpoint::Endpoint;
use super::health::{self, Probe, Standing};
use super::pool::Pool;
use super::round_trips;
use super::selector::{Candidate, Selection, Selector};
use super::settings::ChannelSettings;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::registry::{Discover, Reach, Snapshot};

/// The servers that a channel may call.
pub(super) struct Cluster {
    list: Arc<ArcSwap<List>>,
    pool: Arc<Pool>,
    selector: Arc<dyn Selector>,
    /// The selector was found to answer nonsense.
    warned: AtomicBool,
    /// The server that all calls go to as long as its connection is open, if that was asked for. It
    /// is not kept: one that leaves the list ends with its last call.
    sticky: Option<ArcSwapOption<Weak<Endpoint>>>,
    /// Follows the registry, if there is one.
    follower: Option<Follower>,
    /// Measures round trips, if the selector wants them.
    measuring: Option<AbortHandle>,
}

/// The servers that are in use now: the one at a place in both lists.
#[derive(Default)]
pub(super) struct List {
    candidates: Vec<Candidate>,
    endpoints: Vec<Arc<Endpoint>>,
    /// Why there are none, as far as known.
    why_none: String,
}

struct Follower {
    task: AbortHandle,
    service: String,
    news: watch::Receiver<Snapshot>,
    progress: watch::Receiver<Progress>,
    /// Has those who wait for a server do so one after the other: woken all at once they would go on
    /// in any order.
    queue: Arc<tokio::sync::Mutex<()>>,
    /// Keeps the registry's own tasks going.
    _registry: Arc<dyn Discover>,
}

/// How far following has come; there is news of it whenever the servers change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Progress {
    /// The list is that of an answer.
    answered: bool,
    /// How many servers the list has.
    servers: usize,
}

impl Cluster {
    /// One server, whatever happens.
    pub(super) fn of_one(
        address: Address,
        selector: Arc<dyn Selector>,
        settings: &Arc<ChannelSettings>,
    ) -> Self {
        let pool = Arc::new(Pool::new());
        let list = List::of(&[&Instance::new(address)], &List::default(), &pool, settings);
        Self::new(Arc::new(ArcSwap::from_pointee(list)), pool, selector, settings, None)
    }

    /// The servers that `registry` names for `service`, now and later.
    pub(super) fn discovered(
        registry: Arc<dyn Discover>,
        service: &str,
        selector: Arc<dyn Selector>,
        pool: Arc<Pool>,
        settings: &Arc<ChannelSettings>,
    ) -> Self {
        let mut news = registry.discover(service);
        let first =
            List::after(&news.borrow_and_update(), &List::default(), service, &pool, settings);
        let (sender, progress) = watch::channel(first.progress(&news.borrow()));
        let list = Arc::new(ArcSwap::from_pointee(first));
        let following = Following {
            list: Arc::clone(&list),
            news: news.clone(),
            progress: sender,
            service: service.to_owned(),
            pool: Arc::clone(&pool),
            settings: Arc::clone(settings),
        };
        let follower = Follower {
            task: tokio::spawn(following.run()).abort_handle(),
            service: service.to_owned(),
            news,
            progress,
            queue: Arc::default(),
            _registry: registry,
        };
        Self::new(list, pool, selector, settings, Some(follower))
    }

    fn new(
        list: Arc<ArcSwap<List>>,
        pool: Arc<Pool>,
        selector: Arc<dyn Selector>,
        settings: &ChannelSettings,
        follower: Option<Follower>,
    ) -> Self {
        let sticky = settings.sticky.then(ArcSwapOption::empty);
        let measuring = selector.wants_round_trips().then(|| {
            let news = follower.as_ref().map(|follower| follower.progress.clone());
            let measuring = round_trips::measure(Arc::clone(&list), news);
            tokio::spawn(measuring).abort_handle()
        });
        let warned = AtomicBool::new(false);
        Self { list, pool, selector, warned, sticky, follower, measuring }
    }

    /// Waits until the registry has said something, be it that it cannot be reached.
    pub(super) async fn first_answer(&self) {
        if let Some(follower) = &self.follower {
            let mut progress = follower.progress.clone();
            // An error means that the registry will say no more: no reason to wait.
            let _ = progress.wait_for(|progress| progress.answered).await;
        }
    }

    /// Waits until there is a server; `false` means that there will be none.
    pub(super) fn filled(&self) -> impl Future<Output = bool> + Send + use<> {
        let follower = self.follower.as_ref();
        let follower =
            follower.map(|follower| (Arc::clone(&follower.queue), follower.progress.clone()));
        async move {
            let Some((queue, mut progress)) = follower else { return false };
            let _turn = queue.lock().await;
            progress.wait_for(|now| now.servers > 0).await.is_ok()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.load().endpoints.is_empty()
    }

    /// Chooses a server: not one of `avoided`, nor one that is out of use for the moment, as long as
    /// there are others.
    pub(super) fn pick(
        &self,
        selection: &Selection<'_>,
        avoided: &[Address],
    ) -> Result<(Arc<Endpoint>, Option<Probe>)> {
        let list = self.list.load();
        if let Some(stuck) = self.stuck(&list, avoided) {
            return Ok((stuck, None));
        }
        let chosen = if avoided.is_empty() && !self.pool.has_trouble() {
            let place = self.select(&list.candidates, selection);
            place.and_then(|place| list.endpoints.get(place)).map(|chosen| (chosen, None))
        } else {
            self.select_usable(&list, selection, avoided)
        };
        let (chosen, probe) = chosen.ok_or_else(|| self.none(&list))?;
        if let Some(sticky) = &self.sticky {
            sticky.store(Some(Arc::new(Arc::downgrade(chosen))));
        }
        Ok((Arc::clone(chosen), probe))
    }

    /// Gives the server that calls stick to.
    fn stuck(&self, list: &List, avoided: &[Address]) -> Option<Arc<Endpoint>> {
        let stuck = self.sticky.as_ref()?.load().as_ref()?.upgrade()?;
        let stays = stuck.is_as_good_as_open()
            && stuck.health().standing() == Standing::Good
            && !stuck.is_refusing()
            && !avoided.contains(stuck.address())
            && list.has(&stuck);
        stays.then_some(stuck)
    }

    fn select_usable<'a>(
        &self,
        list: &'a List,
        selection: &Selection<'_>,
        avoided: &[Address],
    ) -> Option<(&'a Arc<Endpoint>, Option<Probe>)> {
        let mut taken = None;
        loop {
            let standings: Vec<_> =
                list.endpoints.iter().map(|server| server.health().standing()).collect();
            let mut places = health::usable(&standings);
            places.retain(|place| Some(*place) != taken);
            if places.is_empty() {
                places = (0..list.endpoints.len()).collect();
            }
            let fits = |place: &usize| {
                let server = &list.endpoints[*place];
                !avoided.contains(server.address()) && !server.is_refusing()
            };
            let mut fitting: Vec<usize> = places.iter().copied().filter(fits).collect();
            if fitting.is_empty() {
                // One that is out of use is better than one that has just failed this call.
                fitting.extend((0..list.endpoints.len()).filter(fits));
            }
            if !fitting.is_empty() {
                places = fitting;
            }
            let candidates: Vec<_> =
                places.iter().map(|place| list.candidates[*place].clone()).collect();
            let place = *places.get(self.select(&candidates, selection)?)?;
            let chosen = &list.endpoints[place];
            if standings[place] != Standing::ProbeDue || taken == Some(place) {
                return Some((chosen, None));
            }
            if let Some(probe) = chosen.health().try_probe() {
                return Some((chosen, Some(probe)));
            }
            // Another call is there already: this one goes elsewhere.
            taken = Some(place);
        }
    }

    fn select(&self, candidates: &[Candidate], selection: &Selection<'_>) -> Option<usize> {
        if candidates.is_empty() {
            return None;
        }
        let chosen = self.selector.select(candidates, selection)?;
        if chosen < candidates.len() {
            return Some(chosen);
        }
        if !self.warned.swap(true, Ordering::Relaxed) {
            let (selector, servers) = (&self.selector, candidates.len());
            tracing::warn!(
                ?selector,
                chosen,
                servers,
                "the selector chose a server that does not exist"
            );
        }
        None
    }

    /// Tells whether there is a server that is not one of `avoided`.
    pub(super) fn has_other(&self, avoided: &[Address]) -> bool {
        self.list.load().endpoints.iter().any(|server| !avoided.contains(server.address()))
    }

    /// Tells whether the server is in the list.
    pub(super) fn has(&self, server: &Arc<Endpoint>) -> bool {
        self.list.load().has(server)
    }

    /// Gives the only server, if the channel was made for one.
    pub(super) fn only(&self) -> Option<Arc<Endpoint>> {
        if self.follower.is_some() {
            return None;
        }
        self.list.load().endpoints.first().cloned()
    }

    /// Gives all servers in use.
    pub(super) fn all(&self) -> Result<Vec<Arc<Endpoint>>> {
        let list = self.list.load();
        if list.endpoints.is_empty() { Err(self.none(&list)) } else { Ok(list.endpoints.clone()) }
    }

    /// Lists the servers in use.
    pub(super) fn addresses(&self) -> Vec<Address> {
        self.list.load().endpoints.iter().map(|server| server.address().clone()).collect()
    }

    fn none(&self, list: &List) -> Error {
        if let Some(first) = list.endpoints.len().checked_sub(1) {
            let why = format!("the selector chose none of {} servers", first + 1);
            return Error::NoServer { why };
        }
        let why = match self.follower.as_ref().map(|follower| follower.news.borrow()) {
            Some(news) => match news.reach() {
                Reach::Lost { since, error } => {
                    let seconds = since.elapsed().as_secs();
                    format!("registry unreachable since {seconds} s: {error}")
                }
                Reach::Starting => "the registry has not answered yet".to_owned(),
                Reach::Live => list.why_none.clone(),
            },
            None => list.why_none.clone(),
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
        if let Some(measuring) = &self.measuring {
            measuring.abort();
        }
    }
}

/// Takes every news of the registry over.
struct Following {
    list: Arc<ArcSwap<List>>,
    news: watch::Receiver<Snapshot>,
    progress: watch::Sender<Progress>,
    service: String,
    pool: Arc<Pool>,
    settings: Arc<ChannelSettings>,
}

impl Following {
    async fn run(mut self) {
        while self.news.changed().await.is_ok() {
            let known = self.list.load_full();
            let (next, progress) = {
                let news = self.news.borrow_and_update();
                let next = List::after(&news, &known, &self.service, &self.pool, &self.settings);
                let progress = next.progress(&news);
                (next, progress)
            };
            let is_new = !next.has_the_servers_of(&known);
            // Connections to servers that are gone end here, or with the last call on them.
            self.list.store(Arc::new(next));
            self.progress
                .send_if_modified(|now| std::mem::replace(now, progress) != progress || is_new);
        }
    }
}

impl List {
    /// Works the servers out; those that stay keep their connections.
    fn after(
        news: &Snapshot,
        known: &Self,
        service: &str,
        pool: &Pool,
        settings: &Arc<ChannelSettings>,
    ) -> Self {
        let instances = news.instances();
        // A server that is named twice is one, and the last is what it says of itself, as in Go.
        let (mut usable, mut places) = (Vec::<&Instance>::new(), HashMap::new());
        for instance in instances.iter().filter(|instance| settings.filter.lets(instance)) {
            match places.entry(instance.address()) {
                Entry::Occupied(place) => usable[*place.get()] = instance,
                Entry::Vacant(place) => {
                    place.insert(usable.len());
                    usable.push(instance);
                }
            }
        }
        let mut list = Self::of(&usable, known, pool, settings);
        list.why_none = if instances.is_empty() {
            format!("no server of `{service}` is registered")
        } else {
            let count = instances.len();
            format!("none of the servers of `{service}` ({count}) is active and in the group")
        };
        list
    }

    fn of(
        instances: &[&Instance],
        known: &Self,
        pool: &Pool,
        settings: &Arc<ChannelSettings>,
    ) -> Self {
        let addresses = instances.iter().map(|instance| instance.address());
        let endpoints = pool.endpoints(addresses, settings);
        let known: HashMap<_, _> =
            known.candidates.iter().map(|candidate| (candidate.address(), candidate)).collect();
        let candidates = instances.iter().zip(&endpoints).map(|(instance, endpoint)| {
            let unchanged = known.get(instance.address());
            let unchanged = unchanged.filter(|known| known.metadata() == instance.metadata());
            unchanged.map_or_else(
                || Candidate::with_stats((*instance).clone(), Arc::clone(endpoint.stats())),
                |known| (*known).clone(),
            )
        });
        Self { candidates: candidates.collect(), endpoints, why_none: String::new() }
    }

    fn progress(&self, news: &Snapshot) -> Progress {
        let answered = !matches!(news.reach(), Reach::Starting);
        Progress { answered, servers: self.endpoints.len() }
    }

    fn has(&self, server: &Arc<Endpoint>) -> bool {
        self.endpoints.iter().any(|listed| Arc::ptr_eq(listed, server))
    }

    fn has_the_servers_of(&self, other: &Self) -> bool {
        let mut both = self.endpoints.iter().zip(&other.endpoints);
        self.endpoints.len() == other.endpoints.len()
            && both.all(|(own, its)| Arc::ptr_eq(own, its))
    }

    pub(super) fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }
}
