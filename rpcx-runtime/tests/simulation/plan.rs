//! What a seed stands for: how everything is set up, and what fails when.

use std::time::Duration;

use fastrand::Rng;
use rpcx::client::Ejection;
use rpcx::{Address, SelectMode};

use crate::network::address_of;
use crate::registry::News;

/// What a seed stands for.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) servers: usize,
    pub(crate) clients: usize,
    pub(crate) callers: usize,
    pub(crate) setup: Setup,
    /// Sorted by time.
    pub(crate) events: Vec<(Duration, Event)>,
    /// When servers may fail calls, each from its fault on until it can be relied on again.
    pub(crate) unreliable: Vec<Unreliable>,
    /// What the registry says from when on.
    pub(crate) news: Vec<(Duration, News)>,
    /// From here on nothing fails, and everything has come back.
    pub(crate) recovered: Duration,
    /// When callers begin no more calls.
    pub(crate) end: Duration,
}

/// How clients and the network are set up.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting that is on or off")]
pub(crate) struct Setup {
    pub(crate) select: SelectMode,
    pub(crate) heartbeat: bool,
    pub(crate) attempt_timeout: bool,
    /// Calls go through interceptors, and so take the other way through the client.
    pub(crate) intercepted: bool,
    pub(crate) unlimited_retries: bool,
    pub(crate) breaker: bool,
    pub(crate) sticky: bool,
    pub(crate) in_flight: usize,
    pub(crate) connections: usize,
    pub(crate) waits_for_server: bool,
    pub(crate) ejection: Option<Ejection>,
    pub(crate) piece: usize,
    pub(crate) latency: Duration,
    /// How long a server that stops lets calls finish.
    pub(crate) shutdown: Duration,
}

/// Something that the driver does.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Nothing gets through between the two; what is on its way is lost.
    Partition {
        client: usize,
        server: usize,
    },
    Repair {
        client: usize,
        server: usize,
    },
    /// Nothing gets through between the two until it is released.
    Hold {
        client: usize,
        server: usize,
    },
    Release {
        client: usize,
        server: usize,
    },
    /// The process ends; its system closes the connections.
    Crash(usize),
    /// The machine is gone: nobody hears of it.
    PowerCut(usize),
    /// The process starts, after a crash.
    Start(usize),
    /// The process starts on a machine that was gone.
    PowerUp(usize),
    /// The server lets its calls finish, and ends.
    Stop(usize),
    /// The slowest that messages are from now on.
    Latency(Duration),
    Registry(News),
}

/// When a server cannot be relied on.
#[derive(Clone, Debug)]
pub(crate) struct Unreliable {
    pub(crate) server: usize,
    /// The only client that is concerned, or all.
    pub(crate) client: Option<usize>,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut plan = Self {
            seed,
            servers: rng.usize(2..=4),
            clients: rng.usize(1..=2),
            callers: rng.usize(2..=4),
            setup: Setup::new(&mut rng),
            events: Vec::new(),
            unreliable: Vec::new(),
            news: Vec::new(),
            recovered: FAULTS_END + SETTLE,
            end: FAULTS_END + SETTLE + AFTERWARDS,
        };
        if plan.setup.breaker {
            plan.recovered += BREAKER_OPEN * 2;
            plan.end += BREAKER_OPEN * 2;
        }
        // In half of the runs one server never fails, so that more is promised.
        let first = usize::from(rng.bool());
        for server in first..plan.servers {
            plan.break_server(server, &mut rng);
        }
        plan.shake_registry(&mut rng);
        let mut at = FAULTS_BEGIN;
        while rng.bool() {
            at += ms(rng.u64(200..1_500));
            let slowest = ms(rng.u64(5..25));
            plan.events.push((at, Event::Latency(slowest)));
        }
        plan.events.push((FAULTS_END, Event::Latency(plan.setup.latency)));
        plan.events.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Has the server fail again and again, one fault at a time.
    fn break_server(&mut self, server: usize, rng: &mut Rng) {
        let mut at = FAULTS_BEGIN;
        loop {
            at += ms(rng.u64(50..1_500));
            let until = at + ms(rng.u64(20..1_500));
            if until >= FAULTS_END {
                return;
            }
            let (begins, ends) = self.fault(server, rng);
            let client = match begins {
                Event::Partition { client, .. } | Event::Hold { client, .. } => Some(client),
                _ => None,
            };
            self.events.push((at, begins));
            self.events.push((until, ends));
            self.unreliable.push(Unreliable { server, client, from: at, until: until + SETTLE });
            at = until + ms(10);
        }
    }

