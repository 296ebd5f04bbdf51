//! The server with fewer calls on their way.

use super::{Candidate, Selection, Selector};

/// Takes, of two servers chosen at random, the one with fewer calls on their way.
///
/// That evens out calls that take long, and servers that are slow, nearly as well as a look at all
/// servers would, but clients that do not know of each other do not all choose the same idle one. A
/// server never gets a call while all others have fewer on their way. If both have as many, either is
/// taken.
///
/// The number is [`Candidate::pending`]: the calls of this channel alone. Go rpcx has no such
/// selector. A choice takes the same time for any number of servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastPending;

impl Selector for LeastPending {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        if candidates.len() < 2 {
            return candidates.len().checked_sub(1);
        }
        let one = fastrand::usize(..candidates.len());
        let other = fastrand::usize(..candidates.len() - 1);
        // The places behind `one` move up, so that all others are as likely.
        let other = if other < one { other } else { other + 1 };
        // Which of the two is `one` is random, so a tie needs no decision.
        let is_less = candidates[other].pending() < candidates[one].pending();
        Some(if is_less { other } else { one })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{candidates, counts, select};
    use super::*;

    fn begin(candidate: &Candidate, calls: usize) {
        (0..calls).for_each(|_| candidate.stats().begin());
    }

    #[test]
    fn of_two_the_less_busy_is_taken() {
        let servers = candidates(&["", ""]);
        begin(&servers[0], 1);
        assert_eq!(counts(&LeastPending, &servers, 100), [0, 100]);
        begin(&servers[1], 2);
        assert_eq!(counts(&LeastPending, &servers, 100), [100, 0]);
        servers[1].stats().end();
        servers[1].stats().end();
        assert_eq!(counts(&LeastPending, &servers, 100), [0, 100]);
    }

    #[test]
    fn the_busiest_gets_nothing_and_the_idlest_most() {
        let servers = candidates(&[""; 4]);
        for (calls, server) in [1, 0, 2, 3].into_iter().zip(&servers) {
            begin(server, calls);
        }
        // Of six pairs, the idlest is in three, the next is the better one of two, the next of one.
        let counts = counts(&LeastPending, &servers, 60_000);
        assert_eq!(counts[3], 0);
        for (count, expected) in counts.iter().zip([20_000, 30_000, 10_000]) {
            assert!(count.abs_diff(expected) < 1_000, "{counts:?}");
        }
    }

    #[test]
    fn ties_are_random() {
        for number in [2, 3, 10] {
            let counts = counts(&LeastPending, &candidates(&vec![""; number]), 10_000 * number);
            assert!(counts.iter().all(|count| count.abs_diff(10_000) < 1_000), "{counts:?}");
        }
    }

    #[test]
    fn calls_that_do_not_end_spread_evenly() {
        let servers = candidates(&[""; 100]);
        for _ in 0..10_000 {
            servers[select(&LeastPending, &servers).unwrap()].stats().begin();
        }
        let pending = servers.iter().map(Candidate::pending);
        // At random, some would be 30 above or below.
        assert!(pending.clone().all(|pending| pending.abs_diff(100) < 15), "{pending:?}");
    }

    #[test]
    fn the_only_one_is_taken() {
        assert_eq!(select(&LeastPending, &[]), None);
        let servers = candidates(&[""]);
        begin(&servers[0], 9);
        assert_eq!(select(&LeastPending, &servers), Some(0));
    }
}
