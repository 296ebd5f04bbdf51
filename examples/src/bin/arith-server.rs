//! Offers `Arith` at one address: the server of Go's example for peer to peer.
//!
//! `arith-server [--addr tcp@localhost:8972]` serves until Ctrl-C or SIGTERM, then lets the calls
//! that run finish.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use rpcx::Server;
use rpcx_examples::arith::{ArithServer, Calculator};
use rpcx_examples::terminal::{explain, stop_signal};

#[derive(Parser)]
struct Options {
    /// Where to listen: `tcp@host:port` or `unix@path`.
    #[arg(long, default_value = "tcp@localhost:8972")]
    addr: String,
}

async fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let stopped = stop_signal()?;
    let bound = Server::new().add(ArithServer::new(Calculator)).bind(&options.addr).await?;
    println!("listening on {}", bound.local_addr());
    bound.serve_until(stopped).await;
    println!("stopped");
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("arith-server: {}", explain(&*error));
            ExitCode::FAILURE
        }
    }
}
