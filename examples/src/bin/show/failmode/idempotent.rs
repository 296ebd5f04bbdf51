//! Which calls may be made again at all: not one that may have run, unless its method is declared
//! idempotent, whatever the fail mode is.
//!
//! Here a server crashes while it runs a call. Go rpcx 1.9.4 would make all of these calls again.

use rpcx::registry::MultipleServers;
use rpcx::{Executed, FailMode, RetryRule, SelectMode, Server};
use tokio::sync::mpsc;

use crate::servers::{Outcome, Running, ensure, start_server};

#[rpcx::service]
trait Account {
    /// To ask twice does no harm.
    #[rpcx(idempotent)]
    async fn balance(&self) -> rpcx::Result<i64>;

    /// To pay twice does.
    async fn deposit(&self, amount: i64) -> rpcx::Result<i64>;
}

struct Bank;

impl Account for Bank {
    async fn balance(&self) -> rpcx::Result<i64> {
        Ok(100)
    }

    async fn deposit(&self, amount: i64) -> rpcx::Result<i64> {
        Ok(100 + amount)
    }
}

/// Says that a call has arrived, and does not get further.
struct Doomed(mpsc::UnboundedSender<()>);

impl Doomed {
    async fn run<T>(&self) -> T {
        let _ = self.0.send(());
        std::future::pending().await
    }
}

impl Account for Doomed {
    async fn balance(&self) -> rpcx::Result<i64> {
        self.run().await
    }

    async fn deposit(&self, _: i64) -> rpcx::Result<i64> {
        self.run().await
    }
}

pub(crate) async fn run() -> Outcome {
    start_server(Server::new().add(AccountServer::new(Bank)), "memory@bank").await?;

    let (account, crash) = prepare().await?;
    let deposit = account.deposit(5).start();
    crash.when_a_call_has_arrived().await;
    match deposit.await {
        Err(error) if error.executed() == Executed::Maybe => println!("deposit: {error}"),
        other => return Err(format!("a call that may have run gave {other:?}").into()),
    }

    let (account, crash) = prepare().await?;
    let balance = account.balance().start();
    crash.when_a_call_has_arrived().await;
    let balance = balance.await?;
    println!("balance: {balance}, from the other server");
    ensure(balance == 100, "an idempotent call is made again")?;

    // A method that is not declared so may be made again if the caller says that it does not matter.
    let (account, crash) = prepare().await?;
    let deposit = account.deposit(5).retry(RetryRule::AtLeastOnce).start();
    crash.when_a_call_has_arrived().await;
    let balance = deposit.await?;
    println!("deposit at least once: {balance}, from the other server");
    ensure(balance == 105, "the call is made again on request")
}

/// The end of a server.
struct Crash {
    server: Running,
    arrived: mpsc::UnboundedReceiver<()>,
}

impl Crash {
    async fn when_a_call_has_arrived(mut self) {
        self.arrived.recv().await;
        self.server.crash().await;
    }
}

/// Starts the server that is to crash, and makes a client that calls it first.
async fn prepare() -> Outcome<(AccountClient, Crash)> {
    let (sender, arrived) = mpsc::unbounded_channel();
    let server = Server::new().add(AccountServer::new(Doomed(sender)));
    let server = start_server(server, "memory@doomed").await?;
    let registry = MultipleServers::new(["memory@doomed?weight=5", "memory@bank"])?;
    let builder = AccountClient::builder().registry(registry).fail_mode(FailMode::Failover);
    let account = builder.select(SelectMode::WeightedRoundRobin).connect().await?;
    Ok((account, Crash { server, arrived }))
}
