//! How long a call may take, and each of its attempts.

use std::time::Duration;

use rpcx::registry::MultipleServers;
use rpcx::{Error, Executed, FailMode, SelectMode, Server};
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::servers::{ARGS, Outcome, ensure, start, start_server};

/// Never gets done, and says so when it is told to stop.
struct Slow(mpsc::UnboundedSender<()>);

struct Stopped<'a>(&'a mpsc::UnboundedSender<()>);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl Arith for Slow {
    async fn mul(&self, _: Args) -> rpcx::Result<Reply> {
        let _stopped = Stopped(&self.0);
        std::future::pending().await
    }
}

pub(crate) async fn run() -> Outcome {
    let (sender, mut stopped) = mpsc::unbounded_channel();
    start_server(Server::new().add(ArithServer::new(Slow(sender))), "memory@slow").await?;
    start("memory@quick").await?;

    // The time of a call: connecting, all of its attempts and the pauses between them.
    let arith = ArithClient::connect_to("memory@slow").await?;
    let time = Duration::from_millis(200);
    match arith.mul(ARGS).timeout(time).await {
        Err(error @ Error::Timeout { executed: Executed::Maybe, .. }) => println!("{error}"),
        other => return Err(format!("nobody can have answered, but {other:?}").into()),
    }
    // The server was told how long it had, and does not go on in vain.
    stopped.recv().await.ok_or("the server is gone")?;
    println!("the server has stopped working on it");

    // The time of an attempt: if a server hangs, the call is made at another one, as its method is
    // idempotent. Nothing but the time tells; this server accepts connections and does nothing else.
    let hanging = TcpListener::bind("127.0.0.1:0").await?;
    let registry = MultipleServers::new([
        format!("tcp@{}?weight=5", hanging.local_addr()?),
        "memory@quick".to_owned(),
    ])?;
    let arith = ArithClient::builder()
        .registry(registry)
        .select(SelectMode::WeightedRoundRobin)
        .fail_mode(FailMode::Failover)
        .attempt_timeout(time)
        .connect()
        .await?;
    let detailed = arith.mul(ARGS).timeout(Duration::from_secs(30)).detailed().await;
    let server = detailed.address.ok_or("a reply comes from a server")?.to_string();
    println!("{} * {} = {}, from {server}", ARGS.a, ARGS.b, detailed.result?.c);
    ensure(server == "memory@quick", "the second attempt succeeds")
}
