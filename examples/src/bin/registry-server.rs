//! Offers `Arith` and registers it in a registry that the command line names: the server of the
//! interop tests with Go's registry plugins. Prints a line of JSON for each event.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use rpcx::server::Registrations;
use rpcx::{InstanceMetadata, Server};
use rpcx_examples::any_registry::{any_registry, duration};
use rpcx_examples::arith::{Args, Arith, ArithServer, Reply};
use rpcx_examples::event::event;
use rpcx_examples::terminal::stop_signal;

#[derive(Parser)]
struct Options {
    /// `none`, `etcd`, `zookeeper`, `consul` or `mdns`.
    #[arg(long, default_value = "none")]
    registry: String,
    /// `host:port`, with commas; `-` for mdns.
    #[arg(long, value_delimiter = ',')]
    registry_addr: Vec<String>,
    /// Where to listen, `host:port`.
    #[arg(long, default_value = "127.0.0.1:8972")]
    addr: String,
    /// The namespace.
    #[arg(long, default_value = "/rpcx_test")]
    base: String,
    /// The service's name.
    #[arg(long, default_value = "Arith")]
    service: String,
    /// What the server says of itself, a URL query.
    #[arg(long, default_value = "weight=5")]
    meta: String,
    /// How often the entry's figures are written.
    #[arg(long, default_value = "2s", value_parser = duration)]
    interval: Duration,
}

#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

impl Arith for Counting {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Reply { c: args.a.wrapping_mul(args.b) })
    }
}

async fn serve(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let counting = Counting::default();
    let mut server = Server::new().add_as(&*options.service, ArithServer::new(counting.clone()));
    for (key, value) in InstanceMetadata::parse(&options.meta).iter() {
        server = server.instance_metadata(key, value);
    }
    if options.registry != "none" {
        let endpoints: Vec<_> =
            options.registry_addr.iter().filter(|at| *at != "-").cloned().collect();
        let registry =
            any_registry(&options.registry, &endpoints, &options.base, options.interval)?;
        server = server.registry(registry);
    }
    let stop = stop_signal()?;
    let bound = server.bind(&format!("tcp@{}", options.addr)).await?;
    let address = bound.local_addr().to_string();
    let registrations = bound.registrations();
    event("serving", [("pid", std::process::id().into()), ("addr", options.addr.into())]);
    let stop = async {
        stop.await;
        event("stopping", [("calls", counting.0.load(Ordering::Relaxed).into())]);
    };
    // Serving comes first: it is what fills in the registrations.
    tokio::select! {
        biased;
        _ = bound.serve_until(stop) => {}
        () = tell(&registrations, &options.service, &address) => {}
    }
    event("unregistered", []);
    Ok(())
}

/// Prints how the entry in the registry stands, now and whenever that changes; does not end.
async fn tell(registrations: &Registrations, service: &str, address: &str) {
    if let Some(mut state) = registrations.watch(service) {
        loop {
            let now = format!("{:?}", *state.borrow_and_update());
            let kind = if now == "Registered" { "registered" } else { "registration" };
            event(
                kind,
                [("service", service.into()), ("self", address.into()), ("state", now.into())],
            );
            if state.changed().await.is_err() {
                break;
            }
        }
    }
    std::future::pending::<()>().await;
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            event("fatal", [("err", error.to_string().into())]);
            ExitCode::FAILURE
        }
    }
}
