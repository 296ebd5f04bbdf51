//! Many servers behind one client, and what a server does around calls, one example at a time:
//! `show selector/weighted`.
//!
//! Each example is a file of this folder, with the name that the command line has for it, and reads from
//! top to bottom. It starts its servers in this process, prints what happens, and ends by itself; the exit
//! code is 1 if what it is about did not happen. Without an argument the program lists them all.
//!
//! Most servers have addresses like `memory@vienna`: connections within the process, so that nothing
//! depends on free ports. With `tcp@host:port` everything would be the same.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these programs are there to be looked at"
)]

mod auth;
mod breaker;
mod broadcast;
mod failmode;
mod fork;
mod group;
mod heartbeat;
mod inform;
mod interceptor;
mod metadata;
mod oneclient;
mod oneshot;
mod selector;
mod server;
mod servers;
mod state;
mod sticky;
mod timeout;
mod tls;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

use rpcx_examples::terminal::explain;
use servers::Outcome;

/// An example: its name, what it shows, and how it is run.
struct Example(&'static str, &'static str, fn() -> Pin<Box<dyn Future<Output = Outcome>>>);

const EXAMPLES: &[Example] = &[
    Example("selector/random", "any server, each as likely as the others", || {
        Box::pin(selector::random::run())
    }),
    Example("selector/roundrobin", "one server after the other", || {
        Box::pin(selector::roundrobin::run())
    }),
    Example("selector/weighted", "servers of a larger weight more often", || {
        Box::pin(selector::weighted::run())
    }),
    Example("selector/hash", "calls with the same key to the same server", || {
        Box::pin(selector::hash::run())
    }),
    Example("selector/geo", "the nearest server", || Box::pin(selector::geo::run())),
    Example("selector/ping", "the faster a server answers, the more calls it gets", || {
        Box::pin(selector::ping::run())
    }),
    Example("selector/customized", "a selector of your own", || {
        Box::pin(selector::customized::run())
    }),
    Example("failmode/failover", "a failed call is made again at another server", || {
        Box::pin(failmode::failover::run())
    }),
    Example("failmode/failfast", "a failed call fails", || Box::pin(failmode::failfast::run())),
    Example("failmode/failtry", "a failed call is made again at the same server", || {
        Box::pin(failmode::failtry::run())
    }),
    Example("failmode/failbackup", "a slow call is made at a second server, too", || {
        Box::pin(failmode::failbackup::run())
    }),
    Example("failmode/idempotent", "which calls may be made again at all", || {
        Box::pin(failmode::idempotent::run())
    }),
    Example("broadcast", "one call to all servers, and each has to succeed", || {
        Box::pin(broadcast::run())
    }),
    Example("fork", "one call to all servers, and one success is enough", || Box::pin(fork::run())),
    Example("inform", "one call to all servers, and what each of them said", || {
        Box::pin(inform::run())
    }),
    Example("breaker", "a server that keeps failing gets no calls for a while", || {
        Box::pin(breaker::run())
    }),
    Example("heartbeat", "a server that fell silent is noticed", || Box::pin(heartbeat::run())),
    Example("group", "only servers of one group", || Box::pin(group::run())),
    Example("state", "servers that an operator took out of use", || Box::pin(state::run())),
    Example("sticky", "one server as long as it is there", || Box::pin(sticky::run())),
    Example("oneclient", "clients of several services over the same connections", || {
        Box::pin(oneclient::run())
    }),
    Example("oneshot", "calls that nobody waits for", || Box::pin(oneshot::run())),
    Example("timeout", "how long a call may take, and an attempt", || Box::pin(timeout::run())),
    Example("metadata", "pairs of text beside a call, both ways", || Box::pin(metadata::run())),
    Example("auth", "a token with every call", || Box::pin(auth::run())),
    Example("tls", "encrypted connections, and both sides prove who they are", || {
        Box::pin(tls::run())
    }),
    Example("interceptor", "what wraps calls and attempts on the client's side", || {
        Box::pin(interceptor::run())
    }),
    Example("server/interceptor", "what wraps calls on the server's side", || {
        Box::pin(server::interceptor::run())
    }),
    Example("server/blacklist", "who may connect, by address", || {
        Box::pin(server::blacklist::run())
    }),
    Example("server/ratelimit", "how many calls a second a server takes", || {
        Box::pin(server::ratelimit::run())
    }),
    Example("server/alias", "other names for methods, changed at run time", || {
        Box::pin(server::alias::run())
    }),
    Example("server/function", "methods without a trait", || Box::pin(server::function::run())),
    Example(
        "server/trace",
        "one trace through several programs",
        || Box::pin(server::trace::run()),
    ),
];

#[tokio::main]
async fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        for Example(name, what, _) in EXAMPLES {
            println!("{name:20} {what}");
        }
        return ExitCode::SUCCESS;
    };
    let Some(Example(_, _, run)) = EXAMPLES.iter().find(|Example(known, ..)| *known == name) else {
        eprintln!("show: there is no example `{name}`; without an argument, all are listed");
        return ExitCode::FAILURE;
    };
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("show: {name}: {}", explain(&*error));
            ExitCode::FAILURE
        }
    }
}
