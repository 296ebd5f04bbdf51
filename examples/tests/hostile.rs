//! Clients that mean harm, and a server in a process of its own: it stays up, answers honest clients, and
//! takes no more memory than it should. The figures are printed.
//!
//! With `RPCX_LONG=1` there is more of everything. Latencies of honest calls are judged only then, and only in
//! a build with optimizations: `RPCX_LONG=1 cargo test --release -p rpcx-examples --test hostile`.
#![cfg(target_os = "linux")]

use std::future::poll_fn;
use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use rpcx::protocol::{Compression, Compressor as _, Gzip, Header, Output, SerializeType};
use rpcx::{Bytes, FailMode};
use rpcx_examples::hostile::{claim, closed, send_garbage};
use rpcx_examples::soak::{Ran, ServerProcess, SoakClient, descriptors, peak_kib, resident_kib};
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SOAK: &str = env!("CARGO_BIN_EXE_soak");

/// A server that somebody means harm to, and a client that does not.
struct Attacked {
    name: &'static str,
    server: ServerProcess,
    ran: Ran,
    honest: SoakClient,
    before: u64,
    alone: Latencies,
}

/// How long honest calls took.
#[derive(Clone, Copy)]
struct Latencies {
    median: Duration,
    p99: Duration,
}

impl Attacked {
    async fn start(name: &'static str) -> Self {
        let ran = Ran::with_room(1 << 20);
        let server = ServerProcess::start(Path::new(SOAK), "127.0.0.1:0", ran.clone());
        let server = server.await.unwrap();
        let builder = SoakClient::builder().fail_mode(FailMode::Failfast);
        let honest = builder.connect_lazily(&format!("tcp@{}", server.address())).unwrap();
        let alone = honest_calls(&honest).await;
        let before = resident_kib(server.pid()).unwrap();
        Self { name, server, ran, honest, before, alone }
    }

