//! How many heap blocks a call costs. The only test of its program: others would be counted too.
#![cfg(feature = "macros")]

use rpcx::Server;
use rpcx::protocol::SerializeType;
use rpcx::server::interceptor::Interceptor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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

/// Client and server together, over TCP, one call at a time, and then the server alone: the rest is the
/// client's.
///
/// Measured: 5 blocks, 2 of them the server's (a read buffer, its share for the message) and 3 the
/// client's (the same, and the list of whom to wake). An error has 3 more, its text on both sides; a
/// handler that waits has 5 more, its task and the box that the connection needs instead of its own. A
/// one-way call has no reply, and several share a read buffer.
#[test]
#[expect(clippy::print_stdout, reason = "the number is worth more than that it is small enough")]
fn a_call_costs_the_server_two_blocks_and_the_client_three() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = serve(Server::new().add(KindsServer::new(Served)), "tcp@127.0.0.1:0").await;
        let client = KindsClient::connect_to(&address).await.unwrap();
        for (kind, at_most) in AT_MOST {
            let blocks = counted(&client, kind).await;
            println!("{kind}: {blocks} blocks for {CALLS} calls");
            assert!(blocks <= CALLS * at_most + FEW, "{kind}: {blocks} blocks for {CALLS} calls");
        }
        let both = counted(&client, "ready").await;
        let served = counted_at_the_server(&address).await;
        let called = both.saturating_sub(served);
        println!("ready: {served} blocks are the server's, {called} the client's");
        assert!(served <= CALLS * SERVER_AT_MOST + FEW, "{served} blocks at the server");
        assert!(called <= CALLS * CLIENT_AT_MOST + FEW, "{called} blocks at the client");
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

/// Counts the heap blocks of [`CALLS`] calls whose client takes none: it sends the same bytes each time, and
/// reads what comes into a buffer that it has.
async fn counted_at_the_server(address: &str) -> u64 {
    let address = address.strip_prefix("tcp@").expect("an address of TCP");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = request();
    call_by_hand(&mut socket, &request).await;
    let profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get().total_blocks;
    call_by_hand(&mut socket, &request).await;
    let blocks = dhat::HeapStats::get().total_blocks - before;
    drop(profiler);
    blocks
}

async fn call_by_hand(socket: &mut TcpStream, request: &[u8]) {
    let mut response = [0; 128];
    for _ in 0..CALLS {
        socket.write_all(request).await.unwrap();
        let (head, body) = response.split_at_mut(HEAD);
        socket.read_exact(head).await.unwrap();
        let [.., a, b, c, d] = *head else { panic!("the head of a message") };
        assert_eq!(head[2] & 0b11, 0, "the call succeeds");
        let body = &mut body[..u32::from_be_bytes([a, b, c, d]) as usize];
        socket.read_exact(body).await.unwrap();
    }
}

/// A request of `Kinds.Mul` as it lies on the wire.
fn request() -> Vec<u8> {
    let mut payload = Vec::new();
    rpcx::codec::encode(SerializeType::MSGPACK, &args(6, 7), &mut payload).unwrap();
    let mut body = Vec::new();
    for part in [b"Kinds".as_slice(), b"Mul", b"", &payload] {
        body.extend_from_slice(&len(part));
        body.extend_from_slice(part);
    }
    let mut request = vec![8, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 1];
    request.extend_from_slice(&len(&body));
    request.extend_from_slice(&body);
    request
}

fn len(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).expect("a short message").to_be_bytes()
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
/// Of a call that is ready.
const SERVER_AT_MOST: u64 = 2;
const CLIENT_AT_MOST: u64 = 3;
/// The header of a message and the length of its body, in bytes.
const HEAD: usize = 16;
/// For a server with that many interceptors: 12 with one, of which 5 are the call's own, and one more with
/// each further interceptor: the future of its part.
const AT_MOST_WITH_INTERCEPTORS: [(u32, u64); 2] = [(1, 12), (3, 14)];
/// The call that ends them all, and a buffer that grows.
const FEW: u64 = 20;
