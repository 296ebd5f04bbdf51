//! Checks any rpcx server that offers the services of the interop tests.
//!
//! `interop-client --addr A [--network tcp|unix] [--token T] [--ca F [--cert F --key F]] [--list] [--only ..]
//! [--skip ..]`
//! prints `ok NAME` or `FAIL NAME: why` for each check and closes with `N passed, N failed`. With a
//! token the checks of `auth` run too. The files are PEM; with them it speaks TLS, and leaves out what looks
//! at frames.
#![expect(clippy::print_stdout, reason = "the results")]

use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use rpcx_examples::interop_checks::{Check, Target};
use rpcx_examples::terminal::explain;
use rpcx_examples::tls_files::TlsFiles;

/// Checks the services of the interop tests at a server.
#[derive(Parser)]
struct Options {
    /// `host:port`, or the path of a socket.
    #[arg(long)]
    addr: String,
    /// How the server is reached.
    #[arg(long, default_value = "tcp", value_parser = PossibleValuesParser::new(["tcp", "unix"]))]
    network: String,
    /// The token that the server asks for.
    #[arg(long)]
    token: Option<String>,
    #[command(flatten)]
    files: TlsFiles,
    /// Prints the names of the checks and runs none.
    #[arg(long)]
    list: bool,
    /// Runs only these: names, topics, or beginnings followed by `*`, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Leaves these out.
    #[arg(long, value_delimiter = ',')]
    skip: Vec<String>,
}

impl Options {
    fn wants(&self, check: &Check) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| check.fits(pattern));
        (self.only.is_empty() || fits(&self.only)) && !fits(&self.skip)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let tls = match options.files.client() {
        Ok(tls) => tls,
        Err(error) => {
            println!("FAIL {error}");
            return ExitCode::FAILURE;
        }
    };
    let target = Target::new(&options.network, &options.addr, options.token.clone(), tls);
    let checks: Vec<_> = Check::all(&target).filter(|check| options.wants(check)).collect();
    if options.list {
        for check in &checks {
            println!("{}", check.name());
        }
        return ExitCode::SUCCESS;
    }
    let mut failed = 0;
    for check in &checks {
        match check.run(target.clone()).await {
            Ok(()) => println!("ok {}", check.name()),
            Err(error) => {
                failed += 1;
                println!("FAIL {}: {}", check.name(), explain(&*error));
            }
        }
    }
    println!("{} passed, {failed} failed", checks.len() - failed);
    // Nothing to run is a mistake in the patterns, no success.
    if failed == 0 && !checks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
