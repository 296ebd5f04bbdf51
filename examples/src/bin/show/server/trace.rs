//! One trace through several programs: W3C Trace Context, as Go's OpenTelemetry plugins send it.

use rpcx::client::TracePropagation;
use rpcx::server::interceptor::Tracing;
use rpcx::{Context, Server, TraceContext};
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};

use crate::servers::{ARGS, Outcome, ensure, start_server};

/// Says which trace it is called in.
#[rpcx::service]
trait Stock {
    async fn trace(&self, context: &Context) -> rpcx::Result<String>;
}

struct Shelf;

impl Stock for Shelf {
    async fn trace(&self, context: &Context) -> rpcx::Result<String> {
        let trace = context.trace_context().map(|trace| trace.trace_id().to_string());
        Ok(trace.unwrap_or_default())
    }
}

/// Asks [`Shelf`] before it answers.
struct Shop {
    stock: StockClient,
    seen: tokio::sync::mpsc::UnboundedSender<String>,
}

impl Arith for Shop {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        // The client's interceptor finds the trace of the call that this task serves.
        let seen = self.stock.trace().await?;
        self.seen.send(seen).unwrap_or_default();
        Ok(Reply { c: args.a * args.b })
    }
}

pub(crate) async fn run() -> Outcome {
    let server = Server::new().add(StockServer::new(Shelf)).interceptor(Tracing::new());
    start_server(server, "memory@stock").await?;

    let builder = StockClient::builder().interceptor(TracePropagation::new());
    let stock = builder.connect_to("memory@stock").await?;
    let (seen, mut traces) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::new().add(ArithServer::new(Shop { stock, seen }));
    start_server(server.interceptor(Tracing::new()), "memory@shop").await?;

    // What a caller in any language sends.
    let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let arith = ArithClient::connect_to("memory@shop").await?;
    arith.mul(ARGS).metadata("traceparent", sent).await?;
    let seen = traces.recv().await.ok_or("the shop asks the stock")?;
    println!("the caller's trace: {seen}");
    let expected = TraceContext::parse(sent, None).ok_or("it is valid")?.trace_id().to_string();
    ensure(seen == expected, "the stock is called in the trace of the shop's caller")?;

    arith.mul(ARGS).await?;
    let own = traces.recv().await.ok_or("the shop asks the stock")?;
    ensure(own.len() == 32 && own != expected, "a call without a trace begins one")?;
    println!("without one, a new trace of {} digits", own.len());
    Ok(())
}
