//! Who announces what on the network, under one of the names.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::text::Announced;

/// Who announces what on the network, under one of the names.
#[derive(Debug, Default)]
pub(super) struct Peers {
    peers: HashMap<String, Peer>,
    next: u64,
}

#[derive(Debug)]
struct Peer {
    /// Peers are numbered in the order in which they came.
    number: u64,
    announced: Vec<Announced>,
    heard: Instant,
    /// When it is gone unless it is heard again.
    expires: Option<Instant>,
}

impl Peers {
    /// Notes a sign of life; tells whether it brings news.
    pub(super) fn hear(
        &mut self,
        key: String,
        announced: Vec<Announced>,
        patience: Option<Duration>,
    ) -> bool {
        let heard = Instant::now();
        let expires = patience.map(|patience| heard + patience);
        if let Some(known) = self.peers.get_mut(&key) {
            let news = known.announced != announced;
            *known = Peer { number: known.number, announced, heard, expires };
            return news;
        }
        if self.peers.len() >= MOST {
            tracing::debug!(registry = super::NAME, key, "too many servers: one is not listed");
            return false;
        }
        let number = self.next;
        self.next += 1;
        self.peers.insert(key, Peer { number, announced, heard, expires });
        true
    }

    /// Forgets a peer; tells whether it was known.
    pub(super) fn forget(&mut self, key: &str) -> bool {
        self.peers.remove(key).is_some()
    }

    /// Forgets those that were silent for too long; tells whether there were any.
    pub(super) fn expire(&mut self) -> bool {
        let (before, now) = (self.peers.len(), Instant::now());
        self.peers.retain(|_, peer| peer.expires.is_none_or(|expires| expires > now));
        self.peers.len() < before
    }

    /// Gives when [`expire`](Self::expire) is due.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.peers.values().filter_map(|peer| peer.expires).min()
    }

    /// Gives everybody one more chance, from now on: nobody could be heard for a while.
    pub(super) fn extend(&mut self, patience: Duration) {
        let expires = Instant::now() + patience;
        for peer in self.peers.values_mut() {
            peer.expires = Some(expires);
        }
    }

    /// Gives some of them only little time to be heard again; tells whether there are any.
    pub(super) fn doubt(&mut self, whom: impl Fn(&str) -> bool, patience: Duration) -> bool {
        let soon = Instant::now() + patience;
        let mut any = false;
        for (_, peer) in self.peers.iter_mut().filter(|(key, _)| whom(key)) {
            peer.expires = Some(peer.expires.map_or(soon, |expires| expires.min(soon)));
            any = true;
        }
        any
    }

    /// Tells whether anybody was silent since then.
    pub(super) fn silent_since(&self, then: Instant) -> bool {
        self.peers.values().any(|peer| peer.heard < then)
    }

    /// Gives the keys of those that announce a service that `wanted` accepts.
    pub(super) fn keys(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let relevant = |peer: &Peer| peer.announced.iter().any(|one| wanted(&one.service));
        self.peers.iter().filter(|(_, peer)| relevant(peer)).map(|(key, _)| key.clone()).collect()
    }

    /// Lists what is announced. A server that started again may be there twice: the newer is first.
    pub(super) fn announced(&self) -> Vec<Announced> {
        let mut peers: Vec<_> = self.peers.values().collect();
        peers.sort_by_key(|peer| std::cmp::Reverse(peer.number));
        peers.into_iter().flat_map(|peer| peer.announced.iter().cloned()).collect()
    }
}

/// How many peers are remembered: no flood of packets makes this grow further.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Instance;

    fn announced(address: &str) -> Vec<Announced> {
        let instance = Instance::new(address.parse().unwrap());
        vec![Announced { service: "Arith".to_owned(), instance }]
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_for_too_long_is_gone() {
        let mut peers = Peers::default();
        let patience = Duration::from_secs(4);
        assert!(peers.hear("a".to_owned(), announced("h:1"), Some(patience)));
        assert!(peers.hear("b".to_owned(), announced("h:2"), None));
        tokio::time::advance(patience / 2).await;
        assert!(!peers.hear("a".to_owned(), announced("h:1"), Some(patience)));
        assert_eq!(peers.next_expiry(), Some(Instant::now() + patience));
        tokio::time::advance(patience / 2).await;
        assert!(!peers.expire());
        tokio::time::advance(patience / 2).await;
        assert!(peers.expire());
        assert_eq!(peers.announced(), announced("h:2"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_doubted_has_little_time_to_be_heard() {
        let mut peers = Peers::default();
        for key in ["a", "b", "c"] {
            peers.hear(key.to_owned(), announced(&format!("{key}:1")), None);
        }
        assert!(peers.doubt(|key| key != "c", Duration::from_secs(1)));
        peers.hear("b".to_owned(), announced("b:1"), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(peers.expire());
        assert_eq!(peers.announced(), [announced("c:1"), announced("b:1")].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_names_does_not_fill_the_memory() {
        let mut peers = Peers::default();
        for number in 0..2 * MOST {
            peers.hear(number.to_string(), announced("h:1"), None);
        }
        assert_eq!(peers.announced().len(), MOST);
    }
}
