//! Pairs that travel beside a call, both ways.

use rpcx::Metadata;
use rpcx::protocol::SerializeType;

use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, MetaArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("metadata/none", none()),
    check!("metadata/one", one()),
    check!("metadata/empty_key", empty_key()),
    check!("metadata/unicode", unicode()),
    check!("metadata/long_value", long_value()),
    check!("metadata/200_pairs", many()),
    check!("metadata/json", json()),
    check!("metadata/stays_with_its_call", stays_with_its_call()),
    check!("metadata/detailed", detailed()),
];

async fn both_ways(target: &Target, pairs: &Metadata) -> Result<(), Failure> {
    both_ways_in(target, pairs, SerializeType::MSGPACK).await
}

/// The service sees each pair, and its `echo-` pairs come back.
async fn both_ways_in(
    target: &Target,
    pairs: &Metadata,
    serialize_type: SerializeType,
) -> Result<(), Failure> {
    let client = target.client().await?;
    let mut call = client.meta(MetaArgs {}).codec(serialize_type);
    for (key, value) in pairs.iter() {
        call = call.metadata(key, value);
    }
    let detailed = call.detailed().await;
    let seen = detailed.result?.meta;
    for (key, value) in pairs.iter() {
        ensure(seen.get(key).is_some_and(|seen| seen == value), || {
            format!("the service saw {key:?} as {:.80?}", seen.get(key))
        })?;
        let echoed = detailed.metadata.get(&format!("echo-{key}"));
        ensure(echoed == Some(value), || format!("of {key:?} came back {echoed:.80?}"))?;
    }
    // Go shows the service the token as well.
    if !target.has_token() {
        same("pairs at the service", seen.len(), pairs.len())?;
        same("pairs that came back", detailed.metadata.len(), pairs.len())?;
    }
    Ok(())
}

async fn none(target: Target) -> Result<(), Failure> {
    both_ways(&target, &Metadata::new()).await
}

async fn one(target: Target) -> Result<(), Failure> {
    both_ways(&target, &Metadata::from_iter([("k", "v")])).await
}

async fn empty_key(target: Target) -> Result<(), Failure> {
    both_ways(&target, &Metadata::from_iter([("", "an empty key"), ("k", "v")])).await
}

async fn unicode(target: Target) -> Result<(), Failure> {
    let pairs = [("ключ", "✓ значение"), ("键", "值\n\"💥\""), ("ü", "\u{0}")];
    both_ways(&target, &Metadata::from_iter(pairs)).await
}

async fn long_value(target: Target) -> Result<(), Failure> {
    both_ways(&target, &Metadata::from_iter([("long", "z".repeat(100_000))])).await
}

async fn many(target: Target) -> Result<(), Failure> {
    let pairs = (0..200).map(|n| (format!("key-{n}"), n.to_string()));
    both_ways(&target, &pairs.collect()).await
}

async fn json(target: Target) -> Result<(), Failure> {
    let pairs = Metadata::from_iter([("<&>", "\u{2028}\"\\"), ("", "x")]);
    both_ways_in(&target, &pairs, SerializeType::JSON).await
}

/// What one call carried does not show up in the next on the same connection.
async fn stays_with_its_call(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    client.meta(MetaArgs {}).metadata("mine", "1").await?;
    let next = client.meta(MetaArgs {}).detailed().await;
    ensure(next.metadata.get("echo-mine").is_none(), || "it came back again".to_owned())?;
    ensure(!next.result?.meta.contains_key("mine"), || "the service saw it again".to_owned())
}

/// `.detailed()` says who answered, also when nothing came beside the reply.
async fn detailed(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let detailed = client.mul(Args { a: 6, b: 6 }).detailed().await;
    same("reply", detailed.result?.c, 36)?;
    let address = detailed.address.map(|address| address.to_string());
    same("address", address.as_deref(), Some(&*target.address()))?;
    same("pairs", detailed.metadata.len(), 0)
}
