//! The half that `mdns-sd` does: `_rpcxservices._tcp.local.`, by the rules of RFC 6762 and 6763.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mdns_sd::{
    DaemonEvent, Error, Receiver, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo,
    TxtProperty,
};
use tokio::time::MissedTickBehavior;

use super::entries::Offer;
use super::half::Half;
use super::peers::Peers;
use super::run::at;
use super::shared::Shared;
use super::{NAME, text};
use crate::registry::backoff::Backoff;

/// Keeps the half going.
pub(super) async fn run(shared: &Shared) -> Infallible {
    let mut peers = Peers::default();
    let mut backoff = Backoff::new();
    loop {
        let Err(error) = live(shared, &mut peers, &mut backoff).await;
        shared.note_down(Half::Rfc, &error.to_string());
        backoff.wait().await;
    }
}

/// One life of the daemon.
async fn live(
    shared: &Shared,
    peers: &mut Peers,
    backoff: &mut Backoff,
) -> Result<Infallible, Error> {
    look_for_interfaces()?;
    let mut daemon = Daemon::start()?;
    shared.note_up(Half::Rfc);
    peers.extend(shared.options().patience());
    let mut changes = shared.changes();
    let mut watch = tokio::time::interval(shared.options().watch_interval);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = changes.changed() => daemon.catch_up(shared).await?,
            _ = watch.tick() => {
                look_for_interfaces()?;
                daemon.catch_up(shared).await?;
                daemon.watch(shared, peers)?;
            }
            event = daemon.sightings.next() => {
                backoff.reset();
                if take(shared, peers, event?) {
                    shared.hear(Half::Rfc, peers.announced());
                }
            }
            notice = daemon.notices.recv_async() => {
                note(shared, notice.map_err(|_| Error::DaemonShutdown)?);
            }
            () = at(peers.next_expiry()) => {
                if peers.expire() {
                    shared.hear(Half::Rfc, peers.announced());
                }
            }
        }
    }
}

/// Makes sure that there is a network: `mdns-sd` waits for one without a word.
fn look_for_interfaces() -> Result<(), Error> {
    let interfaces = if_addrs::get_if_addrs();
    let interfaces = interfaces.map_err(|error| Error::Msg(error.to_string()))?;
    if interfaces.iter().any(if_addrs::Interface::is_oper_up) {
        return Ok(());
    }
    Err(Error::Msg("no network interface is up".to_owned()))
}

/// Takes what was seen on the network; tells whether that is news.
fn take(shared: &Shared, peers: &mut Peers, event: ServiceEvent) -> bool {
    match event {
        ServiceEvent::ServiceResolved(service) if !is_own(shared, service.get_fullname()) => {
            let announced = read(&service);
            peers.hear(service.get_fullname().to_owned(), announced, None)
        }
        ServiceEvent::ServiceRemoved(_, name) => peers.forget(&name),
        _ => false,
    }
}

fn read(service: &ResolvedService) -> Vec<text::Announced> {
    // Escaped, the text has no `=`: it looks like a key without a value.
    let text = service.get_properties().iter().next();
    text.map(|property| text::read(property.key().as_bytes())).unwrap_or_default()
}

fn note(shared: &Shared, notice: DaemonEvent) {
    match notice {
        DaemonEvent::Announce(name, _) => {
            if let Some(label) = label_of(&name) {
                shared.note_shown(Half::Rfc, label);
            }
        }
        DaemonEvent::Error(error) => tracing::debug!(registry = NAME, %error, "mdns-sd"),
        _ => {}
    }
}

fn is_own(shared: &Shared, name: &str) -> bool {
    label_of(name).is_some_and(|label| shared.is_own(label))
}

fn label_of(name: &str) -> Option<&str> {
    name.strip_suffix(TYPE)?.strip_suffix('.')
}

/// The thread of `mdns-sd`; it ends when this is dropped.
struct Daemon {
    handle: ServiceDaemon,
    notices: Receiver<DaemonEvent>,
    sightings: Sightings,
    /// What is announced: the texts, by name.
    shown: HashMap<Arc<str>, Arc<str>>,
}

impl Daemon {
    fn start() -> Result<Self, Error> {
        let handle = ServiceDaemon::new()?;
        let notices = handle.monitor()?;
        let shown = HashMap::new();
        Ok(Self { handle, notices, sightings: Sightings::default(), shown })
    }

