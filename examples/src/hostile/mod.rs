//! Clients that mean harm.

use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Opens connections to `address`, one after the other, and sends garbage on each until the server closes it,
/// or for a second; gives how many were closed by the server before.
pub async fn send_garbage(address: &str, seed: u64, connections: usize) -> usize {
    let mut rng = Rng::with_seed(seed);
    let mut closed = 0;
    for _ in 0..connections {
        let bytes = garbage(&mut rng);
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        // A server that has closed it does not take the rest.
        let _ = timeout(PATIENCE, stream.write_all(&bytes)).await;
        let _ = stream.shutdown().await;
        closed += usize::from(ends(&mut stream).await);
    }
    closed
}

/// Opens connections that each say how long a message is and send nothing of it; gives them, open.
pub async fn claim(address: &str, size: u32, connections: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let [a, b, c, d] = size.to_be_bytes();
        let _ = stream.write_all(&[8, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 1, a, b, c, d]).await;
        streams.push(stream);
    }
    streams
}

/// Counts the connections that the server closes within a second of silence each, all at once.
pub async fn closed(streams: Vec<TcpStream>) -> usize {
    let mut waits = tokio::task::JoinSet::new();
    for mut stream in streams {
        waits.spawn(async move { ends(&mut stream).await });
    }
    waits.join_all().await.into_iter().filter(|closed| *closed).count()
}

/// Bytes of several kinds: noise, noise behind the first bytes of a message, whole messages of nonsense.
pub fn garbage(rng: &mut Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..rng.usize(1..600)).map(|_| rng.u8(..)).collect();
    let kind = rng.u8(0..4);
    if kind > 0 {
        bytes[0] = 8;
    }
    if kind > 1 && bytes.len() > 32 {
        let length = u32::try_from(bytes.len() - 16).unwrap_or_default();
        bytes[12..16].copy_from_slice(&length.to_be_bytes());
    }
    if kind > 2 && bytes.len() > 32 {
        // All fields empty but the payload.
        let rest = u32::try_from(bytes.len() - 32).unwrap_or_default();
        bytes[16..28].fill(0);
        bytes[28..32].copy_from_slice(&rest.to_be_bytes());
    }
    bytes
}

/// Reads until the server closes; `false` if it has not after a moment.
async fn ends(stream: &mut TcpStream) -> bool {
    let mut sink = [0; 1024];
    let read = async { while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {} };
    timeout(PATIENCE, read).await.is_ok()
}

const PATIENCE: Duration = Duration::from_secs(1);
