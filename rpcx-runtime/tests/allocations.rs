//! How many heap blocks a call costs. The only test of its program: others would be counted too.
#![cfg(feature = "macros")]

use rpcx::Server;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{ArithClient, ArithServer, Calculator, Reply, args, serve};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Measured: 2 blocks at the server (a read buffer, its share for the message) and 3 at the client
/// (the same, and the list of whom to wake).
#[test]
#[expect(clippy::print_stdout, reason = "the number is worth more than that it is small enough")]
fn a_call_over_tcp_costs_a_handful_of_blocks_on_both_sides_together() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let blocks = runtime.block_on(async {
        let server = Server::new().add(ArithServer::new(Calculator));
        let address = serve(server, "tcp@127.0.0.1:0").await;
        let client = ArithClient::connect_to(&address).await.unwrap();
        call(&client).await;
        let _profiler = dhat::Profiler::builder().testing().build();
        let before = dhat::HeapStats::get().total_blocks;
        call(&client).await;
        dhat::HeapStats::get().total_blocks - before
    });
    println!("{blocks} blocks for {CALLS} calls");
    assert!(blocks <= CALLS * BLOCKS_PER_CALL, "{blocks} blocks for {CALLS} calls");
}

async fn call(client: &ArithClient) {
    for n in 0..i64::try_from(CALLS).expect("a small number") {
        assert_eq!(client.mul(args(n, 2)).await.unwrap(), Reply { c: 2 * n });
    }
}

const CALLS: u64 = 1000;
/// Client and server together, one more than measured.
const BLOCKS_PER_CALL: u64 = 6;
