//! Any server, each as likely as the others.

use super::{Candidate, Selection, Selector};

/// Takes any server, each as likely as the others.
///
/// Remembers nothing; a choice takes the same time for any number of servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Selector for Random {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        (!candidates.is_empty()).then(|| fastrand::usize(..candidates.len()))
    }

    fn wants_pending(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{candidates, counts, select};
    use super::*;

    #[test]
    fn each_is_as_likely() {
        let counts = counts(&Random, &candidates(&["", "weight=9", "", "", ""]), 50_000);
        // Eleven times the standard deviation.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 1_000), "{counts:?}");
        assert_eq!(select(&Random, &[]), None);
    }
}
