//! What wraps calls on the server's side, and who may connect. Go's server plugins.

use rpcx::server::interceptor::{ConnectionInfo, Incoming, Interceptor, Next, Outgoing, Rejection};
use rpcx::{Context, Error, Server};

use crate::servers::{Outcome, ensure, start_server};

#[rpcx::service]
trait Greeter {
    async fn greet(&self, context: &Context) -> rpcx::Result<String>;
}

struct Polite;

/// Who calls: an interceptor finds out, the handler uses it.
#[derive(Clone)]
struct User(String);

impl Greeter for Polite {
    async fn greet(&self, context: &Context) -> rpcx::Result<String> {
        let User(name) = context.extensions().get().ok_or_else(|| Error::service("who?"))?;
        Ok(format!("good day, {name}"))
    }
}

/// Prints what passes. What it keeps in its variables is there before and after.
struct Log;

impl Interceptor for Log {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let what = format!("{}.{}", request.service(), request.method());
        println!("> {what}");
        let result = next.run(request).await;
        match &result {
            // An error of the service itself is an answer like any other.
            Ok(answer) => match answer.error() {
                Some(text) => println!("< {what}: the service says: {text}"),
                None => println!("< {what}: {} bytes", answer.payload().len()),
            },
            Err(rejection) => println!("< {what}: rejected: {rejection}"),
        }
        result
    }

    fn connected(&self, connection: &ConnectionInfo) {
        println!("a client connected, from {:?}", connection.peer());
    }
}

/// Lets only those through who say who they are.
struct Names;

impl Interceptor for Names {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let Some(name) = request.metadata().get("user") else {
            return Err(Rejection::error("say who you are"));
        };
        request.extensions().insert(User(name.to_owned()));
        next.run(request).await
    }
}

/// Signs what is sent back.
struct Signature(&'static str);

impl Interceptor for Signature {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let mut answer = next.run(request).await?;
        answer.metadata_mut().insert("served-by", self.0);
        Ok(answer)
    }
}

pub(crate) async fn run() -> Outcome {
    // The first interceptor is the outermost.
    let server = Server::new().add(GreeterServer::new(Polite));
    let server = server.interceptor(Log).interceptor(Names).interceptor(Signature("vienna"));
    start_server(server, "memory@greeter").await?;
    let greeter = GreeterClient::connect_to("memory@greeter").await?;

    let detailed = greeter.greet().metadata("user", "Ada").detailed().await;
    let greeting = detailed.result?;
    let by = detailed.metadata.get("served-by").unwrap_or("nobody");
    println!("{greeting} (served by {by})");
    ensure((&*greeting, by) == ("good day, Ada", "vienna"), "both interceptors did their part")?;

    let Err(error) = greeter.greet().await else { return Err("that should not pass".into()) };
    println!("{error}");
    ensure(error.to_string() == "say who you are", "the call is rejected")
}
