//! Candidates for tests.

use super::{Candidate, Selection, Selector};
use crate::address::Address;
use crate::instance::{Instance, InstanceMetadata};

/// Makes a candidate for each metadata, in the order of their addresses; the port is the place.
pub(super) fn candidates(metadata: &[&str]) -> Vec<Candidate> {
    let addresses = (0..).map(|place| format!("tcp@host-{place:05}:{place}"));
    addresses.zip(metadata).map(|(address, metadata)| candidate(&address, metadata)).collect()
}

pub(super) fn candidate(address: &str, metadata: &str) -> Candidate {
    Candidate::new(instance(address, metadata))
}

pub(super) fn instance(address: &str, metadata: &str) -> Instance {
    let address: Address = address.parse().unwrap();
    Instance::new(address).with_metadata(InstanceMetadata::parse(metadata))
}

pub(super) fn select(selector: &impl Selector, candidates: &[Candidate]) -> Option<usize> {
    selector.select(candidates, &Selection::new("Arith", "Mul"))
}

/// Chooses again and again, and gives how often each was chosen.
pub(super) fn counts(
    selector: &impl Selector,
    candidates: &[Candidate],
    times: usize,
) -> Vec<usize> {
    let mut counts = vec![0; candidates.len()];
    for _ in 0..times {
        counts[select(selector, candidates).unwrap()] += 1;
    }
    counts
}

/// Chooses again and again, and gives the order as letters: `a` is the first place.
pub(super) fn order(selector: &impl Selector, candidates: &[Candidate], times: usize) -> String {
    let letter = |at: usize| char::from(b'a' + u8::try_from(at).unwrap());
    (0..times).map(|_| letter(select(selector, candidates).unwrap())).collect()
}
