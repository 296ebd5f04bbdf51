//! The servers, in processes of their own, and what they tell of the calls that they run.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rpcx::{Bytes, FailMode, Result, Server};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// What is called.
#[rpcx::service]
pub trait Soak {
    /// May run twice; gives the number back after as many milliseconds.
    #[rpcx(idempotent)]
    async fn put(&self, id: u64, wait: u64, cargo: Bytes) -> Result<u64>;

    /// May not run twice.
    async fn add(&self, id: u64, wait: u64, cargo: Bytes) -> Result<u64>;

    /// Gives nothing back.
    #[rpcx(oneway)]
    async fn note(&self, id: u64, cargo: Bytes) -> Result<()>;

    /// Gives the bytes back.
    #[rpcx(idempotent)]
    async fn echo(&self, cargo: Bytes) -> Result<Bytes>;

    /// Counts the tasks of the process.
    #[rpcx(idempotent)]
    async fn tasks(&self) -> Result<u64>;
}

/// Tells of each call as it begins, on standard output.
#[derive(Debug)]
pub struct SoakService;

impl SoakService {
    async fn run(id: u64, wait: u64) -> Result<u64> {
        tell(id);
        if wait > 0 {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        Ok(id)
    }
}

impl Soak for SoakService {
    async fn put(&self, id: u64, wait: u64, _: Bytes) -> Result<u64> {
        Self::run(id, wait).await
    }

    async fn add(&self, id: u64, wait: u64, _: Bytes) -> Result<u64> {
        Self::run(id, wait).await
    }

    async fn note(&self, id: u64, _: Bytes) -> Result<()> {
        tell(id);
        Ok(())
    }

    async fn echo(&self, cargo: Bytes) -> Result<Bytes> {
        Ok(cargo)
    }

    async fn tasks(&self) -> Result<u64> {
        Ok(tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64)
    }
}

/// Before anything of the call happens, so that a kill does not hide it.
fn tell(id: u64) {
    let mut output = io::stdout().lock();
    // The parent is there, or all of this is over.
    let _ = output.write_all(format!("{id}\n").as_bytes()).and_then(|()| output.flush());
}

/// Serves until standard input is closed, which it is at the latest when the parent ends.
///
/// # Errors
///
/// If the address is not free.
#[expect(clippy::print_stdout, reason = "the parent waits for the line")]
pub async fn serve(address: &str) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let server = Server::new().add(SoakServer::new(SoakService)).without_registry();
    let bound = server.bind(&format!("tcp@{address}")).await?;
    println!("{}", bound.local_addr().target());
    let mut parent = tokio::io::stdin();
    tokio::select! {
        () = bound.serve() => {}
        _ = parent.read_u8() => {}
    }
    Ok(())
}

/// How often each call ran, by all servers. Clones share it.
#[derive(Clone, Debug)]
pub struct Ran(Arc<[AtomicU8]>);

impl Ran {
    /// Makes it for calls of numbers less than `calls`. All of its memory is used from the start.
    pub fn with_room(calls: usize) -> Self {
        // Counted from 1, as memory that is all zero would only be there once it is written.
        Self((0..calls).map(|_| AtomicU8::new(1)).collect())
    }

    pub(super) fn room(&self) -> u64 {
        self.0.len() as u64
    }

    /// Counts how often a call ran.
    pub fn runs(&self, id: u64) -> u8 {
        let count = usize::try_from(id).ok().and_then(|id| self.0.get(id));
        count.map_or(0, |count| count.load(Ordering::Relaxed) - 1)
    }

    /// Counts the calls of some kind that ran more than once.
    pub(super) fn twice(&self, kind: impl Fn(u64) -> bool) -> usize {
        (0..self.room()).filter(|id| kind(*id) && self.runs(*id) > 1).count()
    }

    fn note(&self, line: &str) {
        let count = line.trim().parse().ok().and_then(|id: usize| self.0.get(id));
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A server in another process; it is killed when this is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    program: PathBuf,
    address: String,
    pid: u32,
    process: Child,
    ran: Ran,
    listening: JoinHandle<()>,
    own: SoakClient,
}

impl ServerProcess {
    /// Starts `program`, which is `soak`, with the arguments `serve ADDRESS`.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or does not say where it listens.
    pub async fn start(program: &Path, address: &str, ran: Ran) -> io::Result<Self> {
        let mut process = Command::new(program)
            .args(["serve", address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let ended = || io::Error::other("the server ended before it listened");
        let mut output = BufReader::new(process.stdout.take().ok_or_else(ended)?);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        let address = line.trim().to_owned();
        let pid = process.id().filter(|_| !address.is_empty()).ok_or_else(ended)?;
        let listening = tokio::spawn(listen(output, ran.clone()));
        let builder = SoakClient::builder().fail_mode(FailMode::Failtry);
        let own = builder.connect_lazily(&format!("tcp@{address}")).map_err(io::Error::other)?;
        let program = program.to_owned();
        Ok(Self { program, address, pid, process, ran, listening, own })
    }

    /// Gives where it listens, `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Gives the number of its process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Counts its tasks.
    ///
    /// # Errors
    ///
    /// Those of a call.
    pub async fn tasks(&self) -> Result<usize> {
        let tasks = self.own.tasks().timeout(Duration::from_secs(30)).await?;
        Ok(usize::try_from(tasks).unwrap_or(usize::MAX))
    }

    /// Kills it, and starts another at its address.
    pub(super) async fn kill_and_restart(&mut self) -> io::Result<()> {
        self.process.kill().await?;
        // What it had told is in the pipe still.
        let _ = (&mut self.listening).await;
        let mut tries = 0;
        loop {
            match Self::start(&self.program, &self.address, self.ran.clone()).await {
                Ok(server) => {
                    *self = server;
                    return Ok(());
                }
                // Somebody's connection may have got the port for a moment.
                Err(_) if tries < RESTARTS => tries += 1,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Notes what the server tells, until it ends.
async fn listen(mut output: BufReader<ChildStdout>, ran: Ran) {
    let mut line = String::new();
    while output.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        ran.note(&line);
        line.clear();
    }
}

/// How often a server is started again where its port is taken.
const RESTARTS: u32 = 50;
