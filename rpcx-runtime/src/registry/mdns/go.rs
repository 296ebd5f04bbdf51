//! The half that Go speaks: `_rpcxservices.local.`, which `mdns-sd` will not take.
//!
//! It does what Go's zeroconf 1.0.0 does and needs, not all of RFC 6762: answers are always sent to
//! everybody, and always whole.

mod packet;
mod socket;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use self::packet::{About, Answer, Heard};
use self::socket::Socket;
use super::entries::Offer;
use super::half::Half;
use super::peers::Peers;
use super::run::at;
use super::shared::Shared;
use super::text;
use crate::registry::backoff::Backoff;

/// Keeps the half going.
pub(super) async fn run(shared: &Shared) -> Infallible {
    let mut peers = Peers::default();
    let mut backoff = Backoff::new();
    loop {
        let Err(error) = live(shared, &mut peers, &mut backoff).await;
        shared.note_down(Half::Go, &error.to_string());
        backoff.wait().await;
    }
}

/// One life of the socket.
async fn live(shared: &Shared, peers: &mut Peers, backoff: &mut Backoff) -> io::Result<Infallible> {
    let mut speaker = Speaker::new(Socket::open()?, shared.options().timeout);
    let mut buffer = vec![0; LONGEST_PACKET];
    shared.note_up(Half::Go);
    peers.extend(shared.options().patience());
    let mut changes = shared.changes();
    let mut watch = tokio::time::interval(shared.options().watch_interval);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = changes.changed() => speaker.catch_up(shared).await,
            length = speaker.socket.receive(&mut buffer) => {
                let packet = buffer.get(..length?).unwrap_or_default();
                backoff.reset();
                match packet::read(packet) {
                    Some(Heard::Question(about)) => speaker.was_asked(&about),
                    Some(Heard::Answers(answers)) if speaker.asks => {
                        let news = take(shared, peers, &answers);
                        if news.any {
                            shared.hear(Half::Go, peers.announced());
                        }
                        if news.doubt {
                            speaker.ask().await;
                        }
                    }
                    _ => {}
                }
            }
            _ = watch.tick() => {
                speaker.socket.look_for_interfaces()?;
                speaker.catch_up(shared).await;
                speaker.ask().await;
            }
            () = at(speaker.timers.ask_again) => {
                let asked = speaker.asked;
                speaker.ask_again(peers.silent_since(asked)).await;
            }
            () = at(speaker.timers.next_speech()) => speaker.speak().await,
            () = at(peers.next_expiry()) => {
                if peers.expire() {
                    shared.hear(Half::Go, peers.announced());
                }
            }
        }
    }
}

/// What answers bring.
#[derive(Default)]
struct News {
    /// Something is not as it was.
    any: bool,
    /// Some servers are perhaps gone: they are to be asked.
    doubt: bool,
}

/// Takes what others announce.
fn take(shared: &Shared, peers: &mut Peers, answers: &[Answer]) -> News {
    let mut news = News::default();
    for answer in answers.iter().filter(|answer| !shared.is_own(&answer.label)) {
        let name = format!("{}\n", answer.label);
        let announced = text::read(&answer.text);
        let says_nothing = announced.is_empty();
        for announced in announced {
            // The name alone would not do: all Go processes of a host have the same.
            let key = format!("{name}{}\n{}", announced.service, announced.instance.address());
            news.any |= if answer.is_farewell {
                peers.forget(&key)
            } else {
                peers.hear(key, vec![announced], Some(shared.options().patience()))
            };
        }
        // Go unregisters its services, all in the end, and only then says farewell: of nothing. It
        // may not be the only process of that name.
        if answer.is_farewell || says_nothing {
            news.doubt |= peers.doubt(|key| key.starts_with(&name), DOUBT);
        }
    }
    news
}

/// What is said, and when.
struct Speaker {
    socket: Socket,
    timeout: Duration,
    /// What is announced, by name.
    shown: HashMap<Arc<str>, Offer>,
    /// Somebody wants to know who is there.
    asks: bool,
    asked: Instant,
    answered: Option<Instant>,
    timers: Timers,
}

