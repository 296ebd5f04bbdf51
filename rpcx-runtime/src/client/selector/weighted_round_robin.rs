//! One server after the other, those of a larger weight more often.

use crate::instance::Instance;

use super::smooth::Smooth;
use super::{Candidate, Selection, Selector};

/// Takes the servers in turn, those of a larger `weight` more often, evenly mixed.
///
/// Of 7 calls with the weights 5, 1 and 1, the servers get 5, 1 and 1, in the order a a b a c a a.
/// All callers share one turn: the order is exact in total, not per caller. It starts anew with each
/// client, and keeps its turn when the list or a weight changes.
///
/// The weight is [`Candidate::weight`]: 1 for a server that names none, or one that is no number, as
/// in Go rpcx 1.9.4. A server of weight 0 gets no call as long as there are others; if all have
/// weight 0, all are taken alike, where Go panics. A server whose weight does not fit a `u32` is
/// never chosen, and a warning says so when it is first listed.
///
/// A choice looks at all servers, under a lock, and allocates nothing.
#[derive(Debug, Default)]
pub struct WeightedRoundRobin {
    turns: Smooth,
}

impl WeightedRoundRobin {
    /// Starts at the first server of the largest weight.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Reads the weight of a server; `None` if it is a number that does not fit.
pub(super) fn weight(instance: &Instance) -> Option<u32> {
    let Some(text) = instance.metadata().get("weight") else {
        return Some(1);
    };
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number { digits.parse().ok() } else { Some(1) }
}

impl Selector for WeightedRoundRobin {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        self.turns.next(candidates, Candidate::weight)
    }

    fn wants_pending(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{candidate, candidates, counts, instance, order, select};
    use super::*;

    #[test]
    fn turns_are_evenly_mixed() {
        let servers = candidates(&["weight=5", "weight=1", "weight=1"]);
        assert_eq!(order(&WeightedRoundRobin::new(), &servers, 14), "aabacaaaabacaa");
    }

    #[test]
    fn equal_weights_are_a_round_robin() {
        let servers = candidates(&["weight=3", "weight=3", "weight=3"]);
        assert_eq!(order(&WeightedRoundRobin::new(), &servers, 7), "abcabca");
    }

    #[test]
    fn a_server_without_a_number_weighs_one() {
        let weight = |metadata| weight(&instance("localhost:1", metadata));
        for one in ["", "weight=", "weight=+", "weight=heavy", "weight=-5", "weight=1.5"] {
            assert_eq!(weight(one), Some(1), "{one}");
        }
        assert_eq!(weight("weight=0"), Some(0));
        // A plus sign is `%2B` in a query.
        assert_eq!(weight("weight=%2B7"), Some(7));
        assert_eq!(weight("weight=007"), Some(7));
        assert_eq!(weight("weight=4294967295"), Some(u32::MAX));
    }

    #[test]
    fn a_weight_too_large_to_count_leaves_the_server_out() {
        for odd in ["weight=4294967296", "weight=99999999999999999999999999"] {
            let servers = candidates(&[odd, "weight=2", "weight=1"]);
            assert_eq!(servers[0].weight(), None);
            assert_eq!(order(&WeightedRoundRobin::new(), &servers, 6), "bcbbcb");
            assert_eq!(select(&WeightedRoundRobin::new(), &servers[..1]), None);
            let all = candidates(&[odd, odd]);
            assert_eq!(select(&WeightedRoundRobin::new(), &all), None);
        }
    }

    #[test]
    fn weight_zero_gets_no_calls_as_long_as_there_are_others() {
        let selector = WeightedRoundRobin::new();
        let servers = candidates(&["weight=0", "weight=1", "weight=0", "weight=2"]);
        assert_eq!(counts(&selector, &servers, 300), [0, 100, 0, 200]);
        assert_eq!(order(&selector, &[servers[0].clone(), servers[2].clone()], 4), "abab");
        assert_eq!(order(&selector, &servers[..1], 2), "aa");
        assert_eq!(counts(&selector, &servers, 300), [0, 100, 0, 200]);
    }

    #[test]
    fn the_largest_weights_are_exact() {
        let servers = candidates(&["weight=4294967295", "weight=4294967295", "weight=1"]);
        let counts = counts(&WeightedRoundRobin::new(), &servers, 10_000);
        assert_eq!(counts, [5_000, 5_000, 0]);
    }

    #[test]
    fn a_server_that_joins_or_changes_gets_its_share_at_once() {
        let selector = WeightedRoundRobin::new();
        let mut servers = candidates(&["weight=1", "weight=1"]);
        order(&selector, &servers, 1_001);
        servers.push(candidate("tcp@zebra:1", "weight=2"));
        assert_eq!(counts(&selector, &servers, 400), [100, 100, 200]);

        let stats = std::sync::Arc::clone(servers[0].stats());
        servers[0] = Candidate::with_stats(instance("tcp@host-00000:0", "weight=7"), stats);
        assert_eq!(counts(&selector, &servers, 1_000), [700, 100, 200]);

        servers.remove(1);
        let counts = counts(&selector, &servers, 900);
        assert!(counts[0].abs_diff(700) <= 1, "{counts:?}");
    }

    #[test]
    fn a_server_that_comes_back_makes_up_for_nothing() {
        let selector = WeightedRoundRobin::new();
        let servers = candidates(&["weight=2", "weight=2", "weight=1"]);
        counts(&selector, &servers, 3);
        counts(&selector, &servers[..2], 10_000);
        let counts = counts(&selector, &servers, 50);
        assert!(counts[2].abs_diff(10) <= 1, "{counts:?}");
    }

    #[test]
    fn nothing_to_choose_from_is_no_choice() {
        assert_eq!(select(&WeightedRoundRobin::new(), &[]), None);
    }
}
