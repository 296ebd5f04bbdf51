//! The same server for the same key.

use std::cmp::Ordering;

use super::{Candidate, Selection, Selector};

/// Sends calls with the same key to the same server as long as it is there.
///
/// The key is [`Selection::key`]. Key and addresses alone decide: every client chooses the same
/// server, whatever its list went through. A server that joins takes its share of the keys from all
/// others alike; one that leaves, or fails a call, leaves its keys to all others alike; no other key
/// moves. Every server gets as many keys as the others, whatever its `weight`.
///
/// Go rpcx 1.9.4 gives keys other places (doublejump hashing, which depends on the order in which
/// servers joined): a service that counts on the place has clients of one kind.
///
/// A choice looks at all servers (rendezvous hashing), without a lock, and allocates nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsistentHash;

/// Gives a number that stands for `bytes`, the same in every process: FNV-1a, as Go's clients do.
pub(in crate::client) fn key(bytes: &[u8]) -> u64 {
    extend(FNV_START, bytes)
}

/// Gives a number that stands for several texts; it tells `"a", "bc"` from `"ab", "c"`.
pub(in crate::client) fn key_of_parts(parts: &[&str]) -> u64 {
    parts.iter().fold(FNV_START, |key, part| extend(extend(key, part.as_bytes()), &[PART_END]))
}

/// Gives a number that stands for a call: for its names, if they count, and its arguments.
pub(in crate::client) fn key_of_call(names: &[&str], arguments: &[u8]) -> u64 {
    extend(key_of_parts(names), arguments)
}

