//! One side of a benchmark: a server, or a client that prints one line of JSON.
//!
//! `bench-peer server --port P [--cert F --key F [--ca F]]` prints `ready` and serves until it is killed.
//!
//! `bench-peer client --port P --workload msg|mul|echo64k|echo1m|rawecho1m --conns C --inflight N
//! --secs S --warmup W [--server-pid PID] [--codec msgpack|pb] [--ca F [--cert F --key F]]` opens C
//! connections, makes one checked call on each, and then runs N loops of calls, each reply checked;
//! calls are counted for S seconds after a warm-up of W. Everything goes through the generated client
//! and server with the default limits. The files are PEM; with them it goes over TLS.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand, ValueEnum};
use rpcx::client::{Channel, Client as _};
use rpcx::protocol::SerializeType;
use rpcx::tls::{ClientTls, ServerTls};
use rpcx::{Bytes, Server};
use rpcx_examples::bench::{
    ArithClient, ArithServer, BenchmarkMessage, Blob, HelloClient, HelloServer, MulArgs, Service,
};
use rpcx_examples::measure::Measurement;
use rpcx_examples::tls_files::TlsFiles;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    side: Side,
}

#[derive(Subcommand)]
enum Side {
    Server {
        #[arg(long)]
        port: u16,
        #[command(flatten)]
        files: TlsFiles,
    },
    Client(ClientOptions),
}

#[derive(Parser)]
struct ClientOptions {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    workload: Workload,
    #[arg(long, default_value_t = 1)]
    conns: usize,
    #[arg(long, default_value_t = 1)]
    inflight: usize,
    #[arg(long, default_value_t = 1.0)]
    secs: f64,
    #[arg(long, default_value_t = 0.2)]
    warmup: f64,
    #[arg(long)]
    server_pid: Option<i32>,
    #[arg(long, default_value = "msgpack")]
    codec: Codec,
    #[command(flatten)]
    files: TlsFiles,
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    Msg,
    Mul,
    Echo64k,
    Echo1m,
    Rawecho1m,
}

#[derive(Clone, Copy, ValueEnum)]
enum Codec {
    Msgpack,
    Pb,
}

/// One connection with all that a call needs.
#[derive(Clone)]
struct Peer {
    hello: HelloClient,
    arith: ArithClient,
    message: Arc<BenchmarkMessage>,
    blob: Blob,
    workload: Workload,
}

impl Peer {
    async fn connect(options: &ClientOptions, tls: Option<&ClientTls>) -> rpcx::Result<Self> {
        let serialize_type = match (options.workload, options.codec) {
            (Workload::Rawecho1m, _) => SerializeType::RAW,
            (_, Codec::Msgpack) => SerializeType::MSGPACK,
            (_, Codec::Pb) => SerializeType::PROTOBUF,
        };
        let address = format!("tcp@127.0.0.1:{}", options.port);
        let mut builder = Channel::builder().codec(serialize_type);
        if let Some(tls) = tls {
            builder = builder.tls(tls.clone());
        }
        let channel = builder.connect_to(&address).await?;
        let size = match options.workload {
            Workload::Echo64k => 64 << 10,
            Workload::Echo1m | Workload::Rawecho1m => 1 << 20,
            Workload::Msg | Workload::Mul => 0,
        };
        let data: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
        Ok(Self {
            hello: HelloClient::new(channel.clone()),
            arith: ArithClient::new(channel),
            message: Arc::new(BenchmarkMessage::prepare()),
            blob: Blob { data: data.into() },
            workload: options.workload,
        })
    }

    /// Makes one call; `false` if it fails or its reply is wrong.
    async fn call(&self) -> bool {
        match self.workload {
            Workload::Msg => {
                let reply = self.hello.say(&*self.message).await;
                reply.is_ok_and(|reply| reply.field1 == "OK")
            }
            Workload::Mul => {
                let reply = self.arith.mul(MulArgs { a: 7, b: 6 }).await;
                reply.is_ok_and(|reply| reply.c == 42)
            }
            Workload::Echo64k | Workload::Echo1m => {
                let reply = self.hello.echo(&self.blob).await;
                reply.is_ok_and(|reply| reply.data.len() == self.blob.data.len())
            }
            Workload::Rawecho1m => {
                let reply: rpcx::Result<Bytes> = self.hello.echo_raw(&self.blob.data).await;
                reply.is_ok_and(|reply| reply.len() == self.blob.data.len())
            }
        }
    }

    async fn work(self, measurement: Arc<Measurement>) {
        loop {
            let since = Instant::now();
            let ok = self.call().await;
            if !measurement.count(since, ok) {
                return;
            }
            if !ok {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

async fn serve(port: u16, tls: Option<ServerTls>) -> Result<(), Box<dyn Error>> {
    let mut server = Server::new().add(HelloServer::new(Service)).add(ArithServer::new(Service));
    if let Some(tls) = tls {
        server = server.tls(tls);
    }
    let bound = server.bind(&format!("tcp@127.0.0.1:{port}")).await?;
    #[expect(clippy::print_stdout, reason = "whoever started this may wait for the line")]
    {
        println!("ready");
    }
    bound.serve().await;
    Ok(())
}

async fn measure(options: ClientOptions) -> Result<(), Box<dyn Error>> {
    let tls = options.files.client()?;
    let mut peers = Vec::new();
    for _ in 0..options.conns {
        let peer = Peer::connect(&options, tls.as_ref()).await?;
        if !peer.call().await {
            return Err("the first call failed".into());
        }
        peers.push(peer);
    }
    let measurement = Arc::new(Measurement::default());
    let workers: Vec<_> = peers.iter().cycle().take(options.inflight).cloned().collect();
    let start = |peer: Peer| tokio::spawn(peer.work(Arc::clone(&measurement)));
    let workers: Vec<_> = workers.into_iter().map(start).collect();
    let warmup = Duration::from_secs_f64(options.warmup);
    let window = Duration::from_secs_f64(options.secs);
    let server_pid = options.server_pid.filter(|pid| *pid > 0);
    let control = Arc::clone(&measurement);
    let control = std::thread::spawn(move || control.run(warmup, window, server_pid));
    for worker in workers {
        worker.await?;
    }
    let window = control.join().map_err(|_| "the controlling thread panicked")?;
    let report = measurement.report(&window);
    #[expect(clippy::print_stdout, reason = "the result")]
    {
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    match Options::parse().side {
        Side::Server { port, files } => serve(port, files.server()?).await,
        Side::Client(options) => measure(options).await,
    }
}
