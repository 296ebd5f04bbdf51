//! What fails, in an order that follows from a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Duration;

use fastrand::Rng;

use super::ServerProcess;
use crate::faults::{At, Fault, Faults, Proxy, Rule, When};
use crate::hostile::{claim, send_garbage};

/// A server and the proxy before it.
pub(super) struct Site {
    pub(super) server: ServerProcess,
    pub(super) proxy: Proxy,
    pub(super) faults: Faults,
}

/// Makes trouble, one kind at a time.
pub(super) struct Trouble {
    rng: Rng,
    /// Kinds that are still to come before any comes again.
    bag: Vec<Kind>,
    made: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Copy)]
enum Kind {
    Cuts,
    Resets,
    Delays,
    Pieces,
    BrokenFrames,
    StrangeReplies,
    HalfOpen,
    Severed,
    Gone,
    Killed,
    Garbage,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Cuts,
        Self::Resets,
        Self::Delays,
        Self::Pieces,
        Self::BrokenFrames,
        Self::StrangeReplies,
        Self::HalfOpen,
        Self::Severed,
        Self::Gone,
        Self::Killed,
        Self::Garbage,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Cuts => "cuts",
            Self::Resets => "resets",
            Self::Delays => "delays",
            Self::Pieces => "pieces",
            Self::BrokenFrames => "broken frames",
            Self::StrangeReplies => "strange replies",
            Self::HalfOpen => "half-open",
            Self::Severed => "severed",
            Self::Gone => "server gone",
            Self::Killed => "server killed",
            Self::Garbage => "garbage",
        }
    }

    /// Rules that harm no payload: of that nobody could tell.
    fn rules(self) -> Vec<Rule> {
        let both = |fault: Fault, one_in| {
            [Rule::request, Rule::reply].map(|rule| rule(fault.clone()).when(When::OneIn(one_in)))
        };
        match self {
            Self::Cuts => both(Fault::Cut(At::Random), 100).into(),
            Self::Resets => both(Fault::Reset(At::Random), 100).into(),
            Self::Delays => both(Fault::Delay(Duration::from_millis(15)), 10).into(),
            Self::Pieces => both(Fault::Slice(500, Duration::from_millis(1)), 10).into(),
            Self::BrokenFrames => {
                let magic = both(Fault::Corrupt(At::Byte(0), None), 200);
                magic.into_iter().chain(both(Fault::Corrupt(At::Byte(13), None), 200)).collect()
            }
            Self::StrangeReplies => {
                let faults = [Fault::Duplicate, Fault::Swap, Fault::Drop, Fault::Seq(1 << 24)];
                let rule = |fault| Rule::reply(fault).when(When::OneIn(50));
                faults.map(rule).into()
            }
            Self::HalfOpen => vec![Rule::request(Fault::Blackhole).when(When::OneIn(20)).times(2)],
            Self::Severed | Self::Gone | Self::Killed | Self::Garbage => Vec::new(),
        }
    }
}

impl Trouble {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), bag: Vec::new(), made: BTreeMap::new() }
    }

    /// Tells whether there was every kind of trouble.
    pub(super) fn was_of_every_kind(&self) -> bool {
        self.made.len() == Kind::ALL.len()
    }

    /// Makes trouble for as long as `lasts`; tells of what kind. What it set up is there until
    /// [`end`](Self::end).
    pub(super) async fn begin(
        &mut self,
        sites: &mut [Site],
        lasts: Duration,
    ) -> io::Result<&'static str> {
        if self.bag.is_empty() {
            self.bag.extend(Kind::ALL);
            self.rng.shuffle(&mut self.bag);
        }
        let kind = self.bag.pop().unwrap_or(Kind::Cuts);
        *self.made.entry(kind.name()).or_default() += 1;
        let which = self.rng.usize(0..=sites.len());
        let rules = kind.rules();
        for (number, site) in sites.iter().enumerate() {
            // One of them, or all.
            if which == number || which == sites.len() {
                for rule in &rules {
                    site.faults.add(rule.clone());
                }
            }
        }
        let place = which.min(sites.len() - 1);
        match kind {
            Kind::Severed => sites.iter().for_each(|site| site.proxy.sever()),
            Kind::Gone => sites[place].proxy.down(),
            Kind::Killed => {
                let last = sites.len() - 1;
                sites[last].server.kill_and_restart().await?;
            }
            Kind::Garbage => {
                for site in sites.iter() {
                    send_garbage(site.server.address(), self.rng.u64(..), 200).await;
                    drop(claim(site.server.address(), u32::MAX, 50).await);
                }
            }
            _ => {}
        }
        tokio::time::sleep(lasts).await;
        Ok(kind.name())
    }

    /// Takes away what was set up, so that all is well again after a moment.
    pub(super) fn end(sites: &[Site]) {
        for site in sites {
            site.faults.clear();
            site.proxy.up();
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> =
            self.made.iter().map(|(name, count)| format!("{count} {name}")).collect();
        f.write_str(&kinds.join(", "))
    }
}
