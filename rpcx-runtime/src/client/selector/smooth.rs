//! Smooth weighted turns: what both weighted selectors share.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use super::Candidate;

/// Takes turns by weight, so that the turns of one server are spread among those of the others.
///
/// Every turn adds to each server's credit its weight, takes the server with the most credit, the
/// first of several, and has it pay what all were given. Credit is kept beside the server, so that
/// it outlives changes of the list, and a server that a call leaves out neither gets nor pays.
#[derive(Debug, Default)]
pub(super) struct Smooth {
    /// The largest sum of weights of late; credit is kept in proportion to it.
    scale: Mutex<i64>,
}

/// How many times the scale credit may be; constant weights stay below about 1.5 times.
const MOST_CREDIT: i64 = 16;

impl Smooth {
    /// Takes the next of `candidates`.
    ///
    /// Those without a weight are never taken. Those of weight 0 are taken if no other is there, and
    /// then all alike.
    pub(super) fn next(
        &self,
        candidates: &[Candidate],
        weight: impl Fn(&Candidate) -> Option<u32>,
    ) -> Option<usize> {
        if let [only] = candidates {
            return weight(only).map(|_| 0);
        }
        // Nothing in here can panic, and half a turn would do no harm.
        let mut scale = self.scale.lock().unwrap_or_else(PoisonError::into_inner);
        let weights = candidates.iter().filter_map(&weight);
        let (count, sum) = weights.fold((0_i64, 0_i64), |(count, sum), weight| {
            (count + 1, sum.saturating_add(weight.into()))
        });
        let total = if sum == 0 { count } else { sum };
        // After a change from large weights to small ones, credit of the large ones would decide for
        // long; cut to the sum of every call, it would suffer from each that leaves a server out.
        *scale = total.max(*scale - (*scale >> 6));
        let (least, most) = (-*scale, scale.saturating_mul(MOST_CREDIT));

        let mut best: Option<(usize, i64)> = None;
        for (at, candidate) in candidates.iter().enumerate() {
            let weight = match weight(candidate) {
                Some(_) if sum == 0 => 1,
                None | Some(0) => continue,
                Some(weight) => weight.into(),
            };
            // Relaxed: the lock orders them.
            let credit = candidate.turn().load(Ordering::Relaxed).clamp(least, most);
            let credit = credit.saturating_add(weight);
            candidate.turn().store(credit, Ordering::Relaxed);
            if best.is_none_or(|(_, greatest)| credit > greatest) {
                best = Some((at, credit));
            }
        }
        let Some((at, credit)) = best else {
            // All weights have become 0 since they were summed up, or none has one.
            return candidates.iter().position(|candidate| weight(candidate).is_some());
        };
        candidates[at].turn().store(credit.saturating_sub(total), Ordering::Relaxed);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::candidates;
    use super::*;

    /// Takes `turns` turns among all, and gives how many each server got.
    fn count(smooth: &Smooth, candidates: &[Candidate], weights: &[u32], turns: u32) -> Vec<u32> {
        let mut counts = vec![0; candidates.len()];
        for _ in 0..turns {
            counts[take(smooth, candidates, weights)] += 1;
        }
        counts
    }

    /// Weights are by the place in the whole list, which the port tells.
    fn take(smooth: &Smooth, candidates: &[Candidate], weights: &[u32]) -> usize {
        let place = |candidate: &Candidate| {
            let (_, port) = candidate.address().target().rsplit_once(':').unwrap();
            port.parse::<usize>().unwrap()
        };
        smooth.next(candidates, |candidate| Some(weights[place(candidate)])).unwrap()
    }

    #[test]
    fn large_credit_is_forgotten_when_weights_become_small() {
        let smooth = Smooth::default();
        let servers = candidates(&["", ""]);
        // The first server has had its turn, and paid so much that it would wait 400,000 turns.
        count(&smooth, &servers, &[1, 1_000_000], 600_000);
        count(&smooth, &servers, &[1, 1], 2_000);
        assert_eq!(count(&smooth, &servers, &[1, 1], 100), [50, 50]);
    }

    #[test]
    fn calls_that_leave_a_server_out_change_nothing_for_the_others() {
        let smooth = Smooth::default();
        let servers = candidates(&["", "", ""]);
        let weights = [1_000, 1, 1];
        let mut counts = [0_u32; 3];
        for call in 0..100_200 {
            counts[take(&smooth, &servers, &weights)] += 1;
            if call % 10 == 0 {
                take(&smooth, &servers[1..], &weights);
            }
        }
        assert!(counts[1..].iter().all(|count| count.abs_diff(100) <= 2), "{counts:?}");
    }

    #[test]
    fn weights_that_vanish_meanwhile_do_no_harm() {
        let smooth = Smooth::default();
        let servers = candidates(&["", ""]);
        let asked = std::cell::Cell::new(0);
        let vanishing = |_: &Candidate| {
            asked.set(asked.get() + 1);
            Some(u32::from(asked.get() <= 2))
        };
        assert_eq!(smooth.next(&servers, vanishing), Some(0));
    }

    proptest! {
        #[test]
        fn every_round_serves_all_by_weight(weights in prop::collection::vec(0_u32..30, 1..8)) {
            let smooth = Smooth::default();
            let servers = candidates(&vec![""; weights.len()]);
            let total = weights.iter().sum::<u32>();
            let (round, expected) = match total {
                0 => (u32::try_from(weights.len()).unwrap(), vec![1; weights.len()]),
                _ => (total, weights.clone()),
            };
            for _ in 0..3 {
                prop_assert_eq!(&count(&smooth, &servers, &weights, round), &expected);
            }
        }

        #[test]
        fn any_part_of_the_list_gets_a_server_of_the_most_weight(
            weights in prop::collection::vec(prop_oneof![Just(0), 0..5_u32, Just(u32::MAX)], 6),
            parts in prop::collection::vec(1_usize..64, 1..300),
        ) {
            let smooth = Smooth::default();
            let servers = candidates(&[""; 6]);
            for part in parts {
                let some: Vec<_> = (0..6).filter(|at| part >> at & 1 == 1).collect();
                let part: Vec<_> = some.iter().map(|at| servers[*at].clone()).collect();
                let chosen = some[take(&smooth, &part, &weights)];
                let all_zero = some.iter().all(|at| weights[*at] == 0);
                prop_assert!(all_zero || weights[chosen] > 0);
            }
            // Whatever was left out before, all get their share of the whole list in the end.
            let total: u64 = weights.iter().copied().map(u64::from).sum();
            if (1..30).contains(&total) {
                let rounds = u32::try_from(total).unwrap();
                count(&smooth, &servers, &weights, 200 * rounds);
                prop_assert_eq!(count(&smooth, &servers, &weights, rounds), weights);
            }
        }
    }

    #[test]
    fn the_turns_of_many_threads_are_as_exact_as_those_of_one() {
        let smooth = Smooth::default();
        let servers = candidates(&["weight=5", "weight=1", "weight=1"]);
        let mut chosen = Vec::new();
        std::thread::scope(|scope| {
            let turns = || (0..700).map(|_| smooth.next(&servers, Candidate::weight).unwrap());
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(move || turns().collect::<Vec<_>>())).collect();
            for thread in threads {
                chosen.extend(thread.join().unwrap());
            }
        });
        let count = |at| chosen.iter().filter(|chosen| **chosen == at).count();
        assert_eq!([count(0), count(1), count(2)], [2_000, 400, 400]);
    }
}
