//! The faster a server answers, the more calls it gets.

use std::time::Duration;

use super::smooth::Smooth;
use super::{Candidate, Selection, Selector};

/// Gives the more calls to a server the faster it answers. Go's `WeightedICMP`.
///
/// The weights are those of Go rpcx 1.9.4, by [`Candidate::round_trip`] in whole milliseconds:
///
/// | round trip | weight |
/// |---|---|
/// | not known yet | 191 |
/// | up to 10 ms | 191 |
/// | 11 ms to 200 ms | 201 less the milliseconds: 190 to 1 |
/// | 201 ms to 999 ms | 1 |
/// | 1 s and more, or no answer | 0 |
///
/// The servers then take turns as those of
/// [`WeightedRoundRobin`](super::WeightedRoundRobin) do, whose rules for weight 0 hold here, too: if
/// no server answers, all get calls alike, where Go panics. The `weight` of the metadata counts for
/// nothing, as in Go.
///
/// Where Go sends three ICMP echo requests when the list changes, and waits for the answers, this is
/// the time of the last heartbeat, which needs no rights and follows the server's load. A server that
/// was not measured yet counts as one of the fastest: it gets calls from the start, and the first
/// heartbeat sets it right.
///
/// A choice looks at all servers, under a lock, and allocates nothing.
#[derive(Debug, Default)]
pub struct WeightedPing {
    turns: Smooth,
}

impl WeightedPing {
    /// Starts at the first of the fastest servers.
    pub fn new() -> Self {
        Self::default()
    }
}

/// The weight of the fastest servers.
const BEST: u32 = 191;

fn weight(round_trip: Option<Duration>) -> u32 {
    let Some(round_trip) = round_trip else {
        return BEST;
    };
    match u32::try_from(round_trip.as_millis()) {
        Ok(0..=10) => BEST,
        Ok(milliseconds @ 11..=200) => 201 - milliseconds,
        Ok(201..=999) => 1,
        Ok(1_000..) | Err(_) => 0,
    }
}

impl Selector for WeightedPing {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        self.turns.next(candidates, |candidate| Some(weight(candidate.round_trip())))
    }

    fn wants_round_trips(&self) -> bool {
        true
    }

    fn wants_pending(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{candidates, counts, order, select};
    use super::*;

    fn measured(candidate: &Candidate, milliseconds: u64) {
        candidate.stats().measured(Some(Duration::from_millis(milliseconds)));
    }

    #[test]
    fn weights_are_those_of_go_1_9_4() {
        let of = |milliseconds| weight(Some(Duration::from_millis(milliseconds)));
        let known = [0, 1, 10, 11, 12, 199, 200, 201, 999, 1_000, 60_000].map(of);
        assert_eq!(known, [191, 191, 191, 190, 189, 2, 1, 1, 1, 0, 0]);
        assert_eq!(weight(Some(Duration::from_micros(10_999))), 191);
        assert_eq!(weight(Some(Duration::from_micros(999_999))), 1);
        assert_eq!(weight(Some(Duration::MAX)), 0);
        assert_eq!(weight(None), 191);
    }

    #[test]
    fn the_faster_one_gets_more() {
        let servers = candidates(&["weight=9", "", ""]);
        measured(&servers[0], 101);
        measured(&servers[1], 1);
        measured(&servers[2], 192);
        assert_eq!(counts(&WeightedPing::new(), &servers, 300), [100, 191, 9]);
    }

    #[test]
    fn one_that_does_not_answer_gets_nothing_until_it_does() {
        let selector = WeightedPing::new();
        let servers = candidates(&["", ""]);
        servers[0].stats().measured(None);
        assert_eq!(order(&selector, &servers, 4), "bbbb");
        measured(&servers[0], 5);
        assert_eq!(order(&selector, &servers, 4), "abab");
    }

    #[test]
    fn all_get_calls_if_none_answers() {
        let servers = candidates(&["", "", ""]);
        for server in &servers {
            server.stats().measured(None);
        }
        assert_eq!(order(&WeightedPing::new(), &servers, 6), "abcabc");
    }

    #[test]
    fn a_new_server_is_as_good_as_the_best() {
        let servers = candidates(&["", ""]);
        measured(&servers[0], 3);
        assert_eq!(order(&WeightedPing::new(), &servers, 4), "abab");
        assert_eq!(select(&WeightedPing::new(), &[]), None);
    }
}
