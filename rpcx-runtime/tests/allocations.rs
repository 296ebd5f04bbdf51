//! How many heap blocks a call costs. The only test of its program: others would be counted too.
#![cfg(feature = "macros")]

use rpcx::Server;
use rpcx::server::interceptor::Interceptor;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{Args, Reply, args, serve};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// One method for each kind of call.
#[rpcx::service]
trait Kinds {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;

    async fn refuse(&self, args: Args) -> rpcx::Result<Reply>;

    async fn wait(&self, args: Args) -> rpcx::Result<Reply>;

    #[rpcx(oneway)]
    async fn note(&self, args: Args) -> rpcx::Result<()>;
}

struct Served;

impl Kinds for Served {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        Ok(Reply { c: args.a * args.b })
    }

    async fn refuse(&self, _: Args) -> rpcx::Result<Reply> {
        Err(rpcx::Error::service("no"))
    }

    async fn wait(&self, args: Args) -> rpcx::Result<Reply> {
        tokio::task::yield_now().await;
        Ok(Reply { c: args.a * args.b })
    }

    async fn note(&self, _: Args) -> rpcx::Result<()> {
        Ok(())
    }
}

/// Client and server together, over TCP, one call at a time.
///
/// Measured: 5 blocks, 2 of them the server's (a read buffer, its share for the message) and 3 the
/// client's (the same, and the list of whom to wake). An error has 3 more, its text on both sides; a
/// handler that waits has 5 more, its task and the box that the connection needs instead of its own. A
/// one-way call has no reply, and several share a read buffer.
#[test]
#[expect(clippy::print_stdout, reason = "the number is worth more than that it is small enough")]
fn a_call_costs_a_handful_of_blocks_on_both_sides_together() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = serve(Server::new().add(KindsServer::new(Served)), "tcp@127.0.0.1:0").await;
        let client = KindsClient::connect_to(&address).await.unwrap();
        for (kind, at_most) in AT_MOST {
            let blocks = counted(&client, kind).await;
            println!("{kind}: {blocks} blocks for {CALLS} calls");
            assert!(blocks <= CALLS * at_most + FEW, "{kind}: {blocks} blocks for {CALLS} calls");
        }
        for (interceptors, at_most) in AT_MOST_WITH_INTERCEPTORS {
            let mut server = Server::new().add(KindsServer::new(Served));
            for _ in 0..interceptors {
                server = server.interceptor(Nothing);
            }
            let client = KindsClient::connect_to(&serve(server, "tcp@127.0.0.1:0").await).await;
            let blocks = counted(&client.unwrap(), "ready").await;
            println!("{interceptors} interceptors: {blocks} blocks for {CALLS} calls");
            assert!(blocks <= CALLS * at_most + FEW, "{interceptors}: {blocks} blocks");
        }
    });
}

/// An interceptor of the server that adds nothing of its own to what each costs.
struct Nothing;

impl Interceptor for Nothing {}

/// Counts the heap blocks of [`CALLS`] calls, once everything is warm.
async fn counted(client: &KindsClient, kind: &str) -> u64 {
    make(client, kind).await;
    let profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get().total_blocks;
    make(client, kind).await;
    let blocks = dhat::HeapStats::get().total_blocks - before;
    drop(profiler);
    blocks
}

async fn make(client: &KindsClient, kind: &str) {
    for n in 0..i64::try_from(CALLS).expect("a small number") {
        let args = args(n, 2);
        match kind {
            "refused" => drop(client.refuse(args).await.unwrap_err()),
            "one-way" => client.note(args).await.unwrap(),
            "waits" => assert_eq!(client.wait(args).await.unwrap(), Reply { c: 2 * n }),
            _ => assert_eq!(client.mul(args).await.unwrap(), Reply { c: 2 * n }),
        }
    }
    // What was one-way has been served when this is answered.
    client.mul(args(1, 1)).await.unwrap();
}

const CALLS: u64 = 1000;
const AT_MOST: [(&str, u64); 4] = [("ready", 5), ("refused", 8), ("one-way", 3), ("waits", 9)];
/// For a server with that many interceptors: 12 with one, of which 5 are the call's own, and one more with
/// each further interceptor: the future of its part.
const AT_MOST_WITH_INTERCEPTORS: [(u32, u64); 2] = [(1, 12), (3, 14)];
/// The call that ends them all, and a buffer that grows.
const FEW: u64 = 20;
