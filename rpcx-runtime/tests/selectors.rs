//! What the selectors promise to those who use them by themselves.

use rpcx::client::selector::{
    Candidate, Closest, ConsistentHash, LeastPending, Random, RoundRobin, Selection, Selector,
    WeightedPing, WeightedRoundRobin,
};
use rpcx::{Instance, InstanceMetadata};

#[global_allocator]
static COUNTED: dhat::Alloc = dhat::Alloc;

#[test]
fn a_choice_allocates_nothing() {
    let metadata = InstanceMetadata::parse("weight=2&latitude=1&longitude=2");
    let servers: Vec<_> = (1..=100)
        .map(|number| format!("localhost:{number}").parse().unwrap())
        .map(|address| Candidate::new(Instance::new(address).with_metadata(metadata.clone())))
        .collect();
    let selectors: [&dyn Selector; 7] = [
        &Random,
        &RoundRobin::new(),
        &WeightedRoundRobin::new(),
        &WeightedPing::new(),
        &ConsistentHash,
        &Closest::new(3.0, 4.0).unwrap(),
        &LeastPending,
    ];
    let _profiler = dhat::Profiler::builder().testing().build();
    for selector in selectors {
        // The first call may set up the thread's random numbers.
        assert!(selector.select(&servers, &Selection::new("Arith", "Mul")).is_some());
        let before = dhat::HeapStats::get().total_blocks;
        let chosen = (0..100).filter_map(|_| {
            let selection = Selection::new("Arith", "Mul");
            selector.select(&servers, &selection)
        });
        let count = chosen.count();
        let allocated = dhat::HeapStats::get().total_blocks - before;
        assert_eq!((count, allocated), (100, 0), "{selector:?}");
    }
}
