//! The circuit breaker: whether a server that keeps failing is given a call at all.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::health::Trouble;
use super::timer::LONGEST;
use crate::address::Address;

/// When a server that keeps failing is given no more calls, and for how long.
///
/// After so many failures without a success between them the circuit to the server opens: it gets
/// no calls. When that time is over, one call goes through as a probe; its success closes the
/// circuit, its failure opens it again for as long. The default is 5 failures and 30 s, as in the
/// example of Go rpcx.
///
/// Go's `ConsecCircuitBreaker` (rpcx 1.9.4) counts failed dials only, and after its time lets all
/// calls through at once. Here failures of calls count as well, and successes end a series.
///
/// ```
/// use std::time::Duration;
///
/// use rpcx::client::Breaker;
///
/// assert_eq!(Breaker::default(), Breaker::consecutive(5, Duration::from_secs(30)));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Breaker {
    failures: u32,
    open_for: Duration,
}

impl Breaker {
    /// Opens after so many `failures` in a row, at least 1, and stays so for `open_for`, at most a
    /// year.
    #[must_use]
    pub fn consecutive(failures: u32, open_for: Duration) -> Self {
        Self { failures: failures.max(1), open_for: open_for.min(LONGEST) }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::consecutive(5, Duration::from_secs(30))
    }
}

/// What a circuit breaker does with calls to its server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BreakerState {
    /// They go through.
    Closed,
    /// They do not, until then.
    Open {
        /// When a probe may go through.
        until: Instant,
    },
    /// One at a time goes through, to see how the server is.
    HalfOpen,
}

/// Why a call may not go to the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refused {
    /// It has failed too often; a probe may go there at this time.
    Open { until: Instant },
    /// A probe is on its way.
    Probing,
}

/// The circuit to one server.
#[derive(Debug)]
pub(super) struct Circuit {
    breaker: Breaker,
    address: Address,
    /// Knows of a circuit that is not closed.
    trouble: Trouble,
    /// What most calls need to know of `state`, as [`State::glance`] puts it.
    glance: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// How many phases there were before this one; may wrap.
    epoch: u32,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { probing: bool },
}

/// A call that may go to the server: its outcome is to be told.
///
/// One that is dropped instead, as its call was given up, leaves things as they are; if it was a
/// probe, the next call may be one.
#[derive(Debug)]
#[must_use = "the outcome of the call is to be told"]
pub(super) struct Permit {
    /// An outcome counts only in the phase in which its call began.
    epoch: u32,
    /// The circuit that waits for this probe. Other calls get along without another reference.
    probe: Option<Arc<Circuit>>,
}

impl Circuit {
    pub(super) fn new(breaker: Breaker, address: Address, trouble: Trouble) -> Self {
        let state = State { phase: Phase::Closed { failures: 0 }, epoch: 0 };
        let glance = AtomicU32::new(state.glance());
        Self { breaker, address, trouble, glance, state: Mutex::new(state) }
    }

