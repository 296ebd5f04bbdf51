//! What wraps calls and attempts on the client's side. Go's client plugins.

use rpcx::client::interceptor::{Incoming, Interceptor, Next, Outgoing};
use rpcx::registry::MultipleServers;
use rpcx::{Address, Context, Error, FailMode, SelectMode, Server};

use crate::servers::{Outcome, ensure, start_server};

#[rpcx::service]
trait Greeter {
    #[rpcx(idempotent)]
    async fn greet(&self, context: &Context) -> rpcx::Result<String>;

    async fn insult(&self) -> rpcx::Result<String>;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, context: &Context) -> rpcx::Result<String> {
        Ok(format!("good day, {}", context.metadata().get("user").unwrap_or("stranger")))
    }

    async fn insult(&self) -> rpcx::Result<String> {
        Err(Error::service("never"))
    }
}

/// Prints what passes. What it keeps in its variables is there before and after.
struct Log;

impl Interceptor for Log {
    /// Around the whole call.
    async fn call(&self, request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
        let what = format!("{}.{}", request.service(), request.method());
        println!("> {what}");
        let result = next.run(request).await;
        match &result {
            // An error of the service itself is an answer like any other.
            Ok(reply) => match reply.error() {
                Some(text) => println!("< {what}: the service says: {text}"),
                None => println!("< {what}: {} bytes", reply.payload().len()),
            },
            Err(error) => println!("< {what}: {error}"),
        }
        result
    }

    /// Around each of its attempts: by now a server is chosen.
    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
        let number = request.attempt();
        let server = request.address().map(ToString::to_string).unwrap_or_default();
        println!("  > attempt {number} at {server}");
        let result = next.run(request).await;
        match &result {
            Ok(_) => println!("  < attempt {number}: answered"),
            Err(error) => println!("  < attempt {number}: {error}"),
        }
        result
    }

    fn connected(&self, server: &Address) {
        println!("    connected to {server}");
    }

    fn connect_failed(&self, server: &Address, error: &Error) {
        println!("    not connected to {server}: {error}");
    }
}

/// Says who calls, in the metadata of every call.
struct Signature {
    user: &'static str,
}

impl Interceptor for Signature {
    async fn call(&self, mut request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
        request.metadata_mut().insert("user", self.user);
        next.run(request).await
    }
}

/// Lets nothing through that is not meant well.
struct Manners;

impl Interceptor for Manners {
    async fn call(&self, request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
        if request.method() == "Insult" {
            return Err(Error::service("we do not say such things"));
        }
        next.run(request).await
    }
}

pub(crate) async fn run() -> Outcome {
    start_server(Server::new().add(GreeterServer::new(Polite)), "memory@good").await?;

    // The first interceptor is the outermost. Nobody listens at `memory@gone`, which is chosen first.
    let registry = MultipleServers::new(["memory@gone?weight=5", "memory@good"])?;
    let greeter = GreeterClient::builder()
        .registry(registry)
        .select(SelectMode::WeightedRoundRobin)
        .fail_mode(FailMode::Failover)
        .interceptor(Log)
        .interceptor(Signature { user: "Ada" })
        .interceptor(Manners)
        .connect()
        .await?;

    let greeting = greeter.greet().await?;
    println!("{greeting}");
    ensure(greeting == "good day, Ada", "the signature arrives")?;

    let Err(error) = greeter.insult().await else { return Err("that should not pass".into()) };
    println!("{error}");
    ensure(error.to_string() == "we do not say such things", "the call is refused")
}
