//! What a choice costs, by selector and number of servers.

use std::hint::black_box;

use divan::Bencher;
use rpcx::client::selector::{
    Candidate, Closest, ConsistentHash, LeastPending, Random, RoundRobin, Selection, Selector,
    WeightedPing, WeightedRoundRobin,
};
use rpcx::{Instance, InstanceMetadata};

const SERVERS: [u32; 3] = [3, 100, 1_000];

fn main() {
    divan::main();
}

fn instances(count: u32) -> Vec<Instance> {
    let instance = |number: u32| {
        let address = format!("tcp@10.0.{}.{}:8972", number / 250, number % 250);
        let latitude = f64::from(number % 180) - 90.0;
        let metadata = InstanceMetadata::default()
            .with("weight", (number % 7 + 1).to_string())
            .with("latitude", latitude.to_string())
            .with("longitude", (number % 180).to_string());
        Instance::new(address.parse().expect("it is an address")).with_metadata(metadata)
    };
    (0..count).map(instance).collect()
}

fn choose(bencher: Bencher<'_, '_>, count: u32, selector: &(impl Selector + ?Sized)) {
    let servers: Vec<_> = instances(count).into_iter().map(Candidate::new).collect();
    let mut key = 0;
    bencher.bench_local(|| {
        key += 1;
        let selection = Selection::new("Arith", "Mul").with_key(key);
        selector.select(black_box(&servers), &selection)
    });
}

#[divan::bench(args = SERVERS)]
fn random(bencher: Bencher<'_, '_>, count: u32) {
    choose(bencher, count, &Random);
}

#[divan::bench(args = SERVERS)]
fn round_robin(bencher: Bencher<'_, '_>, count: u32) {
    choose(bencher, count, &RoundRobin::new());
}

#[divan::bench(args = SERVERS)]
fn weighted_round_robin(bencher: Bencher<'_, '_>, count: u32) {
    choose(bencher, count, &WeightedRoundRobin::new());
}

#[divan::bench(args = SERVERS)]
fn weighted_ping(bencher: Bencher<'_, '_>, count: u32) {
    choose(bencher, count, &WeightedPing::new());
}

#[divan::bench(args = SERVERS)]
fn consistent_hash(bencher: Bencher<'_, '_>, count: u32) {
    choose(bencher, count, &ConsistentHash);
}

#[divan::bench(args = SERVERS)]
fn closest(bencher: Bencher<'_, '_>, count: u32) {
    let selector = Closest::new(52.52, 13.41).expect("Berlin is on Earth");
    choose(bencher, count, &selector);
}

#[divan::bench(args = SERVERS)]
fn least_pending(bencher: Bencher<'_, '_>, count: u32) {
    choose(bencher, count, &LeastPending);
}

/// What a change of the list costs.
#[divan::bench(args = SERVERS)]
fn new_candidates(bencher: Bencher<'_, '_>, count: u32) {
    let instances = instances(count);
    bencher.with_inputs(|| instances.clone()).bench_local_values(|instances| {
        instances.into_iter().map(Candidate::new).collect::<Vec<_>>()
    });
}
