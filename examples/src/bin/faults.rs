//! A proxy in front of any rpcx server that harms messages by rules: see `faults --help`.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use rpcx_examples::faults::{Faults, Proxy, Rule, control};
use rpcx_examples::terminal::{explain, stop_signal};
use tokio::net::TcpListener;

/// Stands between rpcx clients and a server, and harms what passes.
///
/// It knows where messages begin and end, so that a rule can name the third reply, or its tenth byte. Clients
/// and servers may be of Go too. All chance comes from the seed, which is printed: the same seed does the same
/// to the same messages.
///
/// A rule is: `request` or `reply`; then which messages of each connection, if not all: `nth N`, `every N` or
/// `one-in N`; then `times N` for how often at most, all connections together; then one of
///
///   corrupt PLACE BITS     changes those bits of the byte at PLACE; without BITS, some
///   cut PLACE              lets the bytes before PLACE through and closes the connection
///   reset PLACE            the same, and resets it
///   delay MS               holds it, and what follows, back
///   duplicate              sends it twice
///   drop                   does not send it
///   swap                   sends it after the next one
///   seq N                  adds N to its sequence number
///   blackhole              from here on nothing passes either way; the connection stays
///   slice BYTES MS         sends it in pieces with pauses
///
/// PLACE is a number of bytes from the message's beginning, or `random`. The first rule that fits a message
/// counts.
///
/// On the control port the same rules are added, a line each, and `clear`, `rules`, `counts`, `sever`, `down`
/// and `up` are understood. Every answer ends with a line `ok` or `error: …`.
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Options {
    /// Where clients connect, `host:port`; port 0 lets the system choose, and the port is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Where the server listens, `host:port`.
    #[arg(long)]
    to: String,
    /// What chance follows from; by default another one each time.
    #[arg(long)]
    seed: Option<u64>,
    /// A rule, in quotes; may be given more than once.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<Rule>,
    /// Where to take further rules from, `host:port`. Whoever reaches it may change them.
    #[arg(long, value_name = "HOST:PORT")]
    control: Option<String>,
    /// Prints every fault that strikes.
    #[arg(long, short)]
    verbose: bool,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a program for a terminal")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("faults: {}", explain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let stop = stop_signal()?;
    let faults = Faults::new(options.seed.unwrap_or_else(|| fastrand::u64(..)));
    for rule in options.rules {
        faults.add(rule);
    }
    if options.verbose {
        faults.watch(|struck| say(&struck.to_string()));
    }
    let proxy = Proxy::start(&options.listen, &options.to, faults.clone()).await?;
    say(&format!("seed {}", faults.seed()));
    say(&format!("listening on {}", proxy.address()));
    let controlled = async {
        let Some(address) = options.control else { return std::future::pending().await };
        let listener = TcpListener::bind(address).await?;
        say(&format!("control on {}", listener.local_addr()?));
        control::serve(listener, Arc::new(proxy), faults.clone()).await
    };
    tokio::select! {
        () = stop => {}
        ended = controlled => ended?,
    }
    say(&faults.counts().to_string());
    Ok(())
}

/// Prints a line at once, also into a pipe.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Whoever read it may have gone; the proxy goes on.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
