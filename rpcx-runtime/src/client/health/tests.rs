use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
/// The longest that an ejection of a second can take.
const SECOND_AND_JITTER: Duration = Duration::from_millis(1_200);

fn health(ejection: Option<Ejection>) -> (Arc<Health>, Trouble) {
    let trouble = Trouble::default();
    let address = "memory@health".parse().unwrap();
    (Arc::new(Health::new(address, ejection, trouble.clone())), trouble)
}

fn usual() -> (Arc<Health>, Trouble) {
    health(Some(Ejection::default()))
}

fn fail(health: &Health, failure: Failure, times: u32) {
    (0..times).for_each(|_| health.failed(failure));
}

fn is_ejected(health: &Health) -> bool {
    matches!(health.standing(), Standing::Ejected { .. })
}

/// Gives how long the server is passed over from now on.
fn time_out(health: &Health) -> Duration {
    health.lock().out.map_or(Duration::ZERO, |out| out.until.duration_since(Instant::now()))
}

#[tokio::test(start_paused = true)]
async fn a_failed_dial_makes_a_server_unreachable_at_once() {
    let (health, trouble) = usual();
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
    health.failed(Failure::Dial);
    assert_eq!((health.standing(), trouble.any()), (Standing::Unreachable, true));
    advance(Duration::from_millis(999)).await;
    assert_eq!(health.standing(), Standing::Unreachable);
    assert!(health.try_probe().is_none());
    advance(MILLISECOND).await;
    assert_eq!((health.standing(), trouble.any()), (Standing::ProbeDue, true));
}

#[tokio::test(start_paused = true)]
async fn a_server_leaves_once_however_often_it_says_so() {
    let (health, _trouble) = usual();
    (0..8).for_each(|_| health.leaves());
    assert!(health.is_leaving());
    assert_eq!(time_out(&health), SECOND);
    health.reached();
    assert_eq!(health.standing(), Standing::Good);
    health.leaves();
    assert_eq!(time_out(&health), SECOND);
}

