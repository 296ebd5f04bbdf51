//! Calls with the same key go to the same server. In an attribute: `select = "consistent_hash"`.
//!
//! The key is what `hash_key` of the call was given, or else the argument that is marked, or else all
//! arguments.

use std::collections::BTreeMap;

use rpcx::registry::MultipleServers;
use rpcx::{Instance, SelectMode, Server};

use crate::servers::{Outcome, ensure, start_server, until_there_are};

#[rpcx::service]
#[rpcx(select = "consistent_hash")]
trait Carts {
    /// Puts something into the cart of a user; a user's cart is at one server.
    async fn add(&self, #[rpcx(hash_key)] user: &str, item: &str) -> rpcx::Result<()>;
}

struct Shop;

impl Carts for Shop {
    async fn add(&self, _: &str, _: &str) -> rpcx::Result<()> {
        Ok(())
    }
}

const USERS: [&str; 6] = ["ada", "alan", "barbara", "edsger", "grace", "niklaus"];

pub(crate) async fn run() -> Outcome {
    let addresses = ["memory@a", "memory@b", "memory@c"];
    for address in addresses {
        start_server(Server::new().add(CartsServer::new(Shop)), address).await?;
    }
    let registry = MultipleServers::new(addresses)?;
    // The selector is in the trait's attribute; `.select(SelectMode::ConsistentHash)` says the same.
    let carts = CartsClient::builder().registry(registry.clone()).connect().await?;

    let before = homes(&carts).await?;
    for (user, server) in &before {
        println!("{user}: {server}");
    }
    ensure(homes(&carts).await? == before, "a user's calls go to the same server")?;

    // Another client, in another process even, comes to the same places: only key and addresses count.
    let other =
        CartsClient::builder().registry(registry.clone()).select(SelectMode::ConsistentHash);
    ensure(homes(&other.connect().await?).await? == before, "for every client")?;

    // The key of one call: here it stands for another user than the argument.
    let detailed = carts.add("guest", "tea").hash_key("ada").detailed().await;
    let server = detailed.address.map(|address| address.to_string());
    ensure(server.as_ref() == before.get("ada"), "the call's own key counts more")?;

    // A server leaves: its users move, nobody else does.
    registry.update([Instance::new("memory@a".parse()?), Instance::new("memory@b".parse()?)]);
    until_there_are(2, &carts).await;
    let after = homes(&carts).await?;
    for (user, server) in &after {
        if before[user] != *server {
            println!("without memory@c, {user}: {server}");
        }
        ensure((before[user] == "memory@c") == (before[user] != *server), "only its users move")?;
    }
    Ok(())
}

/// Tells which server each user's calls go to.
async fn homes(carts: &CartsClient) -> Outcome<BTreeMap<&'static str, String>> {
    let mut homes = BTreeMap::new();
    for user in USERS {
        let detailed = carts.add(user, "tea").detailed().await;
        detailed.result?;
        homes.insert(user, detailed.address.ok_or("a reply comes from a server")?.to_string());
    }
    Ok(homes)
}
