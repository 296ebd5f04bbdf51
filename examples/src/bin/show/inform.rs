//! One call to all servers, and what each of them said. Go's `Inform`.

use rpcx::Server;
use rpcx::registry::MultipleServers;
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};

use crate::servers::{ARGS, Outcome, ensure, start, start_server};

/// Has nothing but an error.
struct Broken;

impl Arith for Broken {
    async fn mul(&self, _: Args) -> rpcx::Result<Reply> {
        Err(rpcx::Error::service("out of order"))
    }
}

pub(crate) async fn run() -> Outcome {
    start("memory@a").await?;
    start_server(Server::new().add(ArithServer::new(Broken)), "memory@b").await?;
    let registry = MultipleServers::new(["memory@a", "memory@b", "memory@gone"])?;
    let arith = ArithClient::builder().registry(registry).connect().await?;

    // All are waited for; that one fails does not end the others.
    let receipts = arith.mul(ARGS).inform().await?;
    for receipt in &receipts {
        match &receipt.result {
            Ok(reply) => println!("{}: {}", receipt.address, reply.c),
            Err(error) => println!("{}: {error}", receipt.address),
        }
    }
    let answered = receipts.iter().filter(|receipt| receipt.result.is_ok()).count();
    ensure((answered, receipts.len()) == (1, 3), "there is a receipt of each server")
}