    fn address(&self) -> &str {
        self.server.address()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// Makes honest calls, and looks at the memory.
    async fn judge(&self, what: &str, most_mib: u64) {
        let during = honest_calls(&self.honest).await;
        let grown = peak_kib(self.server.pid()).unwrap().saturating_sub(self.before);
        let (name, alone) = (self.name, self.alone);
        say(&format!(
            "hostile, {name}: {what}; memory grew by {grown} KiB at most, of {} KiB allowed; an honest call \
             took {:?}, p99 {:?} (before: {:?}, {:?})",
            most_mib << 10,
            during.median,
            during.p99,
            alone.median,
            alone.p99,
        ));
        assert!(grown <= most_mib << 10, "{name}: memory grew by {grown} KiB");
        if long() && !cfg!(debug_assertions) {
            let most = Duration::from_millis(20).max(alone.p99 * 2);
            assert!(during.p99 <= most, "{name}: p99 {:?}", during.p99);
        }
    }
}

async fn honest_calls(client: &SoakClient) -> Latencies {
    let mut took = Vec::new();
    for number in 0..300_u16 {
        let since = Instant::now();
        let cargo = Bytes::from(number.to_be_bytes().to_vec());
        let call = client.echo(cargo.clone()).timeout(Duration::from_secs(30));
        assert_eq!(call.await.expect("honest calls succeed"), cargo);
        took.push(since.elapsed());
    }
    took.sort_unstable();
    Latencies { median: took[took.len() / 2], p99: took[took.len() * 99 / 100] }
}

/// A call of the service with a payload that is given.
fn call(header: Header, method: &str, payload: &[u8]) -> Vec<u8> {
    let mut output = Output::new();
    output.frame(header, b"Soak", method.as_bytes(), [], payload);
    output.to_vec()
}

#[tokio::test]
async fn garbage_harms_nobody() {
    let attacked = Attacked::start("garbage").await;
    let count = if long() { 10_000 } else { 500 };
    let mut senders = JoinSet::new();
    for seed in 0..20 {
        let address = attacked.address().to_owned();
        senders.spawn(async move { send_garbage(&address, seed, count / 20).await });
    }
    attacked.judge("while it comes", 32).await;
    let closed: usize = senders.join_all().await.into_iter().sum();
    attacked.judge(&format!("{count} connections, {closed} closed by the server"), 32).await;
    assert_eq!(closed, count);
}

#[tokio::test]
async fn claimed_lengths_take_no_memory() {
    let attacked = Attacked::start("claims").await;
    let count = if long() { 1_000 } else { 200 };
    let refused = claim(attacked.address(), u32::MAX, count).await;
    let waited_for = claim(attacked.address(), 16 << 20, count).await;
    let what = format!("{count} connections claim 4 GiB, {count} claim 16 MiB, and are held");
    attacked.judge(&what, 32).await;
    assert_eq!(closed(refused).await, count, "those of 4 GiB are refused at once");
    drop(waited_for);
}

#[tokio::test]
async fn bombs_are_not_inflated() {
    let attacked = Attacked::start("bombs").await;
    let size = if long() { 256 << 20 } else { 64 << 20 };
    let bomb = Gzip::default().compress(&vec![0; size]).unwrap();
    let count = 40;
    for codec in [SerializeType::RAW, SerializeType::MSGPACK, SerializeType::JSON] {
        let header = Header::request(1, codec).with_compression(Compression::GZIP);
        let frame = call(header, "Echo", &bomb);
        for _ in 0..count / 3 {
            let mut stream = attacked.connect().await;
            stream.write_all(&frame).await.unwrap();
            let mut answer = [0; 16];
            soon(stream.read_exact(&mut answer)).await.expect("an answer");
            assert_eq!(answer[2] & 0x83, 0x81, "it is an error");
        }
    }
    let what = format!("{count} of {} bytes that become {} MiB (gzip)", bomb.len(), size >> 20);
    attacked.judge(&what, 32).await;
}

#[tokio::test]
async fn deep_nesting_overflows_no_stack() {
    let attacked = Attacked::start("nesting").await;
    let depth = 100_000;
    let arrays = vec![0x91; depth];
    let maps = [0x81, 0xa1, b'x'].repeat(depth);
    let messages = [
        (SerializeType::MSGPACK, "Echo", arrays.clone()),
        (SerializeType::MSGPACK, "Put", arrays.clone()),
        (SerializeType::MSGPACK, "Put", maps.clone()),
        // In the place of an argument that nobody knows.
        (SerializeType::MSGPACK, "Put", [&[0x81, 0xa1, b'?'][..], &arrays].concat()),
        (SerializeType::MSGPACK, "Tasks", maps),
        (SerializeType::JSON, "Echo", vec![b'['; depth]),
        (SerializeType::JSON, "Put", br#"{"x":"#.repeat(depth)),
        (SerializeType::JSON, "Tasks", vec![b'['; depth]),
        (SerializeType::PROTOBUF, "Echo", vec![0x0b; depth]),
        (SerializeType::RAW, "Put", arrays),
    ];
    for (codec, method, payload) in &messages {
        let mut stream = attacked.connect().await;
        let frame = call(Header::request(1, *codec), method, payload);
        stream.write_all(&frame).await.unwrap();
        let mut answer = [0; 16];
        soon(stream.read_exact(&mut answer)).await.expect("an answer");
    }
    attacked.judge(&format!("{} payloads, {depth} deep", messages.len()), 32).await;
}

#[tokio::test]
async fn those_who_dribble_hold_nobody_up() {
    let attacked = Attacked::start("slowloris").await;
    let count = if long() { 1_000 } else { 200 };
    let frame = call(Header::request(1, SerializeType::RAW), "Echo", &[7; 100]);
    let mut streams = Vec::new();
    for place in 0..count {
        let mut stream = attacked.connect().await;
        stream.write_all(&frame[..=place % (frame.len() - 1)]).await.unwrap();
        streams.push(stream);
    }
    attacked.judge(&format!("{count} connections in the middle of a message"), 32).await;
    if long() {
        // A byte now and then is no excuse: 1 KiB a second is.
        let begun = Instant::now();
        let mut dribblers = JoinSet::new();
        for mut stream in streams {
            dribblers.spawn(async move {
                while stream.write_all(&[0]).await.is_ok() {
                    assert!(begun.elapsed() < Duration::from_secs(60), "still open");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            });
        }
        while let Some(ended) = dribblers.join_next().await {
            ended.expect("it was closed");
        }
        say(&format!("hostile, slowloris: the last was closed after {:?}", begun.elapsed()));
    }
}

#[tokio::test]
async fn calls_whose_answers_nobody_reads_pile_up_nowhere() {
    let attacked = Attacked::start("flood").await;
    let count: u64 = if long() { 100_000 } else { 20_000 };
    let (reader, mut writer) = attacked.connect().await.into_split();
    let mut calls = Vec::new();
    for seq in 0..count {
        calls.extend(call(Header::request(seq, SerializeType::RAW), "Echo", &[7; 400]));
    }
    let (total, mut sent) = (calls.len(), 0);
    // Until it takes no more for half a second.
    while sent < total {
        let write = poll_fn(|cx| Pin::new(&mut writer).poll_write(cx, &calls[sent..]));
        match tokio::time::timeout(Duration::from_millis(500), write).await {
            Ok(written) => sent += written.expect("the server is up"),
            Err(_) => break,
        }
    }
    let what = format!("{count} calls unread, the server took {sent} of {total} bytes");
    attacked.judge(&what, 64).await;
    drop((reader, writer));
}

/// The arguments of a one-way call.
#[derive(Serialize)]
struct Note {
    id: u64,
    cargo: Bytes,
}

#[tokio::test]
async fn one_way_calls_pile_up_nowhere() {
    let attacked = Attacked::start("one-way").await;
    let count: u64 = if long() { 1_000_000 } else { 10_000 };
    let header = Header::request(1, SerializeType::MSGPACK).with_oneway();
    let mut stream = attacked.connect().await;
    let (mut frames, mut payload) = (Vec::new(), Vec::new());
    for id in 0..count {
        let note = Note { id, cargo: Bytes::new() };
        payload.clear();
        rpcx::codec::encode(SerializeType::MSGPACK, &note, &mut payload).unwrap();
        frames.extend(call(header, "Note", &payload));
        if (id + 1) % 10_000 == 0 {
            soon(stream.write_all(&frames)).await.unwrap();
            frames.clear();
        }
    }
    // An answer shows that all before it were taken.
    let last = call(Header::request(2, SerializeType::RAW), "Echo", b"last");
    stream.write_all(&last).await.unwrap();
    let mut answer = [0; 16];
    soon(stream.read_exact(&mut answer)).await.expect("an answer");
    attacked.judge(&format!("{count} one-way calls"), 64).await;
    // The server tells of them on a pipe.
    let all = async {
        while (0..count).any(|id| attacked.ran.runs(id) == 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(all).await;
}

/// The arguments of a call that takes so many milliseconds.
#[derive(Serialize)]
struct Put {
    id: u64,
    wait: u64,
    cargo: Bytes,
}

#[tokio::test]
async fn slow_calls_run_as_many_as_may_and_all_are_answered() {
    let attacked = Attacked::start("slow calls").await;
    let count: u64 = if long() { 50_000 } else { 5_000 };
    let (mut reader, mut writer) = attacked.connect().await.into_split();
    // Longer than a connection that is full waits before it refuses.
    let wait = 4_000;
    let mut calls = Vec::new();
    for id in 0..count {
        let (put, mut payload) = (Put { id, wait, cargo: Bytes::new() }, Vec::new());
        rpcx::codec::encode(SerializeType::MSGPACK, &put, &mut payload).unwrap();
        calls.extend(call(Header::request(id, SerializeType::MSGPACK), "Put", &payload));
    }
    let writing = tokio::spawn(async move { writer.write_all(&calls).await.map(|()| writer) });
    let (mut served, mut refused) = (0, 0);
    for _ in 0..count {
        let mut head = [0; 16];
        soon(reader.read_exact(&mut head)).await.expect("an answer to each");
        let [.., a, b, c, d] = head;
        let mut rest = vec![0; u32::from_be_bytes([a, b, c, d]) as usize];
        soon(reader.read_exact(&mut rest)).await.expect("the rest of it");
        if head[2] & 0x83 == 0x80 {
            served += 1;
        } else {
            refused += 1;
        }
        if refused == 1 && served == 0 {
            let running = (0..count).filter(|id| attacked.ran.runs(*id) > 0).count();
            assert!(running <= 1_024, "{running} run at the same time");
        }
    }
    attacked.judge(&format!("{count} slow calls, {served} served, {refused} refused"), 64).await;
    let ran: u64 = (0..count).map(|id| u64::from(attacked.ran.runs(id))).sum();
    assert_eq!(ran, served, "what was refused did not run");
    assert!(served >= 1_024, "{served}");
    drop(writing.await.unwrap().unwrap());
}

#[tokio::test]
async fn idle_connections_are_cheap() {
    let attacked = Attacked::start("idle").await;
    let wanted = if long() { 20_000 } else { 500 };
    let mut streams = Vec::new();
    while streams.len() < wanted {
        // Either side may be out of descriptors, or the server takes no more: then they queue up, and in the
        // end the system answers no more.
        let connected =
            tokio::time::timeout(PATIENCE, TcpStream::connect(attacked.address())).await;
        let Ok(Ok(stream)) = connected else { break };
        streams.push(stream);
    }
    // The rest of the test needs a few descriptors.
    streams.truncate(streams.len().saturating_sub(if streams.len() < wanted { 50 } else { 0 }));
    let pid = attacked.server.pid();
    let (count, taken) = (streams.len(), descriptors(pid).unwrap() as u64);
    let grown = resident_kib(pid).unwrap().saturating_sub(attacked.before);
    let bytes = (grown << 10) / taken;
    let what =
        format!("{count} of {wanted} connections, the server takes {taken}, {bytes} bytes each");
    attacked.judge(&what, 4 + (taken * 4) / 1024).await;
}

/// Waits for what is sure to come.
async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), event).await.expect("it comes")
}

/// How long a connection may take to open.
const PATIENCE: Duration = Duration::from_secs(2);

fn long() -> bool {
    std::env::var("RPCX_LONG").is_ok_and(|long| long == "1")
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
