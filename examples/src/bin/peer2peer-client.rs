//! Calls `Arith` at one fixed server and prints `10 * 20 = 200`.
//!
//! `peer2peer-client [--registry-addr tcp@localhost:8972]`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx::registry::PeerToPeer;
use rpcx_examples::registries::peer2peer::ArithClient;
use rpcx_examples::registries::{ClientOptions, call};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ClientOptions::parse();
    call(async |args| {
        // The server is in the trait's attribute; the command line may name another.
        let arith = match options.registry_addr.first() {
            Some(server) => {
                let registry = PeerToPeer::new(server)?;
                ArithClient::builder().registry(registry).connect().await?
            }
            None => ArithClient::connect().await?,
        };
        arith.mul(args).await
    })
    .await
}
