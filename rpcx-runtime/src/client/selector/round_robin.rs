//! One server after the other.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Candidate, Selection, Selector};

/// Takes the servers in turn.
///
/// All callers share one turn: the order is exact in total, not per caller. It starts anywhere, or
/// restarted clients would all call the first server; Go rpcx 1.9.4 starts at the first of a list in
/// random order. A change of the list may skip or repeat a few servers once.
///
/// A choice takes the same time for any number of servers.
#[derive(Debug)]
pub struct RoundRobin {
    next: AtomicUsize,
}

impl RoundRobin {
    /// Starts at any server.
    pub fn new() -> Self {
        Self { next: AtomicUsize::new(fastrand::usize(..)) }
    }
}

impl Default for RoundRobin {
    fn default() -> Self {
        Self::new()
    }
}

impl Selector for RoundRobin {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        if candidates.len() == 1 {
            // If a second attempt took a turn, every call to one of two servers, of which the first
            // fails, would begin at that one.
            return Some(0);
        }
        // Relaxed: the counter orders nothing but itself, and may wrap.
        self.next.fetch_add(1, Ordering::Relaxed).checked_rem(candidates.len())
    }

    fn wants_pending(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{candidates, counts, order, select};
    use super::*;

    fn starting_at(next: usize) -> RoundRobin {
        RoundRobin { next: AtomicUsize::new(next) }
    }

    #[test]
    fn all_come_in_turn() {
        assert_eq!(order(&starting_at(0), &candidates(&["", "weight=9", ""]), 7), "abcabca");
        assert_eq!(counts(&RoundRobin::new(), &candidates(&[""; 7]), 700), [100; 7]);
        assert_eq!(select(&RoundRobin::new(), &[]), None);
    }

    #[test]
    fn the_start_is_not_always_the_same() {
        let servers = candidates(&[""; 10]);
        let starts: std::collections::HashSet<_> =
            (0..100).map(|_| select(&RoundRobin::new(), &servers)).collect();
        assert!(starts.len() > 3, "{starts:?}");
    }

    #[test]
    fn the_only_one_left_takes_no_turn() {
        let selector = starting_at(0);
        let servers = candidates(&["", ""]);
        assert_eq!(order(&selector, &servers, 1), "a");
        assert_eq!(order(&selector, &servers[1..], 1), "a");
        assert_eq!(order(&selector, &servers, 1), "b");
    }

    #[test]
    fn the_counter_may_wrap() {
        assert_eq!(order(&starting_at(usize::MAX), &candidates(&["", "", "", ""]), 3), "dab");
    }
}
