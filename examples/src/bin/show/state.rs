//! Servers that an operator took out of use: `state=inactive` in the registry.
//!
//! With etcd, Consul or ZooKeeper the operator edits the server's entry. Here the list is the program's.

use rpcx::registry::MultipleServers;
use rpcx::{Client as _, Instance, InstanceMetadata};
use rpcx_examples::arith::ArithClient;

use crate::servers::{Outcome, count, ensure, start, until_there_are, who_answers};

pub(crate) async fn run() -> Outcome {
    start("memory@a").await?;
    start("memory@b").await?;
    let registry = MultipleServers::new(["memory@a", "memory@b"])?;
    let arith = ArithClient::builder().registry(registry.clone()).connect().await?;
    println!("{} servers", arith.channel().servers().len());

    registry.update([instance("memory@a", "state=inactive")?, instance("memory@b", "")?]);
    until_there_are(1, &arith).await;
    let counts = count(who_answers(&arith, 10).await?);
    println!("a is inactive: {counts:?}");
    ensure(!counts.contains_key("memory@a"), "it gets no calls")?;

    let inactive = |address| instance(address, "state=inactive");
    registry.update([inactive("memory@a")?, inactive("memory@b")?]);
    until_there_are(0, &arith).await;
    match who_answers(&arith, 1).await {
        Err(error) => println!("both are inactive: {error}"),
        Ok(servers) => return Err(format!("no server is active, but {servers:?}").into()),
    }

    // It goes on where it stopped; the client was not told anything.
    registry.update([instance("memory@a", "")?, instance("memory@b", "")?]);
    until_there_are(2, &arith).await;
    println!("both are back: {} servers", arith.channel().servers().len());
    Ok(())
}

/// What a registry says of a server.
fn instance(address: &str, metadata: &str) -> Outcome<Instance> {
    Ok(Instance::new(address.parse()?).with_metadata(InstanceMetadata::parse(metadata)))
}