#[tokio::test(start_paused = true)]
async fn each_failed_dial_doubles_the_time() {
    let (health, _trouble) = usual();
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        health.failed(Failure::Dial);
        assert_eq!(time_out(&health), Duration::from_secs(seconds));
        advance(time_out(&health)).await;
    }
    health.succeeded();
    health.failed(Failure::Dial);
    assert_eq!(time_out(&health), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_connection_makes_an_unreachable_server_good() {
    let (health, trouble) = usual();
    health.failed(Failure::Dial);
    advance(SECOND).await;
    health.failed(Failure::Dial);
    health.reached();
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
    health.failed(Failure::Dial);
    assert_eq!(time_out(&health), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_connection_was_lost_is_avoided_for_a_moment() {
    let (health, trouble) = usual();
    health.severed();
    assert_eq!((health.standing(), trouble.any()), (Standing::Severed, true));
    advance(Duration::from_millis(60)).await;
    health.severed();
    advance(Duration::from_millis(99)).await;
    assert!(health.try_probe().is_none());
    // News of before, and a server that is ending.
    health.succeeded();
    health.reached();
    assert_eq!((health.standing(), trouble.any()), (Standing::Severed, true));
    advance(MILLISECOND).await;
    let probe = health.try_probe().unwrap();
    health.reached();
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
    drop(probe);
    // It is no failed dial, and does not shorten what one brought.
    health.failed(Failure::Dial);
    assert_eq!(time_out(&health), SECOND);
    health.severed();
    assert_eq!(time_out(&health), SECOND);
}

#[tokio::test(start_paused = true)]
async fn losses_eject_though_the_server_is_avoided_meanwhile() {
    let (health, _trouble) = usual();
    for _ in 0..5 {
        assert!(!is_ejected(&health));
        health.severed();
        health.failed(Failure::Lost);
    }
    assert!(is_ejected(&health));
    assert!((SECOND..=SECOND_AND_JITTER).contains(&time_out(&health)));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_better_than_a_server_that_keeps_failing() {
    use Standing::{Good, Severed, Unreachable};
    let ejected = Standing::Ejected { since: Instant::now() };
    assert_eq!(usable(&[Good, Severed]), [0]);
    assert_eq!(usable(&[ejected, Severed]), [1]);
    assert_eq!(usable(&[Severed, Unreachable]), [0]);
    assert_eq!(usable(&[Severed, Severed]), [0, 1]);
    assert_eq!(usable(&[ejected, ejected, Severed]), [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_eject() {
    let (health, trouble) = usual();
    fail(&health, Failure::Lost, 2);
    fail(&health, Failure::Slow, 2);
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
    fail(&health, Failure::Lost, 1);
    let since = Instant::now();
    assert_eq!((health.standing(), trouble.any()), (Standing::Ejected { since }, true));
    assert!((SECOND..=SECOND_AND_JITTER).contains(&time_out(&health)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_a_series() {
    let (health, _trouble) = usual();
    fail(&health, Failure::Slow, 4);
    health.succeeded();
    fail(&health, Failure::Slow, 4);
    assert_eq!(health.standing(), Standing::Good);
}

#[tokio::test(start_paused = true)]
async fn a_connection_does_not_end_a_series() {
    let (health, _trouble) = usual();
    for _ in 0..5 {
        health.reached();
        health.failed(Failure::Lost);
    }
    assert!(is_ejected(&health));
    health.reached();
    assert!(is_ejected(&health));
}

#[tokio::test(start_paused = true)]
async fn one_probe_goes_while_others_keep_away() {
    let (health, _trouble) = usual();
    fail(&health, Failure::Slow, 5);
    assert!(health.try_probe().is_none());
    advance(SECOND_AND_JITTER).await;
    assert_eq!(health.standing(), Standing::ProbeDue);
    let probe = health.try_probe().unwrap();
    assert!(is_ejected(&health));
    assert!(health.try_probe().is_none());
    advance(100 * SECOND).await;
    assert!(is_ejected(&health));
    probe.succeeded();
    assert_eq!(health.standing(), Standing::Good);
    assert!(health.try_probe().is_none(), "nothing to probe");
}

#[tokio::test(start_paused = true)]
async fn failed_probes_double_the_time() {
    let (health, trouble) = usual();
    fail(&health, Failure::Slow, 5);
    for seconds in [2, 4, 8, 16, 30, 30] {
        advance(time_out(&health)).await;
        health.try_probe().unwrap().failed(Failure::Slow);
        let shortest = Duration::from_secs(seconds);
        assert!((shortest..=shortest.mul_f64(1.2)).contains(&time_out(&health)));
        assert!(is_ejected(&health));
    }
    health.succeeded();
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
    fail(&health, Failure::Slow, 5);
    assert!(time_out(&health) <= SECOND_AND_JITTER);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_frees_its_place() {
    let (health, _trouble) = usual();
    fail(&health, Failure::Slow, 5);
    advance(SECOND_AND_JITTER).await;
    drop(health.try_probe().unwrap());
    assert_eq!(health.standing(), Standing::ProbeDue);
    health.try_probe().unwrap().succeeded();
    assert_eq!(health.standing(), Standing::Good);
}

#[tokio::test(start_paused = true)]
async fn news_of_calls_from_before_does_not_prolong_an_ejection() {
    let (health, _trouble) = usual();
    fail(&health, Failure::Slow, 5);
    let time = time_out(&health);
    fail(&health, Failure::Slow, 20);
    fail(&health, Failure::Lost, 20);
    assert_eq!(time_out(&health), time);
    advance(time).await;
    fail(&health, Failure::Slow, 20);
    assert_eq!(health.standing(), Standing::ProbeDue);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_an_answer() {
    let (health, trouble) = usual();
    fail(&health, Failure::Slow, 5);
    health.succeeded();
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
}

#[tokio::test(start_paused = true)]
async fn an_ejected_server_that_cannot_be_reached_is_probed_once_it_can() {
    let (health, _trouble) = usual();
    fail(&health, Failure::Lost, 5);
    advance(SECOND_AND_JITTER).await;
    let probe = health.try_probe().unwrap();
    health.failed(Failure::Dial);
    drop(probe);
    assert_eq!(health.standing(), Standing::Unreachable);
    assert_eq!(time_out(&health), SECOND);
    advance(SECOND).await;
    let probe = health.try_probe().unwrap();
    health.reached();
    assert!(is_ejected(&health), "others wait for the probe");
    probe.failed(Failure::Lost);
    assert!((2 * SECOND..=2 * SECOND_AND_JITTER).contains(&time_out(&health)));
}

#[tokio::test(start_paused = true)]
async fn a_failed_dial_does_not_shorten_an_ejection() {
    let (health, _trouble) = health(Some(Ejection::new().failures(1).first(8 * SECOND)));
    health.failed(Failure::Slow);
    advance(time_out(&health)).await;
    health.try_probe().unwrap().failed(Failure::Slow);
    let time = time_out(&health);
    assert!(time >= 16 * SECOND);
    health.failed(Failure::Dial);
    assert_eq!((health.standing(), time_out(&health)), (Standing::Unreachable, time));
}

#[tokio::test(start_paused = true)]
async fn the_failed_dial_of_a_probe_counts_once() {
    let (health, _trouble) = usual();
    health.failed(Failure::Dial);
    advance(SECOND).await;
    let probe = health.try_probe().unwrap();
    health.failed(Failure::Dial);
    probe.failed(Failure::Dial);
    assert_eq!(time_out(&health), 2 * SECOND);
    advance(2 * SECOND).await;
    health.try_probe().unwrap().failed(Failure::Dial);
    assert_eq!(time_out(&health), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_lost_after_its_dial_is_the_first_failure() {
    let (health, _trouble) = usual();
    health.failed(Failure::Dial);
    advance(SECOND).await;
    health.try_probe().unwrap().failed(Failure::Lost);
    assert_eq!(health.standing(), Standing::Good);
    fail(&health, Failure::Lost, 4);
    assert!(is_ejected(&health));
}

#[tokio::test(start_paused = true)]
async fn there_is_one_probe_even_if_the_server_is_put_out_anew() {
    let (health, _trouble) = usual();
    health.failed(Failure::Dial);
    advance(SECOND).await;
    let probe = health.try_probe().unwrap();
    health.failed(Failure::Dial);
    advance(2 * SECOND).await;
    assert!(health.try_probe().is_none());
    drop(probe);
    assert!(health.try_probe().is_some());
}

#[tokio::test(start_paused = true)]
async fn without_ejection_only_dials_count() {
    let (health, trouble) = health(None);
    fail(&health, Failure::Slow, 100);
    fail(&health, Failure::Lost, 100);
    assert_eq!((health.standing(), trouble.any()), (Standing::Good, false));
    health.failed(Failure::Dial);
    assert_eq!(health.standing(), Standing::Unreachable);
    advance(SECOND).await;
    health.try_probe().unwrap().failed(Failure::Slow);
    assert_eq!(health.standing(), Standing::Good);
}

#[tokio::test(start_paused = true)]
async fn settings_count() {
    let settings = Ejection::new().failures(0).first(3 * SECOND).longest(4 * SECOND);
    let (briefly, _trouble) = health(Some(settings));
    briefly.failed(Failure::Slow);
    assert!((3 * SECOND..=Duration::from_millis(3_600)).contains(&time_out(&briefly)));
    advance(time_out(&briefly)).await;
    briefly.try_probe().unwrap().failed(Failure::Lost);
    assert!((4 * SECOND..=Duration::from_millis(4_800)).contains(&time_out(&briefly)));
    let settings = Ejection::new().first(Duration::MAX).longest(Duration::MAX);
    let (for_ever, _trouble) = health(Some(settings));
    for_ever.failed(Failure::Dial);
    assert_eq!(for_ever.standing(), Standing::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn trouble_counts_servers_and_forgets_those_that_are_gone() {
    let trouble = Trouble::default();
    let [first, second] = ["memory@first", "memory@second"].map(|address| {
        Health::new(address.parse().unwrap(), Some(Ejection::default()), trouble.clone())
    });
    let count = || trouble.0.load(Ordering::Relaxed);
    fail(&first, Failure::Dial, 3);
    fail(&second, Failure::Slow, 7);
    assert_eq!(count(), 2);
    second.succeeded();
    second.succeeded();
    assert_eq!(count(), 1);
    drop((first, second));
    assert_eq!(count(), 0);
}

/// No lock is taken: it would never end here.
#[tokio::test(start_paused = true)]
async fn calls_do_not_wait_for_each_other_when_all_is_well() {
    let (health, _trouble) = usual();
    let record = health.lock();
    health.succeeded();
    health.reached();
    assert_eq!(health.standing(), Standing::Good);
    drop(record);
    health.failed(Failure::Slow);
    let record = health.lock();
    assert_eq!(health.standing(), Standing::Good);
    drop(record);
}

#[test]
fn of_many_threads_one_probes_at_a_time() {
    let settings = Ejection::new().failures(1).first(Duration::ZERO).longest(Duration::ZERO);
    let (health, trouble) = health(Some(settings));
    let (probes, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failure = |chance| [Failure::Dial, Failure::Lost, Failure::Slow][chance % 3];
    let call = || {
        let chance = fastrand::usize(..9);
        match (health.standing(), chance) {
            (Standing::ProbeDue, _) => {
                let Some(probe) = health.try_probe() else { return };
                assert_eq!(probes.fetch_add(1, Ordering::SeqCst), 0, "two probes");
                seen.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
                probes.fetch_sub(1, Ordering::SeqCst);
                match chance {
                    0..3 => probe.failed(failure(chance)),
                    3..6 => probe.succeeded(),
                    _ => drop(probe),
                }
            }
            (Standing::Good, 0..3) => health.failed(failure(chance)),
            (Standing::Good, _) => health.succeeded(),
            (_, 0) => health.reached(),
            _ => std::thread::yield_now(),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20_000).for_each(|_| call()));
        }
    });
    assert!(seen.into_inner() > 0);
    assert_eq!(trouble.any(), health.standing() != Standing::Good);
    health.succeeded();
    let record = health.lock();
    assert!(!record.probing);
    assert_eq!(health.mood.load(Ordering::Relaxed), FLAWLESS);
    assert_eq!(trouble.0.load(Ordering::Relaxed), 0);
    drop(record);
}

mod usable {
    use super::super::usable;
    use super::*;

    /// Reads one letter a server: `g`ood, `u`nreachable, `p`robe due; a digit is an ejection, the
    /// larger the later.
    fn places(letters: &str) -> Vec<usize> {
        let start = Instant::now();
        let standing = |letter: char| match letter {
            'g' => Standing::Good,
            'u' => Standing::Unreachable,
            'p' => Standing::ProbeDue,
            digit => {
                let seconds = digit.to_digit(10).unwrap();
                Standing::Ejected { since: start + SECOND * seconds }
            }
        };
        usable(&letters.chars().map(standing).collect::<Vec<_>>())
    }

    #[test]
    fn the_ejected_are_left_out_up_to_a_half() {
        assert_eq!(places("g1gg"), [0, 2, 3]);
        assert_eq!(places("1g2g"), [1, 3]);
        assert_eq!(places("3g12"), [1, 2]);
        assert_eq!(places("4132"), [1, 3]);
        assert_eq!(places("g21"), [0, 2]);
        assert_eq!(places("2g"), [1]);
        assert_eq!(places("21"), [1]);
    }

    #[test]
    fn the_only_server_is_never_left_out() {
        for letters in ["g", "u", "p", "1"] {
            assert_eq!(places(letters), [0]);
        }
        assert_eq!(places(""), [0; 0]);
    }

    #[test]
    fn the_unreachable_are_left_out_whatever_their_share() {
        assert_eq!(places("uuugu"), [3]);
        assert_eq!(places("uuupu"), [3]);
        assert_eq!(places("uuuu"), [0, 1, 2, 3]);
    }

    #[test]
    fn an_ejected_server_is_better_than_an_unreachable_one() {
        assert_eq!(places("uu1u"), [2]);
        assert_eq!(places("u1u2"), [1, 3]);
        assert_eq!(places("u123"), [1]);
    }

    fn standings() -> impl Strategy<Value = Vec<Standing>> {
        let start = Instant::now();
        let standing = prop_oneof![
            Just(Standing::Good),
            Just(Standing::Unreachable),
            Just(Standing::ProbeDue),
            (0_u32..5)
                .prop_map(move |seconds| Standing::Ejected { since: start + SECOND * seconds }),
        ];
        prop::collection::vec(standing, 1..40)
    }

    proptest! {
        #[test]
        fn leaves_somebody_and_ejects_half_at_most(standings in standings()) {
            let usable = usable(&standings);
            let is_left_out = |place: &usize| !usable.contains(place);
            let left_out: Vec<_> = (0..standings.len()).filter(is_left_out).collect();
            prop_assert!(!usable.is_empty());
            prop_assert!(usable.is_sorted_by(|one, other| one < other));
            prop_assert!(usable.iter().all(|place| *place < standings.len()));

            let since = |place: &usize| match standings[*place] {
                Standing::Ejected { since } => Some(since),
                _ => None,
            };
            let ejected: Vec<_> = left_out.iter().filter_map(since).collect();
            prop_assert!(ejected.len() <= standings.len() / 2);
            let latest_back = usable.iter().filter_map(since).max();
            let earliest_out = ejected.iter().min().copied();
            prop_assert!(latest_back.zip(earliest_out).is_none_or(|(back, out)| back <= out));

            for place in left_out {
                let good = matches!(standings[place], Standing::Good | Standing::ProbeDue);
                prop_assert!(!good);
            }
            let unreachable = |place: &usize| standings[*place] == Standing::Unreachable;
            let reachable = standings.iter().any(|one| *one != Standing::Unreachable);
            prop_assert_eq!(usable.iter().any(unreachable), !reachable);
        }
    }
}
