//! Other names for services and methods, changed while the server runs. Go's `AliasPlugin`.

use rpcx::client::Channel;
use rpcx::reflection::MethodInfo;
use rpcx::server::interceptor::Aliases;
use rpcx::{Client as _, Server};
use rpcx_examples::arith::{ArithServer, Calculator, Reply};

use crate::servers::{ARGS, Outcome, ensure, start_server};

/// What old clients call.
static TIMES: MethodInfo = MethodInfo::new("Calculator", "Times");

pub(crate) async fn run() -> Outcome {
    let aliases = Aliases::new();
    let server = Server::new().add(ArithServer::new(Calculator)).interceptor(aliases.clone());
    start_server(server, "memory@arith").await?;
    // A client without a trait calls by names.
    let channel = Channel::connect_to("memory@arith").await?;

    aliases.add_method("Calculator", "Times", "Arith", "Mul");
    let reply: Reply = channel.call(&TIMES, &ARGS).await?;
    println!("Calculator.Times: {}", reply.c);

    aliases.remove_method("Calculator", "Times");
    let gone: rpcx::Result<Reply> = channel.call(&TIMES, &ARGS).await;
    let Err(error) = gone else { return Err("the alias is gone".into()) };
    println!("without the alias: {error}");
    ensure(reply.c == 200, "the alias leads to Arith.Mul")
}
