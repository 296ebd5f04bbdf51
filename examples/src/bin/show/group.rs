//! Only servers of one group. Go's `Option.Group`.

use rpcx::registry::InProcess;
use rpcx::{Client as _, Server};
use rpcx_examples::arith::{ArithClient, ArithServer, Calculator};

use crate::servers::{Outcome, count, ensure, start_server, who_answers};

pub(crate) async fn run() -> Outcome {
    // Servers announce their group in the registry: on the trait with `#[rpcx(group = "…")]`, or here.
    for (address, group) in [("memory@a", "blue"), ("memory@b", "green"), ("memory@c", "blue")] {
        let server = Server::new().add(ArithServer::new(Calculator));
        let server = server.registry(InProcess).instance_metadata("group", group);
        start_server(server, address).await?;
    }

    let blue = ArithClient::builder().registry(InProcess).group("blue").connect().await?;
    let servers: Vec<_> = blue.channel().servers().iter().map(ToString::to_string).collect();
    println!("the blue servers: {}", servers.join(", "));
    let counts = count(who_answers(&blue, 30).await?);
    ensure(!counts.contains_key("memory@b"), "no other server answers")?;

    // A client without a group calls all; a filter of your own may look at whatever servers announce.
    let all = ArithClient::builder().registry(InProcess).connect().await?;
    let builder = ArithClient::builder().registry(InProcess);
    let not_blue = builder.filter(|instance| instance.metadata().get("group") != Some("blue"));
    let not_blue = not_blue.connect().await?;
    let numbers = [&blue, &all, &not_blue].map(|arith| arith.channel().servers().len());
    println!("blue, all, not blue: {numbers:?} servers");
    ensure(numbers == [2, 3, 1], "each client has its own servers")?;

    // An error says why there is no server.
    let red = ArithClient::builder().registry(InProcess).group("red").connect().await?;
    match who_answers(&red, 1).await {
        Err(error) => println!("red: {error}"),
        Ok(servers) => return Err(format!("no server is red, but {servers:?}").into()),
    }
    Ok(())
}