fn extend(key: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(key, |key, byte| (key ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// Spreads a number over all bits, no two to the same: the last steps of `SplitMix64`.
fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn by_address(one: &Candidate, other: &Candidate) -> Ordering {
    let (one, other) = (one.address(), other.address());
    let networks = one.network().name().cmp(other.network().name());
    networks.then_with(|| one.target().cmp(other.target()))
}

impl Selector for ConsistentHash {
    fn select(&self, candidates: &[Candidate], selection: &Selection<'_>) -> Option<usize> {
        let key = mix(selection.key());
        let mut best: Option<(usize, u64)> = None;
        for (at, candidate) in candidates.iter().enumerate() {
            let score = mix(key ^ candidate.key());
            let is_better = best.is_none_or(|(best, greatest)| match score.cmp(&greatest) {
                Ordering::Less => false,
                Ordering::Equal => by_address(candidate, &candidates[best]).is_lt(),
                Ordering::Greater => true,
            });
            if is_better {
                best = Some((at, score));
            }
        }
        best.map(|(at, _)| at)
    }

    fn wants_pending(&self) -> bool {
        false
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// Ends a part of a key: a byte that no text has.
const PART_END: u8 = 0xff;

#[cfg(test)]
mod tests {
    use super::super::samples::{candidate, select};
    use super::*;

    /// An even number sorts before the odd one that follows.
    fn server(number: usize) -> Candidate {
        candidate(&format!("tcp@10.0.0.{number:03}:8972"), "")
    }

    fn chosen(candidates: &[Candidate], key: u64) -> &Candidate {
        let selection = Selection::new("Arith", "Mul").with_key(key);
        &candidates[ConsistentHash.select(candidates, &selection).unwrap()]
    }

    /// The keys of `KEYS` users: short texts that differ little.
    fn keys() -> Vec<u64> {
        (0..KEYS).map(|number| key(format!("user-{number}").as_bytes())).collect()
    }

    const KEYS: usize = 100_000;

    /// From the definition of FNV-1a.
    #[test]
    fn keys_are_fnv_1a() {
        assert_eq!(key(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(key(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(key(b"foobar"), 0x8594_4171_f739_67e8);
    }

    /// A change here moves the keys of every client that is not of the same version.
    #[test]
    fn the_hash_stays_what_it_is() {
        // The first number of `SplitMix64` from 0.
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
        assert_eq!(key_of_parts(&["Arith", "Mul"]), GOLDEN_PARTS);
        assert_eq!(Selection::new("Arith", "Mul").key(), GOLDEN_PARTS);
        let servers: Vec<_> = (0..10).map(server).collect();
        let places = (0..20).map(|key| {
            let address = chosen(&servers, key).address();
            servers.iter().position(|server| server.address() == address).unwrap()
        });
        assert_eq!(places.collect::<Vec<_>>(), GOLDEN_PLACES);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let all: [&[&str]; 8] = [
            &[],
            &[""],
            &["", ""],
            &["abc"],
            &["a", "bc"],
            &["ab", "c"],
            &["abc", ""],
            &["", "abc"],
        ];
        let keys: std::collections::HashSet<_> = all.into_iter().map(key_of_parts).collect();
        assert_eq!(keys.len(), all.len());
    }

    #[test]
    fn the_same_key_finds_the_same_server_in_every_client() {
        let mut random = fastrand::Rng::with_seed(1);
        for key in 0..100 {
            let mut servers: Vec<_> = (0..7).map(server).collect();
            let first = chosen(&servers, key).address().clone();
            for _ in 0..50 {
                random.shuffle(&mut servers);
                let fresh: Vec<_> = servers.iter().map(|one| one.address().to_string()).collect();
                let fresh: Vec<_> = fresh.iter().map(|one| candidate(one, "weight=3")).collect();
                assert_eq!(*chosen(&fresh, key).address(), first);
            }
        }
    }

    #[test]
    fn a_server_that_joins_takes_its_share_and_moves_nothing_else() {
        let keys = keys();
        for count in 2..=10 {
            // Odd numbers are there; each even one sorts to a place of its own.
            let old: Vec<_> = (1..count).map(|number| server(2 * number - 1)).collect();
            let before: Vec<_> = keys.iter().map(|key| chosen(&old, *key).address()).collect();
            for place in 0..count {
                let mut new = old.clone();
                new.insert(place, server(2 * place));
                let joined = new[place].address();
                let mut moved = 0;
                for (key, before) in keys.iter().zip(&before) {
                    let after = chosen(&new, *key).address();
                    assert!(after == *before || after == joined);
                    moved += usize::from(after == joined);
                }
                let (least, most) = (KEYS * 9 / 10 / count, KEYS * 11 / 10 / count);
                assert!((least..=most).contains(&moved), "{moved} of {count} at {place}");
            }
        }
    }

    #[test]
    fn a_server_that_leaves_moves_its_keys_alone_and_to_all_others_alike() {
        let all: Vec<_> = (0..6).map(server).collect();
        let keys = keys();
        for gone in 0..all.len() {
            let mut rest = all.clone();
            let gone = rest.remove(gone);
            let mut counts = vec![0_usize; rest.len()];
            for key in &keys {
                let before = chosen(&all, *key).address();
                let after = chosen(&rest, *key).address();
                if before == gone.address() {
                    counts[rest.iter().position(|one| one.address() == after).unwrap()] += 1;
                } else {
                    assert_eq!(before, after);
                }
            }
            let share = KEYS / 30;
            assert!(counts.iter().all(|count| count.abs_diff(share) < share / 10), "{counts:?}");
        }
    }

    #[test]
    fn all_servers_get_as_many_keys() {
        let servers: Vec<_> = (0..20).map(server).collect();
        let small_numbers: Vec<_> = (0..100_000).collect();
        let large_numbers: Vec<_> = small_numbers.iter().map(|key| key << 44).collect();
        for keys in [keys(), small_numbers, large_numbers] {
            let mut counts = std::collections::BTreeMap::new();
            for key in &keys {
                *counts.entry(chosen(&servers, *key).address().to_string()).or_insert(0_usize) += 1;
            }
            assert_eq!(counts.len(), servers.len());
            let share = KEYS / servers.len();
            assert!(counts.values().all(|count| count.abs_diff(share) < share / 10), "{counts:?}");
        }
    }

    #[test]
    fn equal_addresses_are_one_server() {
        let twice = [server(1), server(1)];
        assert_eq!(select(&ConsistentHash, &twice), Some(0));
        assert_eq!(select(&ConsistentHash, &[]), None);
    }

    #[test]
    fn addresses_have_an_order() {
        let sorted = ["memory@b", "tcp@a:1", "tcp@a:2", "unix@a"].map(|text| candidate(text, ""));
        assert!(sorted.is_sorted_by(|one, other| by_address(one, other).is_lt()));
    }

    // Worked out by another program from the definitions.
    const GOLDEN_PARTS: u64 = 0xd1ce_fed0_46d1_318d;
    const GOLDEN_PLACES: [usize; 20] = [8, 2, 6, 0, 1, 6, 3, 7, 5, 4, 0, 6, 2, 5, 3, 8, 9, 2, 6, 2];
}
