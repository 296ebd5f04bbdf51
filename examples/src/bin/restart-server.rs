//! Offers `Arith`, and can be replaced by a new version of itself while clients call.
//!
//! With a shared port start the new one first, then end the old one:
//!
//! ```text
//! restart-server --addr tcp@localhost:8972 --reuse-port &   # the old version
//! restart-server --addr tcp@localhost:8972 --reuse-port &   # the new version
//! kill -TERM %1
//! ```
//!
//! With a socket that systemd keeps, `systemctl restart` will do; clients wait in the socket's queue meanwhile:
//!
//! ```text
//! # arith.socket                        # arith.service
//! [Socket]                              [Service]
//! ListenStream=8972                     ExecStart=/usr/bin/restart-server --inherited arith
//! FileDescriptorName=arith              TimeoutStopSec=15
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use rpcx::Server;
use rpcx_examples::arith::{ArithServer, Calculator};
use rpcx_examples::socket::SocketOptions;
use rpcx_examples::terminal::{explain, stop_signal};

/// A server that another one may replace while clients call; ends on SIGTERM.
#[derive(Parser)]
struct Options {
    /// Where to listen: `tcp@host:port` or `unix@path`.
    #[arg(long, default_value = "tcp@localhost:8972")]
    addr: String,
    #[command(flatten)]
    socket: SocketOptions,
}

async fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let stopped = stop_signal()?;
    let server = Server::new().add(ArithServer::new(Calculator));
    let bound = options.socket.bind(server, &options.addr).await?;
    println!("listening on {}", bound.local_addr());
    let report = bound.serve_until(stopped).await;
    println!(
        "stopped: {} calls were served while it stopped, {} were cut",
        report.served(),
        report.cut()
    );
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restart-server: {}", explain(&*error));
            ExitCode::FAILURE
        }
    }
}
