//! Start here: a service, its server and its client in one program, over a real TCP socket.
//!
//! `cargo run -p rpcx-examples --bin quickstart` needs nothing else on the machine. A Go rpcx client
//! could call this server, and this client could call a Go rpcx server with the same service.
#![expect(clippy::print_stdout, reason = "this program is there to be looked at")]

use std::error::Error;
use std::time::{Duration, Instant};

use rpcx::{Context, Server};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

// What travels is any type that serde knows. Go writes field names with a capital.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Args {
    a: i64,
    b: i64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    c: i64,
}

/// The service. The macro makes `ArithServer` and `ArithClient` of it.
#[rpcx::service]
trait Arith {
    /// Multiplies. Running it twice does no harm, so the client may repeat a lost call.
    #[rpcx(idempotent)]
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;

    /// Divides, unless that is impossible.
    async fn div(&self, args: Args) -> rpcx::Result<Reply>;

    /// Greets the caller by the name that came beside the call, in its metadata.
    async fn greet(&self, context: &Context) -> rpcx::Result<String>;

    /// Takes a note; the caller does not wait for an answer.
    #[rpcx(oneway)]
    async fn note(&self, text: String) -> rpcx::Result<()>;
}

/// What does the work: any type that implements the trait.
struct Calculator {
    notes: mpsc::UnboundedSender<String>,
}

impl Arith for Calculator {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        Ok(Reply { c: args.a.wrapping_mul(args.b) })
    }

    async fn div(&self, args: Args) -> rpcx::Result<Reply> {
        let quotient = args.a.checked_div(args.b);
        // The text reaches the client exactly as it stands here.
        quotient.map(|c| Reply { c }).ok_or_else(|| rpcx::Error::service("cannot divide by zero"))
    }

    async fn greet(&self, context: &Context) -> rpcx::Result<String> {
        let name = context.metadata().get("name").unwrap_or("stranger");
        Ok(format!("hello, {name}"))
    }

    async fn note(&self, text: String) -> rpcx::Result<()> {
        self.notes.send(text).map_err(|_| rpcx::Error::service("nobody reads the notes"))
    }
}

/// Works with the calculator itself and with a client of it: both are an `Arith`.
async fn square(arith: &impl Arith, number: i64) -> rpcx::Result<i64> {
    Ok(arith.mul(Args { a: number, b: number }).await?.c)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The server. Port 0 lets the system choose one; your own programs name it.
    let (notes, mut notebook) = mpsc::unbounded_channel();
    let calculator = Calculator { notes: notes.clone() };
    let bound = Server::new().add(ArithServer::new(calculator)).bind("tcp@127.0.0.1:0").await?;
    let address = bound.local_addr().to_string();
    println!("the server listens on {address}");
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(bound.serve_until(async {
        // An error means that the other half is gone: time to stop as well.
        let _: Result<(), _> = stopped.await;
    }));

    // The client. It is cheap to clone, and all clones share one connection.
    let arith = ArithClient::connect_to(&address).await?;

    // A call reads like one of a local method.
    let args = Args { a: 10, b: 20 };
    let reply = arith.mul(&args).await?;
    println!("{} * {} = {}", args.a, args.b, reply.c);

    // A call takes options before it is awaited.
    let call = arith.greet().metadata("name", "Ferris").timeout(Duration::from_secs(5));
    println!("the server says: {}", call.await?);

    // What the service returns as an error arrives as an error.
    match arith.div(Args { a: 1, b: 0 }).await {
        Err(rpcx::Error::Service(text)) => println!("the service refused 1 / 0: {text}"),
        other => return Err(format!("1 / 0 gave {other:?}").into()),
    }

    // Calls do not wait for each other, also on one connection.
    let (workers, calls_each) = (100, 100);
    let since = Instant::now();
    let mut working = JoinSet::new();
    for worker in 0..workers {
        let arith = arith.clone();
        working.spawn(async move {
            for n in 0..calls_each {
                let reply = arith.mul(Args { a: worker, b: n }).await?;
                assert_eq!(reply.c, worker * n);
            }
            Ok::<_, rpcx::Error>(())
        });
    }
    while let Some(worker) = working.join_next().await {
        worker??;
    }
    let (calls, seconds) = (workers * calls_each, since.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = calls as f64 / seconds;
    println!("{calls} calls, {workers} at a time, took {seconds:.2} s: {rate:.0} calls/s");

    // `start` makes the call at once and gives a handle that goes into a set, a task, a struct.
    let mut started = JoinSet::new();
    for n in 1..=5 {
        started.spawn(arith.mul(Args { a: n, b: 100 }).start());
    }
    let mut products = Vec::new();
    while let Some(reply) = started.join_next().await {
        products.push(reply??.c);
    }
    products.sort_unstable();
    println!("started together, collected in a set: {products:?}");

    // A one-way call is over once it is sent.
    arith.note("tea at four").await?;
    println!("the server noted: {}", notebook.recv().await.ok_or("the server is gone")?);

    // The trait is implemented by the client too: code that takes it does not know the difference.
    let local = Calculator { notes };
    let (here, there) = (square(&local, 12).await?, square(&arith, 12).await?);
    println!("12 squared here is {here}, over the network {there}");

    // The server finishes what it has begun, and stops.
    let _ = stop.send(());
    serving.await?;
    println!("the server has stopped");
    Ok(())
}
