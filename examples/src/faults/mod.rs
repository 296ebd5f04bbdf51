//! A network that fails on order: a proxy that knows where messages begin and end, and harms them by rules.
//!
//! [`Faults`] holds the rules and one seed, which all chance comes from. [`Faults::relay`] carries one
//! connection, whatever it is made of. Two ways put it in between: [`Proxy`] listens on a TCP port, also in
//! front of programs in Go, and [`FaultConnector`] is a client's connector, for tests inside one process.
//! The program `faults` is a [`Proxy`] for the command line.
//!
//! A message passes on once all of it is there. Bytes that are no message, and what is left of one when its
//! sender ends, pass unharmed.

mod connector;
pub mod control;
mod counts;
mod messages;
mod proxy;
mod relay;
mod rule;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;

pub use self::connector::FaultConnector;
pub use self::counts::Counts;
pub use self::proxy::Proxy;
pub use self::relay::End;
pub use self::rule::{At, Fault, Rule, RuleError, Side, When};

/// The rules of a network that fails on order. Clones share everything.
#[derive(Clone)]
pub struct Faults {
    shared: Arc<Shared>,
}

struct Shared {
    seed: u64,
    rules: Mutex<Arc<[Armed]>>,
    connections: AtomicU64,
    counts: Mutex<Counts>,
    watcher: Mutex<Option<Watcher>>,
}

type Watcher = Arc<dyn Fn(&Struck) + Send + Sync>;

/// A fault that struck.
#[derive(Clone, Debug)]
pub struct Struck {
    /// Of which connection, counted from 1 in the order in which they were opened.
    pub connection: u64,
    /// Which way the message went.
    pub side: Side,
    /// Which message of that side of the connection, counted from 1.
    pub message: u64,
    /// What was done to it, with the values that chance gave.
    pub what: String,
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, side, message, what } = self;
        write!(f, "connection {connection}, {side} {message}: {what}")
    }
}

/// A rule, and how often it may still strike.
#[derive(Debug)]
struct Armed {
    rule: Rule,
    left: AtomicU64,
}

impl Armed {
    fn new(rule: Rule) -> Self {
        let left = AtomicU64::new(rule.times.unwrap_or(u64::MAX));
        Self { rule, left }
    }

    /// Tells whether the rule strikes this message, and if so counts it.
    fn strikes(&self, side: Side, message: u64, rng: &mut Rng) -> bool {
        let due = self.rule.side == side
            && match self.rule.when {
                When::Always => true,
                When::Nth(number) => message == number,
                When::Every(number) => message.is_multiple_of(number),
                When::OneIn(number) => rng.u64(0..number.max(1)) == 0,
            };
        let take = |left: u64| left.checked_sub(1);
        due && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

impl Faults {
    /// Makes a network without faults. What chance decides later follows from `seed`: with the same seed the
    /// same messages of the same connection come to the same harm.
    pub fn new(seed: u64) -> Self {
        let shared = Shared {
            seed,
            rules: Mutex::new(Arc::from([])),
            connections: AtomicU64::new(0),
            counts: Mutex::default(),
            watcher: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Gives the seed.
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// Adds a rule behind those there are. Of the rules that fit a message the first one strikes.
    pub fn add(&self, rule: Rule) {
        let mut rules = lock(&self.shared.rules);
        let old = rules.iter().map(|armed| Armed {
            rule: armed.rule.clone(),
            left: AtomicU64::new(armed.left.load(Ordering::Relaxed)),
        });
        *rules = old.chain([Armed::new(rule)]).collect();
    }

    /// Adds the rule, as with [`add`](Self::add).
    #[must_use]
    pub fn with(self, rule: Rule) -> Self {
        self.add(rule);
        self
    }

    /// Takes all rules away.
    pub fn clear(&self) {
        *lock(&self.shared.rules) = Arc::from([]);
    }

    /// Lists the rules.
    pub fn rules(&self) -> Vec<Rule> {
        lock(&self.shared.rules).iter().map(|armed| armed.rule.clone()).collect()
    }

    /// Gives what has passed, and what has struck, so far.
    pub fn counts(&self) -> Counts {
        lock(&self.shared.counts).clone()
    }

    /// Tells `watcher` of every fault that strikes, before anything of it can be noticed.
    pub fn watch(&self, watcher: impl Fn(&Struck) + Send + Sync + 'static) {
        *lock(&self.shared.watcher) = Some(Arc::new(watcher));
    }

    /// Finds what is to be done to a message.
    fn fault_for(&self, side: Side, message: u64, rng: &mut Rng) -> Option<Fault> {
        let rules = Arc::clone(&lock(&self.shared.rules));
        let armed = rules.iter().find(|armed| armed.strikes(side, message, rng))?;
        Some(armed.rule.fault.clone())
    }

    fn note(&self, struck: &Struck, fault: &Fault) {
        lock(&self.shared.counts).note(fault);
        let watcher = lock(&self.shared.watcher).clone();
        if let Some(watcher) = watcher {
            watcher(struck);
        }
    }

    /// Gives the next connection its number, and the dice of its two sides.
    fn next_connection(&self) -> (u64, [Rng; 2]) {
        let number = self.shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.shared.counts).connections += 1;
        let mut rng = Rng::with_seed(self.shared.seed ^ number.rotate_left(32));
        (number, [rng.fork(), rng.fork()])
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("seed", &self.shared.seed).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
