//! Offers the services of the interop tests to any rpcx client; ends on SIGTERM.
//!
//! `interop-server --addr A [--network tcp|unix] [--auth T] [--interceptors] [--cert F --key F [--ca F]]`
//! prints where it listens, then `ready`, and at its end what became of the calls that it then had. The
//! files are PEM; with them it speaks TLS.
#![expect(clippy::print_stdout, reason = "whoever started this waits for the line")]

use std::error::Error;
use std::time::Duration;

use clap::Parser;
use rpcx::Server;
use rpcx::server::interceptor::{
    AddressFilter, Aliases, ConcurrencyLimit, Rate, RateLimit, Tracing,
};
use rpcx_examples::interop::{InteropServer, PbArithServer, Service};
use rpcx_examples::socket::SocketOptions;
use rpcx_examples::tls_files::TlsFiles;
use tokio::signal::unix::{SignalKind, signal};

/// Offers the services of the interop tests; ends on SIGTERM.
#[derive(Parser)]
struct Options {
    /// `host:port`, or the path of a socket.
    #[arg(long)]
    addr: String,
    /// `tcp` or `unix`.
    #[arg(long, default_value = "tcp")]
    network: String,
    /// The token that every call has to bring.
    #[arg(long)]
    auth: Option<String>,
    /// Let all calls pass through interceptors that change nothing.
    #[arg(long)]
    interceptors: bool,
    /// How many connections may be open.
    #[arg(long)]
    max_connections: Option<usize>,
    /// How long it may take to stop, in seconds.
    #[arg(long)]
    shutdown: Option<f64>,
    #[command(flatten)]
    socket: SocketOptions,
    #[command(flatten)]
    files: TlsFiles,
}

/// Interceptors through which everything passes as it is.
fn with_interceptors(server: Server) -> Result<Server, Box<dyn Error>> {
    let rate = Rate::per_second(1_000_000);
    Ok(server
        .interceptor(Tracing::new())
        .interceptor(AddressFilter::deny(["192.0.2.0/24"])?)
        .interceptor(RateLimit::new().calls(rate).calls_per_address(rate).calls_per_method(rate))
        .interceptor(ConcurrencyLimit::new().total(100_000).per_method(100_000))
        .interceptor(Aliases::new()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut server = Server::new()
        .add(InteropServer::new(Service::default()))
        .add(PbArithServer::new(Service::default()));
    if let Some(token) = options.auth {
        server = server.auth(move |request| {
            let known = request.token() == token;
            async move { if known { Ok(()) } else { Err("invalid token") } }
        });
    }
    if options.interceptors {
        server = with_interceptors(server)?;
    }
    if let Some(tls) = options.files.server()? {
        server = server.tls(tls);
    }
    let mut terminated = signal(SignalKind::terminate())?;
    if let Some(connections) = options.max_connections {
        server = server.max_connections(connections);
    }
    if let Some(seconds) = options.shutdown {
        server = server.shutdown_timeout(Duration::from_secs_f64(seconds));
    }
    let address = format!("{}@{}", options.network, options.addr);
    let bound = options.socket.bind(server, &address).await?;
    println!("listening on {}", bound.local_addr());
    println!("ready");
    let stop = async move {
        terminated.recv().await;
    };
    let report = bound.serve_until(stop).await;
    println!("stopped: {} served, {} cut", report.served(), report.cut());
    Ok(())
}
