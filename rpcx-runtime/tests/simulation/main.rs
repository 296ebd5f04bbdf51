//! Clients and servers on a simulated network that fails by plan: partitions, held links, crashes,
//! restarts, latency, a registry that flaps. All randomness comes from one seed.
//!
//! An ordinary run takes 50 seeds, with `RPCX_LONG=1` it takes 1,000. A seed that fails is printed with
//! the command that runs it alone: `RPCX_SIM_SEED=7 cargo test -p rpcx-runtime --test simulation`.
//! With `RPCX_SIM_TRACE=1` the events of that seed are printed too.
#![cfg(feature = "macros")]

mod callers;
mod ledger;
mod network;
mod plan;
mod registry;
mod run;
mod trace;
mod verdict;

use std::io::Write as _;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use plan::Plan;
use verdict::Figures;

#[test]
fn promises_hold_whatever_fails() {
    let mut failed = Vec::new();
    let mut sum = Figures::default();
    for (seed, judged) in on_all_processors(&seeds()) {
        match judged {
            Ok(figures) => sum += figures,
            Err(broken) => failed.push((seed, broken)),
        }
    }
    say(&format!("simulation: {sum}"));
    for (seed, broken) in &failed {
        say(&format!("seed {seed}:"));
        for broken in broken {
            say(&format!("  {broken}"));
        }
        say(&format!("  again: RPCX_SIM_SEED={seed} cargo test -p rpcx-runtime --test simulation"));
    }
    let seeds: Vec<_> = failed.iter().map(|(seed, _)| seed).collect();
    assert!(failed.is_empty(), "seeds that broke a promise: {seeds:?}");
}

#[test]
fn a_seed_gives_the_same_events_again() {
    for seed in 0..8 {
        let first = run::run(&Plan::new(seed)).events;
        let second = run::run(&Plan::new(seed)).events;
        assert!(first.len() > 300, "{} events", first.len());
        let difference = first.iter().zip(&second).find(|(first, second)| first != second);
        assert_eq!(difference, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

#[test]
fn seeds_differ() {
    assert_ne!(run::run(&Plan::new(1)).events, run::run(&Plan::new(2)).events);
}

/// Runs seeds side by side, each on one thread; gives what came of them, in order.
fn on_all_processors(seeds: &[u64]) -> Vec<(u64, Judged)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut judged = Vec::new();
        while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            // A panic of the product inside the simulation is a failure of that seed like any other.
            let run = || verdict::judge(&run::run(&Plan::new(seed)));
            let run = catch_unwind(AssertUnwindSafe(run));
            judged.push((seed, run.unwrap_or_else(|_| Err(vec!["a panic".to_owned()]))));
        }
        judged
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut judged: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it catches panics")).collect()
    });
    judged.sort_unstable_by_key(|(seed, _)| *seed);
    judged
}

/// The figures of a run, or what it broke.
type Judged = Result<Figures, Vec<String>>;

fn seeds() -> Vec<u64> {
    if let Ok(seed) = std::env::var("RPCX_SIM_SEED") {
        return vec![seed.parse().expect("RPCX_SIM_SEED is a number")];
    }
    let long = std::env::var("RPCX_LONG").is_ok_and(|long| long == "1");
    (0..if long { 1_000 } else { 50 }).collect()
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