    fn fault(&self, server: usize, rng: &mut Rng) -> (Event, Event) {
        let client = rng.usize(0..self.clients);
        // Only heartbeats notice that nothing gets through any more.
        let kinds = if self.setup.heartbeat { 5 } else { 3 };
        match rng.u8(0..kinds) {
            0 => (Event::Hold { client, server }, Event::Release { client, server }),
            1 => (Event::Crash(server), Event::Start(server)),
            2 => (Event::Stop(server), Event::Start(server)),
            3 => (Event::Partition { client, server }, Event::Repair { client, server }),
            _ => (Event::PowerCut(server), Event::PowerUp(server)),
        }
    }

    /// Has the registry leave servers out, name some that are not there, name none, and go away.
    fn shake_registry(&mut self, rng: &mut Rng) {
        let all: Vec<_> =
            (0..self.servers).map(|server| address_of(&server_name(server))).collect();
        let mut now = News::Live(all.clone());
        self.tell(if rng.bool() { Duration::ZERO } else { ms(rng.u64(0..300)) }, now.clone());
        let mut at = FAULTS_BEGIN;
        let calm = rng.bool();
        let dies = rng.u8(0..4) == 0;
        loop {
            at += ms(if calm { rng.u64(500..2_000) } else { rng.u64(1..400) });
            if at >= FAULTS_END {
                break;
            }
            let (News::Live(last) | News::Lost(last)) = &now else { break };
            now = match rng.u8(0..8) {
                0 | 1 => News::Lost(last.clone()),
                2 => News::Live(Vec::new()),
                3 => News::Live(all.iter().filter(|_| rng.bool()).cloned().collect()),
                4 | 5 => News::Live(with_strangers(&all, rng)),
                _ => News::Live(all.clone()),
            };
            self.tell(at, now.clone());
        }
        let lost = rng.bool();
        self.tell(FAULTS_END, News::Live(all.clone()));
        if lost {
            self.tell(FAULTS_END + ms(5), News::Lost(all));
        }
        if dies {
            self.tell(FAULTS_END + ms(10), News::Gone);
        }
    }

    fn tell(&mut self, at: Duration, news: News) {
        self.events.push((at, Event::Registry(news.clone())));
        self.news.push((at, news));
    }
}

impl Setup {
    fn new(rng: &mut Rng) -> Self {
        let selects = [
            SelectMode::Random,
            SelectMode::RoundRobin,
            SelectMode::WeightedRoundRobin,
            SelectMode::LeastPending,
            SelectMode::ConsistentHash,
            SelectMode::WeightedPing,
        ];
        let heartbeat = rng.u8(0..3) > 0;
        let select = selects[rng.usize(0..selects.len())];
        Self {
            select,
            heartbeat,
            attempt_timeout: !heartbeat || rng.bool(),
            intercepted: rng.bool(),
            unlimited_retries: rng.u8(0..4) > 0,
            breaker: rng.u8(0..6) == 0,
            sticky: rng.u8(0..6) == 0,
            in_flight: if rng.u8(0..4) == 0 { 2 } else { 1_024 },
            connections: rng.usize(1..=2),
            // Of those who measure and those who wait, tokio wakes any first.
            waits_for_server: rng.bool() && select != SelectMode::WeightedPing,
            ejection: match rng.u8(0..4) {
                0 => None,
                1 => Some(Ejection::default()),
                _ => Some(Ejection::new().first(ms(200)).longest(ms(800))),
            },
            piece: [13, 90, 4_096, usize::MAX][rng.usize(0..4)],
            latency: ms(rng.u64(2..20)),
            shutdown: ms(if rng.bool() { 50 } else { 700 }),
        }
    }
}