#[derive(Default)]
struct Timers {
    /// The announcement is repeated, once.
    repeat: Option<Instant>,
    /// The questions of the last moments are answered, all at once.
    answer: Option<Instant>,
    /// Who has not answered is asked again.
    ask_again: Option<Instant>,
}

impl Timers {
    fn next_speech(&self) -> Option<Instant> {
        self.repeat.into_iter().chain(self.answer).min()
    }
}

impl Speaker {
    fn new(socket: Socket, timeout: Duration) -> Self {
        let (shown, timers) = (HashMap::new(), Timers::default());
        let asked = Instant::now();
        Self { socket, timeout, shown, asks: false, asked, answered: None, timers }
    }

    /// Announces what is to be announced and is not yet, and takes back what is not.
    async fn catch_up(&mut self, shared: &Shared) {
        let work = shared.work();
        for offer in work.offers {
            if self.shown.get(&offer.label) != Some(&offer) {
                self.say(&offer, LIFE).await;
                shared.note_shown(Half::Go, &offer.label);
                self.shown.insert(Arc::clone(&offer.label), offer);
                self.timers.repeat = Some(Instant::now() + REPEAT);
            }
        }
        for label in work.leaving {
            if let Some(offer) = self.shown.remove(&label) {
                self.say(&offer, 0).await;
            }
            shared.note_silent(Half::Go, &label);
        }
        if work.is_followed && !self.asks {
            self.asks = true;
            self.ask().await;
        }
        self.asks = work.is_followed;
    }

    /// Asks who is there, if somebody wants to know.
    async fn ask(&mut self) {
        if self.asks {
            self.asked = Instant::now();
            self.timers.ask_again = Some(self.asked + self.timeout / 2);
            self.socket.send(|_| packet::question()).await;
        }
    }

    /// Asks once more those that did not answer: a packet may have been lost.
    async fn ask_again(&mut self, some_are_silent: bool) {
        self.timers.ask_again = None;
        if self.asks && some_are_silent {
            self.socket.send(|_| packet::question()).await;
        }
    }

    /// Will answer a little later: others answer too, and others ask too.
    fn was_asked(&mut self, about: &About) {
        let concerned = match about {
            About::One(label) => self.shown.contains_key(&**label),
            About::Everybody => !self.shown.is_empty(),
        };
        if concerned && self.timers.answer.is_none() {
            let wait = Duration::from_millis(fastrand::u64(SHORTEST_WAIT..LONGEST_WAIT));
            let soon = Instant::now() + wait;
            self.timers.answer = Some(self.answered.map_or(soon, |then| soon.max(then + PAUSE)));
        }
    }

    /// Says everything there is to say.
    async fn speak(&mut self) {
        let now = Instant::now();
        self.timers.repeat = self.timers.repeat.filter(|repeat| *repeat > now);
        self.timers.answer = None;
        self.answered = Some(now);
        for offer in self.shown.values() {
            self.say(offer, LIFE).await;
        }
    }

    async fn say(&self, offer: &Offer, life: u32) {
        self.socket.send(|address| packet::answer(offer, address, life)).await;
    }
}

/// How long others may remember what is said, in seconds. Go and this crate do not.
const LIFE: u32 = 120;
/// After which time an announcement is repeated.
const REPEAT: Duration = Duration::from_secs(1);
/// How long a server has to answer that is perhaps gone.
const DOUBT: Duration = Duration::from_secs(1);
/// How long an answer waits for other questions, in milliseconds: RFC 6762, section 6.
const SHORTEST_WAIT: u64 = 20;
const LONGEST_WAIT: u64 = 120;
/// The least time between answers, however many ask. Go's programs wait for one for 1 s or more.
const PAUSE: Duration = Duration::from_millis(300);
/// The longest packet of multicast DNS, in bytes: RFC 6762, section 17.
const LONGEST_PACKET: usize = 9000;