    /// Lets a call go to the server, or says why not.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Permit, Refused> {
        // Relaxed: a call that learns a moment late that the circuit is open only fails like those
        // before it.
        let glance = self.glance.load(Ordering::Relaxed);
        if glance & PHASE != OTHER {
            return Ok(Permit { epoch: glance >> PHASE_BITS, probe: None });
        }
        self.admit_slowly()
    }

    fn admit_slowly(self: &Arc<Self>) -> Result<Permit, Refused> {
        let mut state = self.lock();
        match state.phase {
            Phase::Closed { .. } => return Ok(Permit { epoch: state.epoch, probe: None }),
            Phase::Open { until } if Instant::now() < until => return Err(Refused::Open { until }),
            Phase::HalfOpen { probing: true } => return Err(Refused::Probing),
            Phase::Open { .. } => state.enter(Phase::HalfOpen { probing: true }),
            Phase::HalfOpen { probing: false } => state.phase = Phase::HalfOpen { probing: true },
        }
        let epoch = state.epoch;
        self.put(state);
        tracing::info!(server = %self.address, "circuit half-open: one call goes through");
        Ok(Permit { epoch, probe: Some(Arc::clone(self)) })
    }

    /// Tells what the breaker does with calls now.
    pub(super) fn state(&self) -> BreakerState {
        match self.lock().phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until } if Instant::now() < until => BreakerState::Open { until },
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Tells whether a call would be refused now.
    pub(super) fn is_refusing(&self) -> bool {
        if self.glance.load(Ordering::Relaxed) & PHASE != OTHER {
            return false;
        }
        match self.lock().phase {
            Phase::Closed { .. } => false,
            Phase::Open { until } => Instant::now() < until,
            Phase::HalfOpen { probing } => probing,
        }
    }

    fn succeeded(&self, epoch: u32) {
        if self.glance.load(Ordering::Relaxed) & PHASE == FLAWLESS {
            return;
        }
        let mut state = self.lock();
        if state.epoch != epoch {
            return;
        }
        let closes = matches!(state.phase, Phase::HalfOpen { .. });
        match &mut state.phase {
            Phase::Closed { failures } => *failures = 0,
            Phase::HalfOpen { .. } => state.enter(Phase::Closed { failures: 0 }),
            Phase::Open { .. } => {}
        }
        self.put(state);
        if closes {
            tracing::info!(server = %self.address, "circuit closed");
        }
    }

    /// Notes that the server could not be connected to: once, however many calls waited for that.
    pub(super) fn dial_failed(&self) {
        let epoch = self.lock().epoch;
        self.failed(epoch);
    }

    fn failed(&self, epoch: u32) {
        let mut state = self.lock();
        if state.epoch != epoch {
            return;
        }
        let opens = match &mut state.phase {
            Phase::Closed { failures } => {
                *failures += 1;
                *failures >= self.breaker.failures
            }
            Phase::HalfOpen { .. } => true,
            Phase::Open { .. } => false,
        };
        if opens {
            state.enter(Phase::Open { until: Instant::now() + self.breaker.open_for });
        }
        self.put(state);
        if opens {
            let open_for = self.breaker.open_for;
            tracing::warn!(server = %self.address, ?open_for, "circuit open: no calls go through");
        }
    }

    /// Frees the place of a probe that came to nothing.
    fn forget_probe(&self, epoch: u32) {
        let mut state = self.lock();
        if state.epoch == epoch {
            state.phase = Phase::HalfOpen { probing: false };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a change.
    fn put(&self, state: MutexGuard<'_, State>) {
        let after = state.glance();
        let before = self.glance.swap(after, Ordering::Relaxed);
        match (before & PHASE == OTHER, after & PHASE == OTHER) {
            (false, true) => self.trouble.begin(),
            (true, false) => self.trouble.end(),
            (true, true) | (false, false) => {}
        }
        drop(state);
    }
}

impl Drop for Circuit {
    /// A server that is gone troubles nobody.
    fn drop(&mut self) {
        if *self.glance.get_mut() & PHASE == OTHER {
            self.trouble.end();
        }
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch = self.epoch.wrapping_add(1) & EPOCHS;
    }

    /// Puts the kind of phase and the epoch into one word.
    fn glance(&self) -> u32 {
        let kind = match self.phase {
            Phase::Closed { failures: 0 } => FLAWLESS,
            Phase::Closed { .. } => COUNTING,
            Phase::Open { .. } | Phase::HalfOpen { .. } => OTHER,
        };
        (self.epoch << PHASE_BITS) | kind
    }
}

impl Permit {
    /// Notes that the server did its part. The circuit is the one that gave the permit.
    pub(super) fn success(mut self, circuit: &Circuit) {
        let own = self.probe.take();
        own.as_deref().unwrap_or(circuit).succeeded(self.epoch);
    }

    /// Notes that the server failed. The circuit is the one that gave the permit.
    pub(super) fn failure(mut self, circuit: &Circuit) {
        let own = self.probe.take();
        own.as_deref().unwrap_or(circuit).failed(self.epoch);
    }

    /// Tells whether the circuit waits for this call's outcome.
    pub(super) fn is_probe(&self) -> bool {
        self.probe.is_some()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(circuit) = self.probe.take() {
            circuit.forget_probe(self.epoch);
        }
    }
}

/// The kind of phase takes the low bits of a glance, the epoch all others.
const PHASE_BITS: u32 = 2;
const PHASE: u32 = 0b11;
const EPOCHS: u32 = u32::MAX >> PHASE_BITS;
/// Closed, without a failure since the last success.
const FLAWLESS: u32 = 0;
/// Closed, with some.
const COUNTING: u32 = 1;
/// Open or half-open.
const OTHER: u32 = 2;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn circuit(failures: u32, open_for: Duration) -> Arc<Circuit> {
        let address = "memory@breaker".parse().unwrap();
        Arc::new(Circuit::new(
            Breaker::consecutive(failures, open_for),
            address,
            Trouble::default(),
        ))
    }

    fn admit(circuit: &Arc<Circuit>) -> Permit {
        circuit.admit().unwrap()
    }

    fn fail(circuit: &Arc<Circuit>, times: u32) {
        (0..times).for_each(|_| admit(circuit).failure(circuit));
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_so_many_failures_in_a_row() {
        let circuit = circuit(3, SECOND);
        fail(&circuit, 2);
        assert_eq!(circuit.state(), BreakerState::Closed);
        fail(&circuit, 1);
        let until = Instant::now() + SECOND;
        assert_eq!(circuit.state(), BreakerState::Open { until });
        assert_eq!(circuit.admit().unwrap_err(), Refused::Open { until });
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_ends_a_series() {
        let circuit = circuit(3, SECOND);
        fail(&circuit, 2);
        admit(&circuit).success(&circuit);
        fail(&circuit, 2);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_call_is_neither() {
        let circuit = circuit(3, SECOND);
        fail(&circuit, 2);
        drop(admit(&circuit));
        assert_eq!(circuit.state(), BreakerState::Closed);
        fail(&circuit, 1);
        assert_ne!(circuit.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_time_one_probe_goes_through() {
        let circuit = circuit(1, SECOND);
        fail(&circuit, 1);
        advance(Duration::from_millis(999)).await;
        assert!(circuit.admit().is_err());
        advance(Duration::from_millis(1)).await;
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        let probe = admit(&circuit);
        assert!(probe.is_probe());
        assert_eq!(circuit.admit().unwrap_err(), Refused::Probing);
        advance(100 * SECOND).await;
        assert_eq!(circuit.admit().unwrap_err(), Refused::Probing);
        drop(probe);
    }

    #[tokio::test(start_paused = true)]
    async fn the_probe_decides() {
        let circuit = circuit(2, SECOND);
        fail(&circuit, 2);
        advance(SECOND).await;
        admit(&circuit).failure(&circuit);
        let until = Instant::now() + SECOND;
        assert_eq!(circuit.state(), BreakerState::Open { until });
        advance(SECOND).await;
        admit(&circuit).success(&circuit);
        assert_eq!(circuit.state(), BreakerState::Closed);
        assert!(!admit(&circuit).is_probe());
        fail(&circuit, 1);
        assert_eq!(circuit.state(), BreakerState::Closed, "the count began anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_frees_its_place() {
        let circuit = circuit(1, SECOND);
        fail(&circuit, 1);
        advance(SECOND).await;
        drop(admit(&circuit));
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        let probe = admit(&circuit);
        assert!(probe.is_probe());
        probe.success(&circuit);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn what_became_of_calls_of_earlier_phases_does_not_count() {
        let circuit = circuit(1, SECOND);
        let [early, late, later] = [(); 3].map(|()| admit(&circuit));
        fail(&circuit, 1);
        let open = circuit.state();
        advance(SECOND / 2).await;
        early.failure(&circuit);
        late.success(&circuit);
        assert_eq!(circuit.state(), open);
        advance(SECOND).await;
        let probe = admit(&circuit);
        later.failure(&circuit);
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        probe.success(&circuit);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    /// No lock is taken: it would never end here.
    #[tokio::test(start_paused = true)]
    async fn calls_do_not_wait_for_each_other_when_all_is_well() {
        let circuit = circuit(2, SECOND);
        let state = circuit.lock();
        admit(&circuit).success(&circuit);
        drop(admit(&circuit));
        drop(state);
        fail(&circuit, 1);
        let state = circuit.lock();
        drop(admit(&circuit));
        drop(state);
    }

    #[tokio::test(start_paused = true)]
    async fn settings_have_bounds() {
        let never_again = circuit(0, Duration::MAX);
        fail(&never_again, 1);
        assert!(matches!(never_again.state(), BreakerState::Open { .. }));
        let at_once = circuit(1, Duration::ZERO);
        fail(&at_once, 1);
        assert!(admit(&at_once).is_probe());
    }

    #[test]
    fn epochs_may_wrap() {
        let mut state = State { phase: Phase::HalfOpen { probing: true }, epoch: EPOCHS };
        state.enter(Phase::Closed { failures: 1 });
        assert_eq!((state.epoch, state.glance()), (0, COUNTING));
    }

    #[test]
    fn of_many_threads_one_probes_at_a_time() {
        let circuit = circuit(1, Duration::ZERO);
        let (probes, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let call = |chance: u8| {
            let Ok(permit) = circuit.admit() else { return };
            let probe = permit.is_probe();
            if probe {
                assert_eq!(probes.fetch_add(1, Ordering::SeqCst), 0, "two probes");
                seen.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
                probes.fetch_sub(1, Ordering::SeqCst);
            }
            match chance {
                0 => drop(permit),
                1..=3 => permit.failure(&circuit),
                _ => permit.success(&circuit),
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..20_000).for_each(|_| call(fastrand::u8(..10))));
            }
        });
        assert!(seen.into_inner() > 0);
        // Nothing is stuck, and what is glanced at is the state.
        if let Ok(permit) = circuit.admit() {
            permit.success(&circuit);
        }
        assert_eq!(circuit.state(), BreakerState::Closed);
        assert_eq!(circuit.glance.load(Ordering::Relaxed), circuit.lock().glance());
    }
}
