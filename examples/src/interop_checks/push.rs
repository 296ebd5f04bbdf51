//! Messages that a server sends on its own.

use rpcx::client::Push;
use rpcx::protocol::{Kind, SerializeType};
use tokio::sync::mpsc;

use super::tap::Tap;
use super::{Check, Failure, Target, check, same};
use crate::interop::{Args, InteropClient};

pub(super) const CHECKS: &[Check] = &[
    check!("push/three_in_order", three_in_order()),
    check!("push/without_a_handler", without_a_handler()),
];

async fn three_in_order(target: Target) -> Result<(), Failure> {
    let tap = Tap::default();
    let (sender, mut pushes) = mpsc::unbounded_channel::<Push>();
    let builder = target.builder().connector(tap.clone()).on_push(move |push| {
        // Nobody takes it any more once the check is over.
        let _ = sender.send(push);
    });
    let client: InteropClient = builder.connect_to(&target.address()).await?;
    same("reply", client.push(Args { a: 3, b: 0 }).await?.c, 3)?;
    for n in 0..3 {
        let push = pushes.recv().await.ok_or("the client is gone")?;
        same("service", push.service_path(), "push")?;
        same("method", push.service_method(), "note")?;
        same("n", push.metadata().get("n"), Some(n.to_string().as_str()))?;
        same("payload", &push.payload()[..], format!("note-{n}").as_bytes())?;
    }
    let responses = tap.traffic().responses;
    let frames: Vec<_> = responses.iter().filter(|m| m.service_path() == b"push").collect();
    same("frames", frames.len(), 3)?;
    for frame in frames {
        same("direction", frame.header().kind(), Kind::Request)?;
        same("one-way", frame.header().is_oneway(), true)?;
        same("heartbeat", frame.header().is_heartbeat(), false)?;
        same("codec", frame.header().serialize_type(), SerializeType::RAW)?;
    }
    Ok(())
}

/// Their numbers are the server's own, and never taken for those of replies.
async fn without_a_handler(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    for n in 0..10 {
        same("reply", client.push(Args { a: n, b: 0 }).await?.c, n)?;
        same("product", client.mul(Args { a: n, b: 2 }).await?.c, n * 2)?;
    }
    Ok(())
}
