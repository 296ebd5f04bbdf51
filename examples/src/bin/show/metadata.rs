//! Pairs of text beside a call, both ways.

use rpcx::{Context, Server};

use crate::servers::{Outcome, ensure, start_server};

#[rpcx::service]
trait Greeter {
    /// The context is not sent: it holds what came beside the call.
    async fn greet(&self, context: &Context, name: &str) -> rpcx::Result<String>;
}

struct Polyglot;

impl Greeter for Polyglot {
    async fn greet(&self, context: &Context, name: &str) -> rpcx::Result<String> {
        let (language, greeting) = match context.metadata().get("language") {
            Some("de") => ("de", "Guten Tag"),
            _ => ("en", "Good day"),
        };
        context.set_response_metadata("language", language);
        Ok(format!("{greeting}, {name}"))
    }
}

pub(crate) async fn run() -> Outcome {
    start_server(Server::new().add(GreeterServer::new(Polyglot)), "memory@greeter").await?;
    let greeter = GreeterClient::connect_to("memory@greeter").await?;

    let plain = greeter.greet("Ada").await?;
    println!("{plain}");

    // `detailed` gives the metadata of the response, too, also with an error.
    let detailed = greeter.greet("Ada").metadata("language", "de").detailed().await;
    let greeting = detailed.result?;
    let language = detailed.metadata.get("language").unwrap_or("none");
    println!("{greeting} (language: {language})");
    ensure((greeting.as_str(), language) == ("Guten Tag, Ada", "de"), "metadata goes both ways")
}
