//! Offers `Arith` at the address that `peer2peer-client` calls; ends on Ctrl-C or SIGTERM.
//!
//! `peer2peer-server [--addr tcp@localhost:8972]`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx::Server;
use rpcx_examples::arith::Calculator;
use rpcx_examples::registries::peer2peer::ArithServer;
use rpcx_examples::registries::{ServerOptions, serve};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ServerOptions::parse();
    serve(Server::new().add(ArithServer::new(Calculator)), &options.addr).await
}
