//! What the server and client programs of all registries have in common.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "for programs in a terminal")]

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;

use clap::Parser;
use rpcx::Server;
use rpcx::server::Registrations;

use crate::arith::{Args, Reply};
use crate::terminal::{explain, stop_signal};

/// What a server program is told.
#[derive(Debug, Parser)]
pub struct ServerOptions {
    /// Where to listen.
    #[arg(long, default_value = "tcp@localhost:8972")]
    pub addr: String,
    /// Where the registry is, if not at its usual local port: `host:port`, with commas.
    #[arg(long, value_delimiter = ',')]
    pub registry_addr: Vec<String>,
    /// The namespace in the registry.
    #[arg(long)]
    pub base: Option<String>,
}

/// What a client program is told.
#[derive(Debug, Parser)]
pub struct ClientOptions {
    /// Where the registry is, if not at its usual local port: `host:port`, with commas.
    #[arg(long, value_delimiter = ',')]
    pub registry_addr: Vec<String>,
    /// The namespace in the registry.
    #[arg(long)]
    pub base: Option<String>,
}

/// Serves until Ctrl-C or SIGTERM, and tells how the server's entry in the registry stands.
pub async fn serve(server: Server, address: &str) -> ExitCode {
    report(try_serve(server, address).await)
}

async fn try_serve(server: Server, address: &str) -> Result<(), Box<dyn Error>> {
    let stopped = stop_signal()?;
    let bound = server.bind(address).await?;
    println!("listening on {}", bound.local_addr());
    let registrations = bound.registrations();
    // Serving comes first: it is what fills in the registrations.
    tokio::select! {
        biased;
        _ = bound.serve_until(stopped) => {}
        () = tell(&registrations) => {}
    }
    println!("stopped");
    Ok(())
}

/// Prints how the entry in the registry stands, now and whenever that changes; does not end.
async fn tell(registrations: &Registrations) {
    if let Some(mut state) = registrations.watch("Arith") {
        loop {
            println!("registry: {:?}", *state.borrow_and_update());
            if state.changed().await.is_err() {
                break;
            }
        }
    }
    std::future::pending::<()>().await;
}

/// Makes the call that all client programs make, and prints it.
pub async fn call<F>(mul: impl FnOnce(Args) -> F) -> ExitCode
where
    F: Future<Output = rpcx::Result<Reply>>,
{
    let args = Args { a: 10, b: 20 };
    let result = mul(args.clone()).await;
    report(result.map_err(Into::into).map(|reply| {
        println!("{} * {} = {}", args.a, args.b, reply.c);
    }))
}

fn report(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", explain(&*error));
            ExitCode::FAILURE
        }
    }
}
