//! Changes the faults of a proxy that runs: lines of text on a TCP port.
//!
//! | line | effect |
//! |---|---|
//! | a rule, such as `reply one-in 50 cut random` | is added |
//! | `clear` | takes all rules away |
//! | `rules` | lists them, a line each |
//! | `counts` | says what has passed and struck |
//! | `sever` | resets all connections |
//! | `down`, `up` | refuses connections, and takes them again |
//!
//! Each line is answered with lines of its own, the last of which is `ok`, or `error:` and why.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Faults, Proxy};

/// Serves until it is dropped.
///
/// # Errors
///
/// What the operating system says of the listener.
pub async fn serve(listener: TcpListener, proxy: Arc<Proxy>, faults: Faults) -> io::Result<()> {
    let mut clients = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await?;
        while clients.try_join_next().is_some() {}
        if clients.len() == CLIENTS {
            clients.join_next().await;
        }
        let (proxy, faults) = (Arc::clone(&proxy), faults.clone());
        clients.spawn(async move {
            // Whoever it was has gone, or says nothing.
            let _ = tokio::time::timeout(LONGEST, converse(client, &proxy, &faults)).await;
        });
    }
}

async fn converse(mut client: TcpStream, proxy: &Proxy, faults: &Faults) -> io::Result<()> {
    let (reader, mut writer) = client.split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(LINE).read_line(&mut line).await? == 0 || !line.ends_with('\n') {
            return Ok(());
        }
        let answer = match obey(line.trim(), proxy, faults) {
            Ok(said) => said + "ok\n",
            Err(why) => format!("error: {why}\n"),
        };
        writer.write_all(answer.as_bytes()).await?;
    }
}

/// Does what a line says; gives the lines of the answer.
fn obey(line: &str, proxy: &Proxy, faults: &Faults) -> Result<String, super::RuleError> {
    match line {
        "clear" => faults.clear(),
        "rules" => {
            let rules = faults.rules().into_iter();
            return Ok(rules.flat_map(|rule| [rule.to_string(), "\n".to_owned()]).collect());
        }
        "counts" => return Ok(format!("{}\n", faults.counts())),
        "sever" => proxy.sever(),
        "down" => proxy.down(),
        "up" => proxy.up(),
        rule => faults.add(rule.parse()?),
    }
    Ok(String::new())
}

/// Who may be connected at a time; one more waits for another to go.
const CLIENTS: usize = 8;
/// Bytes of a line.
const LINE: u64 = 1024;
/// How long one may stay.
const LONGEST: Duration = Duration::from_secs(3600);
