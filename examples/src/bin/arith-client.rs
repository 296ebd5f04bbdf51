//! Calls `Arith.Mul` at one address: the client of Go's example for peer to peer.
//!
//! `arith-client [--addr tcp@localhost:8972]` prints `10 * 20 = 200`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;

use clap::Parser;
use rpcx::Error;
use rpcx_examples::arith::{Args, ArithClient};
use rpcx_examples::terminal::explain;

#[derive(Parser)]
struct Options {
    /// Where the server listens: `tcp@host:port` or `unix@path`.
    #[arg(long, default_value = "tcp@localhost:8972")]
    addr: String,
}

async fn call(options: &Options) -> rpcx::Result<()> {
    let arith = ArithClient::connect_to(&options.addr).await?;
    let args = Args { a: 10, b: 20 };
    let reply = arith.mul(&args).await?;
    println!("{} * {} = {}", args.a, args.b, reply.c);
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = call(&Options::parse()).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("arith-client: {}", explain(&error));
    if let Error::Connect { address, .. } = &error {
        eprintln!("is a server running there? `arith-server --addr {address}` starts one");
    }
    ExitCode::FAILURE
}
