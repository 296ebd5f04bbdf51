//! Calls `Arith` at one of two fixed servers and prints `10 * 20 = 200`.
//!
//! `multiple-client [--registry-addr tcp@localhost:8972,tcp@localhost:9981]`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx::registry::MultipleServers;
use rpcx_examples::registries::multiple::ArithClient;
use rpcx_examples::registries::{ClientOptions, call};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ClientOptions::parse();
    call(async |args| {
        // The servers are in the trait's attribute; the command line may name others.
        let arith = if options.registry_addr.is_empty() {
            ArithClient::connect().await?
        } else {
            let registry = MultipleServers::new(&options.registry_addr)?;
            ArithClient::builder().registry(registry).connect().await?
        };
        arith.mul(args).await
    })
    .await
}
