//! The server of the scenarios, and what disturbs it, in processes of their own.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use rpcx::server::interceptor::ConcurrencyLimit;
use rpcx::{Error, Result, Server};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::{Load, LoadClient, LoadServer};

/// What a server has little of, and whether it says so.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Scarce {
    /// How many calls of `wait` get on at a time, as if each needed a connection to a database.
    #[arg(long)]
    pub pool: Option<usize>,
    /// How many calls run at a time; others are refused.
    #[arg(long)]
    pub at_a_time: Option<usize>,
}

/// The service behind [`Load`].
#[derive(Debug)]
pub struct Served {
    pool: Option<Semaphore>,
}

impl Load for Served {
    async fn add(&self, a: i64, b: i64) -> Result<i64> {
        Ok(a.wrapping_add(b))
    }

    async fn wait(&self, microseconds: u64) -> Result<u64> {
        let _place = match &self.pool {
            Some(pool) => Some(pool.acquire().await.map_err(|_| Error::service("closed"))?),
            None => None,
        };
        tokio::time::sleep(Duration::from_micros(microseconds)).await;
        Ok(microseconds)
    }

    async fn burn(&self, microseconds: u64) -> Result<u64> {
        let end = Instant::now() + Duration::from_micros(microseconds);
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        Ok(microseconds)
    }
}

/// Serves until standard input is closed, which it is at the latest when the parent ends.
///
/// # Errors
///
/// If no port is free.
pub async fn serve(scarce: Scarce) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let served = Served { pool: scarce.pool.map(Semaphore::new) };
    let mut server = Server::new().add(LoadServer::new(served)).without_registry();
    if let Some(calls) = scarce.at_a_time {
        server = server.interceptor(ConcurrencyLimit::new().total(calls));
    }
    let bound = server.bind("tcp@127.0.0.1:0").await?;
    #[expect(clippy::print_stdout, reason = "the parent waits for the line")]
    {
        println!("{}", bound.local_addr());
    }
    let mut parent = tokio::io::stdin();
    tokio::select! {
        () = bound.serve() => {}
        _ = parent.read_u8() => {}
    }
    Ok(())
}

/// A server that runs in another process; it ends when this is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    address: String,
    pid: i32,
    _process: Child,
}

impl ServerProcess {
    /// Starts this same program with the argument `serve`.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or does not say where it listens.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Scarce::default()).await
    }

    /// The same, for a server that has little of something.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or does not say where it listens.
    pub async fn start_with(scarce: Scarce) -> io::Result<Self> {
        let options = [("--pool", scarce.pool), ("--at-a-time", scarce.at_a_time)];
        let options = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(options.map(|(name, value)| format!("{name}={value}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let ended = || io::Error::other("the server ended before it listened");
        let output = process.stdout.take().ok_or_else(ended)?;
        let address = BufReader::new(output).lines().next_line().await?.ok_or_else(ended)?;
        let pid = process.id().and_then(|pid| pid.try_into().ok()).ok_or_else(ended)?;
        Ok(Self { address, pid, _process: process })
    }

    /// Has another process of this program make `calls` calls at a time until it is dropped.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or makes no call.
    pub async fn flood(&self, calls: usize) -> io::Result<Disturbance> {
        let calls = calls.to_string();
        Disturbance::start(&["flood", "--address", &self.address, "--inflight", &calls]).await
    }

    /// Gives the address that it listens at.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Gives the number of its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }
}

/// A process that takes the processor from the others; it ends when this is dropped.
#[derive(Debug)]
pub struct Disturbance {
    process: Child,
}

impl Disturbance {
    /// Has another process of this program burn the processor, on as many threads as a flood has.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub async fn burn() -> io::Result<Self> {
        Self::start(&["burn"]).await
    }

    async fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let ended = || io::Error::other("the process ended before it began");
        let output = process.stdout.take().ok_or_else(ended)?;
        BufReader::new(output).lines().next_line().await?.ok_or_else(ended)?;
        Ok(Self { process })
    }

    /// Ends the process.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub async fn end(mut self) -> io::Result<()> {
        self.process.kill().await
    }
}

/// Makes `in_flight` calls at a time on one connection until standard input is closed.
///
/// # Errors
///
/// If there is no connection, or a first call fails.
pub async fn flood(
    address: &str,
    in_flight: usize,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let client = LoadClient::connect_to(address).await?;
    client.add(1, 1).await?;
    for _ in 0..in_flight {
        let client = client.clone();
        tokio::spawn(async move { while client.add(40, 2).await.is_ok() {} });
    }
    until_the_parent_ends().await;
    Ok(())
}

/// Keeps as many threads busy as the machine has cores, until standard input is closed.
pub async fn burn() {
    for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
        std::thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        });
    }
    until_the_parent_ends().await;
}

#[expect(clippy::print_stdout, reason = "the parent waits for the line")]
async fn until_the_parent_ends() {
    println!("begun");
    let _ = tokio::io::stdin().read_u8().await;
}
