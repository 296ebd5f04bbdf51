//! The nearest server, by `latitude` and `longitude`.

use rpcx::client::selector::Closest;
use rpcx::registry::MultipleServers;
use rpcx_examples::arith::ArithClient;

use crate::servers::{Outcome, ensure, start, who_answers};

pub(crate) async fn run() -> Outcome {
    for address in ["memory@boston", "memory@tokyo", "memory@vienna"] {
        start(address).await?;
    }

    // A server announces its place with `Server::instance_metadata`. One without a place is never chosen.
    let registry = MultipleServers::new([
        "memory@boston?latitude=42.36&longitude=-71.06",
        "memory@tokyo?latitude=35.68&longitude=139.69",
        "memory@vienna?latitude=48.21&longitude=16.37",
        "memory@nowhere",
    ])?;

    let clients = [
        ("berlin", Closest::new(52.52, 13.41)?, "memory@vienna"),
        ("chicago", Closest::new(41.88, -87.63)?, "memory@boston"),
        // The date line divides nothing: Honolulu is nearer to Tokyo than to Boston.
        ("honolulu", Closest::new(21.31, -157.86)?, "memory@tokyo"),
    ];
    for (place, closest, expected) in clients {
        // The selector knows where the client is, so it is given as a value, not by its name.
        let builder = ArithClient::builder().registry(registry.clone()).selector(closest);
        let order = who_answers(&builder.connect().await?, 3).await?;
        println!("a client in {place} calls {}", order[0]);
        ensure(order == [expected; 3], "the nearest server answers all calls")?;
    }
    Ok(())
}
