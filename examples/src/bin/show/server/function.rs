//! Methods without a trait. Go's `RegisterFunctionName` and `AddHandler`.

use rpcx::client::Channel;
use rpcx::protocol::SerializeType;
use rpcx::reflection::MethodInfo;
use rpcx::{Bytes, Client as _, Server};
use rpcx_examples::arith::{Args, Reply};

use crate::servers::{ARGS, Outcome, ensure, start_server};

static MUL: MethodInfo = MethodInfo::new("Math", "Mul");
static REVERSE: MethodInfo = MethodInfo::new("Text", "Reverse").codec(SerializeType::RAW);

pub(crate) async fn run() -> Outcome {
    let server = Server::new()
        // Of values, in whatever codec the caller uses.
        .function("Math", "Mul", |_, args: Args| async move { Ok(Reply { c: args.a * args.b }) })
        // Of bytes as they came. The context is the call's.
        .bytes_function("Text", "Reverse", |context, payload| async move {
            context.set_response_metadata("length", payload.len().to_string());
            Ok(payload.iter().rev().copied().collect())
        });
    start_server(server, "memory@functions").await?;

    let channel = Channel::connect_to("memory@functions").await?;
    let product: Reply = channel.call(&MUL, &ARGS).await?;
    println!("Math.Mul: {}", product.c);

    let text = Bytes::from("stressed".as_bytes().to_vec());
    let detailed = channel.call::<_, Bytes>(&REVERSE, &text).detailed().await;
    let reversed = String::from_utf8(detailed.result?.to_vec())?;
    let length = detailed.metadata.get("length").unwrap_or("none");
    println!("Text.Reverse: {reversed}, {length} bytes");
    ensure((product.c, &*reversed) == (200, "desserts"), "functions answer like methods")
}
