//! The lists that are followed, and what is known of the network.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::half::{Half, PerHalf};
use super::text::Announced;
use crate::instance::Instance;
use crate::registry::{Reach, Snapshot};

/// The lists that are followed, by service, and what is known of the network.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: HashMap<String, List>,
    heard: PerHalf<Vec<Announced>>,
}

#[derive(Debug)]
struct List {
    sender: Arc<watch::Sender<Snapshot>>,
    /// When it counts as an answer that nobody was found.
    patience_ends: Option<Instant>,
}

impl Lists {
    /// Gives the list of a service; a new one is empty for now.
    pub(super) fn follow(&mut self, service: &str, timeout: Duration) -> watch::Receiver<Snapshot> {
        let list = self.lists.entry(service.to_owned()).or_insert_with(|| List {
            sender: Arc::new(watch::Sender::new(Snapshot::starting())),
            patience_ends: Some(Instant::now() + timeout),
        });
        list.sender.subscribe()
    }

    /// Forgets lists that nobody reads, and tells whether any are left.
    pub(super) fn are_read(&mut self) -> bool {
        self.lists.retain(|_, list| list.sender.receiver_count() > 0);
        !self.lists.is_empty()
    }

    pub(super) fn has(&self, service: &str) -> bool {
        self.lists.contains_key(service)
    }

    pub(super) fn services(&self) -> Vec<String> {
        self.lists.keys().cloned().collect()
    }

    pub(super) fn senders(&self) -> Vec<Arc<watch::Sender<Snapshot>>> {
        self.lists.values().map(|list| Arc::clone(&list.sender)).collect()
    }

    /// Takes what is known of the network from one half.
    pub(super) fn hear(&mut self, half: Half, announced: Vec<Announced>) {
        *self.heard.get_mut(half) = announced;
    }

    /// Brings the list of a service up to date; `own` are the servers of this process.
    pub(super) fn publish(&mut self, service: &str, own: impl Iterator<Item = Instance>) {
        let Some(list) = self.lists.get_mut(service) else { return };
        let of_service = |one: &&Announced| one.service == service;
        let heard = self.heard.iter().flatten().filter(of_service).map(|one| one.instance.clone());
        let instances = one_an_address(own.chain(heard));
        if list.patience_ends.is_some() && instances.is_empty() {
            return;
        }
        list.patience_ends = None;
        list.sender.send_if_modified(|snapshot| {
            let news = snapshot.instances()[..] != instances[..]
                || !matches!(snapshot.reach(), Reach::Live);
            if news {
                *snapshot = Snapshot::live(instances);
            }
            news
        });
    }

    /// Lists the services of which nobody was found in time.
    pub(super) fn take_impatient(&mut self) -> Vec<String> {
        let now = Instant::now();
        let mut services = Vec::new();
        for (service, list) in &mut self.lists {
            if list.patience_ends.is_some_and(|ends| ends <= now) {
                list.patience_ends = None;
                services.push(service.clone());
            }
        }
        services
    }

    /// Gives when [`take_impatient`](Self::take_impatient) is due.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        self.lists.values().filter_map(|list| list.patience_ends).min()
    }

    /// Notes that nothing can be heard; the servers stay.
    pub(super) fn lose(&mut self, error: &str) {
        for list in self.lists.values_mut() {
            list.patience_ends = None;
            list.sender.send_if_modified(|snapshot| {
                let news = !matches!(snapshot.reach(), Reach::Lost { error: known, .. } if **known == *error);
                snapshot.lose(error);
                news
            });
        }
    }

    /// Notes that something can be heard again; lists that nobody is on get time to fill.
    pub(super) fn find(&mut self, timeout: Duration) {
        let ends = Instant::now() + timeout;
        let unsettled = |list: &&mut List| !matches!(list.sender.borrow().reach(), Reach::Live);
        for list in self.lists.values_mut().filter(unsettled) {
            list.patience_ends = Some(ends);
        }
    }
}

/// Keeps the first instance of each address, in a stable order.
fn one_an_address(instances: impl Iterator<Item = Instance>) -> Vec<Instance> {
    let mut known = HashSet::new();
    let mut unique: Vec<_> =
        instances.filter(|instance| known.insert(instance.address().clone())).collect();
    unique.sort_by_cached_key(|instance| instance.address().to_string());
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(2);

    fn instance(address: &str, weight: &str) -> Instance {
        let metadata = crate::InstanceMetadata::default().with("weight", weight);
        Instance::new(address.parse().unwrap()).with_metadata(metadata)
    }

    fn announced(service: &str, address: &str, weight: &str) -> Announced {
        Announced { service: service.to_owned(), instance: instance(address, weight) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_of_both_halves_is_listed_once() {
        let mut lists = Lists::default();
        let list = lists.follow("Arith", TIMEOUT);
        lists.hear(Half::Rfc, vec![announced("Arith", "b:1", "2"), announced("Echo", "b:1", "7")]);
        lists.hear(Half::Go, vec![announced("Arith", "b:1", "3"), announced("Arith", "a:1", "4")]);
        lists.publish("Arith", [instance("c:1", "1")].into_iter());
        let expected = [instance("a:1", "4"), instance("b:1", "2"), instance("c:1", "1")];
        assert_eq!(list.borrow().instances()[..], expected);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_list_counts_when_time_is_up() {
        let mut lists = Lists::default();
        let list = lists.follow("Arith", TIMEOUT);
        lists.publish("Arith", std::iter::empty());
        assert!(matches!(list.borrow().reach(), Reach::Starting));
        tokio::time::advance(TIMEOUT).await;
        assert_eq!(lists.take_impatient(), ["Arith"]);
        lists.publish("Arith", std::iter::empty());
        assert!(matches!(list.borrow().reach(), Reach::Live));
    }

    #[tokio::test(start_paused = true)]
    async fn a_loss_keeps_the_servers() {
        let mut lists = Lists::default();
        let list = lists.follow("Arith", TIMEOUT);
        lists.publish("Arith", [instance("a:1", "1")].into_iter());
        lists.lose("no network");
        assert!(matches!(list.borrow().reach(), Reach::Lost { .. }));
        assert_eq!(list.borrow().instances()[..], [instance("a:1", "1")]);
    }
}
