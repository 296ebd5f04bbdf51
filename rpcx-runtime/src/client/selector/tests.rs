//! What holds for all selectors.

use std::time::Duration;

use proptest::prelude::*;

use super::samples::{candidate, candidates};
use super::*;

const MODES: [SelectMode; 7] = [
    SelectMode::Random,
    SelectMode::RoundRobin,
    SelectMode::WeightedRoundRobin,
    SelectMode::WeightedPing,
    SelectMode::ConsistentHash,
    SelectMode::Closest,
    SelectMode::LeastPending,
];

fn every_selector() -> Vec<Arc<dyn Selector>> {
    let closest: Arc<dyn Selector> = Arc::new(Closest::new(10.0, -20.0).unwrap());
    MODES.map(|mode| of(mode).unwrap_or_else(|| Arc::clone(&closest))).into()
}

#[test]
fn every_name_but_closest_has_a_selector() {
    for mode in MODES {
        let name = of(mode).map(|selector| format!("{selector:?}").to_lowercase());
        match name {
            None => assert_eq!(mode, SelectMode::Closest),
            Some(name) => assert!(name.starts_with(&mode.name().replace('_', "")), "{name}"),
        }
    }
}

#[test]
fn weighted_ping_alone_wants_round_trips() {
    for mode in MODES {
        let wants = of(mode).is_some_and(|selector| selector.wants_round_trips());
        assert_eq!(wants, mode == SelectMode::WeightedPing, "{mode}");
    }
}

/// A server of any metadata, load and round trip.
fn any_server() -> impl Strategy<Value = (String, usize, Option<Option<u64>>)> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (0_u32..4).prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        (-200.0..200.0).prop_map(|number: f64| number.to_string()),
        "[0-9]{1,30}",
        ".{0,8}",
    ];
    let number = || number.clone();
    let metadata = prop_oneof![
        number().prop_map(|weight| format!("weight={weight}")),
        (number(), number()).prop_map(|(latitude, longitude)| {
            format!("latitude={latitude}&longitude={longitude}&weight={latitude}")
        }),
        ".{0,40}",
    ];
    (metadata, 0_usize..4, any::<Option<Option<u64>>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// A million choices: 150 lists, 7 selectors, 1,000 parts of the list each.
    #[test]
    fn no_server_makes_a_selector_panic(
        servers in prop::collection::vec(any_server(), 0..8),
        seed in any::<u64>(),
    ) {
        let metadata: Vec<_> = servers.iter().map(|(metadata, ..)| metadata.as_str()).collect();
        let all = candidates(&metadata);
        for ((_, pending, round_trip), candidate) in servers.iter().zip(&all) {
            (0..*pending).for_each(|_| candidate.stats().begin());
            if let Some(round_trip) = round_trip {
                candidate.stats().measured(round_trip.map(Duration::from_nanos));
            }
        }
        let mut random = fastrand::Rng::with_seed(seed);
        for (mode, selector) in MODES.into_iter().zip(every_selector()) {
            let mut part = all.clone();
            for call in 0..1_000 {
                if call % 10 == 0 {
                    part.clone_from(&all);
                    part.retain(|_| random.u8(..4) > 0);
                }
                let selection = Selection::new("Arith", "Mul").with_key(random.u64(..));
                let chosen = selector.select(&part, &selection);
                prop_assert!(chosen.is_none_or(|at| at < part.len()));
                let all_odd = match mode {
                    SelectMode::WeightedRoundRobin => part.iter().all(|one| one.weight().is_none()),
                    SelectMode::Closest => part.iter().all(|one| one.point().is_none()),
                    _ => part.is_empty(),
                };
                prop_assert_eq!(chosen.is_none(), all_odd, "{}", mode);
            }
        }
    }
}

#[test]
fn a_thousand_servers_are_not_too_many() {
    let servers: Vec<_> = (0..1_000).map(|at| candidate(&format!("host-{at}:1"), "")).collect();
    for selector in every_selector() {
        for call in 0..100 {
            let selection = Selection::new("Arith", "Mul").with_key(call);
            assert!(selector.select(&servers, &selection).is_none_or(|at| at < 1_000));
        }
    }
}
