//! Who may connect, by address, changed while the server runs. Go's `BlacklistPlugin`.

use rpcx::Server;
use rpcx::server::interceptor::AddressFilter;
use rpcx_examples::arith::{ArithClient, ArithServer, Calculator};

use crate::servers::{ARGS, Outcome, ensure};

pub(crate) async fn run() -> Outcome {
    let banned = AddressFilter::deny(["10.6.6.0/24"])?;
    let server = Server::new().add(ArithServer::new(Calculator)).interceptor(banned.clone());
    // Only a socket has an address; port 0 lets the system choose a port.
    let bound = server.bind("tcp@127.0.0.1:0").await?;
    let address = bound.local_addr().to_string();
    tokio::spawn(bound.serve());

    let product = ArithClient::connect_to(&address).await?.mul(ARGS).await?.c;
    println!("not on the list: {product}");

    banned.add("127.0.0.1")?;
    // The connection is taken and closed before anything is read.
    let refused = match ArithClient::connect_to(&address).await {
        Ok(arith) => arith.mul(ARGS).await.is_err(),
        Err(_) => true,
    };
    println!("on the list: refused is {refused}");

    banned.remove("127.0.0.1")?;
    let again = ArithClient::connect_to(&address).await?.mul(ARGS).await?.c;
    println!("off the list again: {again}");
    ensure(refused && product == 200 && again == 200, "the list decides")
}
