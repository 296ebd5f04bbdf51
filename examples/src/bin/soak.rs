//! Calls for many minutes while everything fails in turn: see `soak --help`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use rpcx_examples::soak::{self, Plan};
use rpcx_examples::terminal::explain;

/// Calls two servers for many minutes while they and the network fail in turn.
///
/// Trouble and calm take turns: connections cut, reset, slowed down, half-open or severed, messages in pieces,
/// broken, swapped, lost or doubled, a server gone or killed, clients that send garbage. A line is printed
/// after each, then what must not be: calls that ran twice and may not, calls that ran or did not run other
/// than their callers were told, memory that grows, tasks or descriptors that stay. If there is any of it the
/// program fails.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    /// How long, in minutes, and until there was every kind of trouble once. Memory is judged from 5 minutes on.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// What the order of the faults follows from; by default another one each time.
    #[arg(long)]
    seed: Option<u64>,
    /// How long each kind of trouble lasts, and the calm after it, in seconds.
    #[arg(long, default_value_t = 5.0)]
    phase: f64,
    /// Callers, each with one call at a time.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Is one of the servers.
    #[command(hide = true)]
    Serve {
        /// Where to listen, `host:port`.
        address: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(Role::Serve { address }) = &options.role {
        return match soak::serve(address).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&*error),
        };
    }
    let plan = Plan {
        length: Duration::from_secs_f64(options.minutes * 60.0),
        seed: options.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
        phase: Duration::from_secs_f64(options.phase),
        callers: options.callers,
    };
    println!("seed {}", plan.seed);
    let verdict = match soak::run(plan, |line| println!("{line}")).await {
        Ok(verdict) => verdict,
        Err(error) => return fail(&error),
    };
    for line in &verdict.figures {
        println!("{line}");
    }
    for line in &verdict.broken {
        println!("BROKEN: {line}");
    }
    println!("{}", if verdict.broken.is_empty() { "all is well" } else { "not all is well" });
    if verdict.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("soak: {}", explain(error));
    ExitCode::FAILURE
}
