//! The server of the scenarios, in a process of its own.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rpcx::{Result, Server};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{Load, LoadServer};

/// The service behind [`Load`].
#[derive(Debug)]
pub struct Served;

impl Load for Served {
    async fn add(&self, a: i64, b: i64) -> Result<i64> {
        Ok(a.wrapping_add(b))
    }

    async fn wait(&self, microseconds: u64) -> Result<u64> {
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
pub async fn serve() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let server = Server::new().add(LoadServer::new(Served)).without_registry();
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
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
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

    /// Gives the address that it listens at.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Gives the number of its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }
}
