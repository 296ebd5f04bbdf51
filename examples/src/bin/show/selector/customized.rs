//! A selector of your own. Go's `SetSelector`.

use rpcx::Instance;
use rpcx::client::selector::{Candidate, RoundRobin, Selection, Selector};
use rpcx::registry::MultipleServers;
use rpcx_examples::arith::ArithClient;

use crate::servers::{Outcome, count, ensure, start, until_there_are, who_answers};

/// Takes the servers of the client's own zone in turn, and those of other zones if there are none.
#[derive(Debug)]
struct SameZone {
    zone: &'static str,
    turn: RoundRobin,
}

impl Selector for SameZone {
    /// Gives the place of the server in the list. It is called for every attempt, by all calls at once.
    fn select(&self, candidates: &[Candidate], selection: &Selection<'_>) -> Option<usize> {
        // `metadata` is what the server says of itself in the registry.
        let is_near = |at: &usize| candidates[*at].metadata().get("zone") == Some(self.zone);
        let near: Vec<usize> = (0..candidates.len()).filter(is_near).collect();
        if near.is_empty() {
            return self.turn.select(candidates, selection);
        }
        let servers: Vec<Candidate> = near.iter().map(|at| candidates[*at].clone()).collect();
        self.turn.select(&servers, selection).map(|chosen| near[chosen])
    }
}

pub(crate) async fn run() -> Outcome {
    for address in ["memory@a", "memory@b", "memory@c"] {
        start(address).await?;
    }
    let registry =
        MultipleServers::new(["memory@a?zone=east", "memory@b?zone=west", "memory@c?zone=west"])?;
    let selector = SameZone { zone: "west", turn: RoundRobin::new() };
    let builder = ArithClient::builder().registry(registry.clone()).selector(selector);
    let arith = builder.connect().await?;

    let counts = count(who_answers(&arith, 10).await?);
    println!("a client in the west: {counts:?}");
    ensure(counts.len() == 2 && !counts.contains_key("memory@a"), "only the west answers")?;

    registry.update([Instance::new("memory@a".parse()?)]);
    until_there_are(1, &arith).await;
    let counts = count(who_answers(&arith, 10).await?);
    println!("when the west is gone: {counts:?}");
    ensure(counts.len() == 1 && counts.contains_key("memory@a"), "then the east does")
}
