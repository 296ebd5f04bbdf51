//! Finds `Arith` by multicast DNS and prints `10 * 20 = 200`.
//!
//! `mdns-client`

use std::process::ExitCode;

use clap::Parser as _;
use rpcx_examples::registries::mdns::ArithClient;
use rpcx_examples::registries::{ClientOptions, call};

#[tokio::main]
async fn main() -> ExitCode {
    ClientOptions::parse();
    call(async |args| ArithClient::connect().await?.mul(args).await).await
}
