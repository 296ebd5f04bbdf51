//! Offers `Arith` and announces it by multicast DNS; ends on Ctrl-C or SIGTERM.
//!
//! `mdns-server [--addr tcp@localhost:8972]`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx::Server;
use rpcx_examples::arith::Calculator;
use rpcx_examples::registries::mdns::ArithServer;
use rpcx_examples::registries::{ServerOptions, serve};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ServerOptions::parse();
    serve(Server::new().add(ArithServer::new(Calculator)), &options.addr).await
}
