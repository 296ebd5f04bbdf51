//! Offers `Arith` and registers it with etcd; ends on Ctrl-C or SIGTERM.
//!
//! `etcd-server [--addr tcp@localhost:8972] [--registry-addr localhost:2379] [--base /rpcx_test]`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx::Server;
use rpcx_examples::arith::Calculator;
use rpcx_examples::registries::etcd::{ArithServer, elsewhere};
use rpcx_examples::registries::{ServerOptions, serve};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ServerOptions::parse();
    // Where to register is in the trait's attribute; the command line may name another place.
    let mut server = Server::new().add(ArithServer::new(Calculator));
    if let Some(registry) = elsewhere(&options.registry_addr, options.base.as_deref()) {
        server = server.registry(registry);
    }
    serve(server, &options.addr).await
}
