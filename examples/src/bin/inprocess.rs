//! Server and client in one process, without a socket and without any outside service: prints
//! `10 * 20 = 200`.

use std::process::ExitCode;

use rpcx::Server;
use rpcx_examples::arith::Calculator;
use rpcx_examples::registries::call;
use rpcx_examples::registries::inprocess::{ArithClient, ArithServer};

#[tokio::main]
async fn main() -> ExitCode {
    call(async |args| {
        let server = Server::new().add(ArithServer::new(Calculator));
        let bound = server.bind("memory@arith").await.map_err(std::io::Error::from);
        let bound = bound.map_err(|error| rpcx::Error::service(error.to_string()))?;
        let serving = tokio::spawn(bound.serve());

        let arith = ArithClient::connect().await?;
        let reply = arith.mul(args).await;
        serving.abort();
        reply
    })
    .await
}