    /// Announces what is to be announced and is not yet, and takes back what is not.
    async fn catch_up(&mut self, shared: &Shared) -> Result<(), Error> {
        let work = shared.work();
        for offer in work.offers {
            if self.shown.get(&offer.label) != Some(&offer.text) {
                match self.handle.register(service_info(&offer)?) {
                    Ok(()) => drop(self.shown.insert(offer.label, offer.text)),
                    // Its queue is full: the next tick of the watch tries again.
                    Err(Error::Again) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
        for labels in work.leaving.chunks(AT_ONCE) {
            self.take_back(labels).await?;
            for label in labels {
                shared.note_silent(Half::Rfc, label);
            }
        }
        match (work.is_followed, self.sightings.latest.is_some()) {
            (true, false) => self.browse()?,
            (false, true) => self.stop_browsing()?,
            _ => {}
        }
        Ok(())
    }

    async fn take_back(&mut self, labels: &[Arc<str>]) -> Result<(), Error> {
        let mut farewells = Vec::new();
        for label in labels {
            if self.shown.contains_key(label) {
                farewells.extend(unless_busy(self.handle.unregister(&full_name(label)))?);
                self.shown.remove(label);
            }
        }
        // Without an answer in time nothing is left to try: peers find out by themselves.
        let said = join_all(farewells.iter().map(Receiver::recv_async));
        let _ = tokio::time::timeout(FAREWELL, said).await;
        Ok(())
    }

    /// Asks who is there, and whether those that are known still are.
    fn watch(&mut self, shared: &Shared, peers: &Peers) -> Result<(), Error> {
        if self.sightings.latest.is_none() {
            return Ok(());
        }
        // `mdns-sd` itself asks ever more rarely, up to once an hour.
        self.browse()?;
        for name in peers.keys(|service| shared.follows(service)) {
            unless_busy(self.handle.verify(name, shared.options().timeout))?;
        }
        Ok(())
    }

    fn browse(&mut self) -> Result<(), Error> {
        if self.sightings.earlier.is_none()
            && let Some(receiver) = unless_busy(self.handle.browse(TYPE))?
        {
            self.sightings.earlier = self.sightings.latest.replace(receiver);
        }
        Ok(())
    }

    fn stop_browsing(&mut self) -> Result<(), Error> {
        if unless_busy(self.handle.stop_browse(TYPE))?.is_some() {
            self.sightings = Sightings::default();
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.handle.shutdown() {
            tracing::debug!(registry = NAME, %error, "mdns-sd");
        }
    }
}

/// What was seen, since it was last asked for and before that.
#[derive(Default)]
struct Sightings {
    latest: Option<Receiver<ServiceEvent>>,
    earlier: Option<Receiver<ServiceEvent>>,
}

impl Sightings {
    /// Waits for what is seen next. Nothing is lost if this is dropped.
    async fn next(&mut self) -> Result<ServiceEvent, Error> {
        // The daemon closes the earlier channel as it takes up the later one.
        if let Some(earlier) = &self.earlier {
            if let Ok(event) = earlier.recv_async().await {
                return Ok(event);
            }
            self.earlier = None;
        }
        match &self.latest {
            Some(latest) => latest.recv_async().await.map_err(|_| Error::DaemonShutdown),
            None => std::future::pending().await,
        }
    }
}

fn service_info(offer: &Offer) -> Result<ServiceInfo, Error> {
    // A host name of its own: several processes of a host would claim the host's.
    let host = format!("{}.local.", offer.label);
    let text = vec![TxtProperty::from(&*offer.text)];
    let info = ServiceInfo::new(TYPE, &offer.label, &host, (), offer.port, text)?;
    Ok(info.enable_addr_auto())
}

fn full_name(label: &str) -> String {
    format!("{label}.{TYPE}")
}

/// Gives nothing if the daemon has too much to do just now.
fn unless_busy<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Again) => Ok(None),
        Err(error) => Err(error),
    }
}

const TYPE: &str = Half::Rfc.service_type();
/// How many entries are taken back at once: the daemon takes no more than 100 orders.
const AT_ONCE: usize = 50;
/// How long the daemon is given to take entries back.
const FAREWELL: Duration = Duration::from_millis(500);
