//! Offers `Arith` at one of the addresses that `multiple-client` calls; ends on Ctrl-C or SIGTERM.
//!
//! `multiple-server [--addr tcp@localhost:8972]`, and another with `--addr tcp@localhost:9981`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx::Server;
use rpcx_examples::arith::Calculator;
use rpcx_examples::registries::multiple::ArithServer;
use rpcx_examples::registries::{ServerOptions, serve};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ServerOptions::parse();
    serve(Server::new().add(ArithServer::new(Calculator)), &options.addr).await
}
