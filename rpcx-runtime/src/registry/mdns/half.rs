//! The two names under which servers are announced, and how each of them stands.

use std::sync::Arc;

/// One of the two names under which servers are announced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Half {
    /// `_rpcxservices._tcp.local.`
    Rfc,
    /// `_rpcxservices.local.`
    Go,
}

impl Half {
    pub(super) const ALL: [Self; 2] = [Self::Rfc, Self::Go];

    /// Gives the name.
    pub(super) const fn service_type(self) -> &'static str {
        match self {
            Self::Rfc => "_rpcxservices._tcp.local.",
            Self::Go => "_rpcxservices.local.",
        }
    }
}

/// One of something for each half.
#[derive(Clone, Debug, Default)]
pub(super) struct PerHalf<T> {
    rfc: T,
    go: T,
}

impl<T> PerHalf<T> {
    pub(super) fn get(&self, half: Half) -> &T {
        match half {
            Half::Rfc => &self.rfc,
            Half::Go => &self.go,
        }
    }

    pub(super) fn get_mut(&mut self, half: Half) -> &mut T {
        match half {
            Half::Rfc => &mut self.rfc,
            Half::Go => &mut self.go,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.rfc, &self.go].into_iter()
    }
}

/// How a half stands.
#[derive(Clone, Debug, Default)]
pub(super) enum Health {
    /// It is not wanted.
    Off,
    /// It has not been tried yet.
    #[default]
    Opening,
    /// It listens and speaks.
    Up,
    /// It does not work; it is tried again.
    Down(Arc<str>),
}

impl PerHalf<Health> {
    /// Tells whether any half works.
    pub(super) fn any_up(&self) -> bool {
        self.iter().any(|health| matches!(health, Health::Up))
    }

    /// Gives what is wrong, if nothing works and nothing is about to.
    pub(super) fn error(&self) -> Option<&Arc<str>> {
        let hopeful = |health: &Health| matches!(health, Health::Up | Health::Opening);
        if self.iter().any(hopeful) {
            return None;
        }
        self.iter().find_map(|health| match health {
            Health::Down(error) => Some(error),
            _ => None,
        })
    }
}
