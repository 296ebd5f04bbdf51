//! Finds `Arith` through ZooKeeper and prints `10 * 20 = 200`.
//!
//! `zookeeper-client [--registry-addr localhost:2181] [--base /rpcx_test]`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx_examples::registries::zookeeper::{ArithClient, elsewhere};
use rpcx_examples::registries::{ClientOptions, call};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ClientOptions::parse();
    call(async |args| {
        // Where to look is in the trait's attribute; the command line may name another place.
        let arith = match elsewhere(&options.registry_addr, options.base.as_deref()) {
            Some(registry) => ArithClient::builder().registry(registry).connect().await?,
            None => ArithClient::connect().await?,
        };
        arith.mul(args).await
    })
    .await
}