impl Plan {
    /// Tells whether an idempotent call of a client, in `Failover` and with all the time it may need, is
    /// promised to succeed: while it was made, some server could be relied on and was in the list.
    ///
    /// Such a call visits every server in the list once before any a second time, so more attempts
    /// than servers are enough, and the time of as many attempts as it may need. What is not
    /// promised: that a retry budget or a breaker lets the attempts through.
    pub(crate) fn promises_success(&self, client: usize, from: Duration, until: Duration) -> bool {
        if !self.setup.unlimited_retries || self.setup.breaker {
            return false;
        }
        (0..self.servers).any(|server| {
            let fails = self.unreliable.iter().any(|fault| {
                fault.server == server
                    && fault.client.is_none_or(|concerned| concerned == client)
                    && fault.from < until
                    && fault.until > from
            });
            !fails && self.is_listed(server, from, until)
        })
    }

    /// Tells whether the server was in the list all the time, or, where calls wait for one, again in
    /// time.
    fn is_listed(&self, server: usize, from: Duration, until: Duration) -> bool {
        let address = address_of(&server_name(server));
        let mut listed_before = false;
        for (place, (at, news)) in self.news.iter().enumerate() {
            let next = self.news.get(place + 1).map_or(FOREVER, |(next, _)| *next);
            let listed = match news {
                News::Live(servers) | News::Lost(servers) => servers.contains(&address),
                News::Gone => listed_before,
            };
            listed_before = listed;
            // The list is the client's only a moment after the registry's.
            let concerns = *at < until && next + NEWS_TRAVEL > from;
            if concerns && !listed {
                return false;
            }
        }
        self.news.first().is_some_and(|(at, _)| *at + NEWS_TRAVEL <= from)
    }

    /// Tells whether all of this is over and done with for good.
    pub(crate) fn is_recovered(&self, at: Duration) -> bool {
        at >= self.recovered
    }
}

pub(crate) fn server_name(server: usize) -> String {
    format!("server-{server}")
}

pub(crate) fn client_name(client: usize) -> String {
    format!("client-{client}")
}

fn with_strangers(all: &[Address], rng: &mut Rng) -> Vec<Address> {
    let strangers =
        ["tcp@10.9.9.9:1", "tcp@nobody:1"].map(|text| text.parse().expect("an address"));
    let mut list: Vec<Address> = all.iter().filter(|_| rng.u8(0..4) > 0).cloned().collect();
    list.extend(strangers.into_iter().take(rng.usize(1..=2)));
    rng.shuffle(&mut list);
    list
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const FAULTS_BEGIN: Duration = ms(500);
const FAULTS_END: Duration = ms(5_000);
/// How long callers go on after everything has come back.
const AFTERWARDS: Duration = ms(2_500);
/// How long opening a connection may take.
pub(crate) const CONNECT: Duration = ms(150);
/// How often the server is asked for a sign of life, and how long it has to answer.
pub(crate) const HEARTBEAT: Duration = ms(150);
/// How long an attempt may take where that is limited.
pub(crate) const ATTEMPT: Duration = ms(250);
/// How long a breaker stays open.
pub(crate) const BREAKER_OPEN: Duration = ms(300);
/// How long a server is not relied on after a fault has ended: a dial, a heartbeat and its answer, and
/// messages that were held.
const SETTLE: Duration = ms(150 + 150 + 150 + 150);
/// How long the registry's news take to the client, both being in one process.
const NEWS_TRAVEL: Duration = ms(10);
const FOREVER: Duration = Duration::from_secs(86_400);
