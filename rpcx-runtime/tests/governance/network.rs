//! A network in memory that fails as the test says.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rpcx::Address;
use rpcx::transport::{ConnectFuture, Connector, Duplex, NetworkConnector, ReadHalf, WriteHalf};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::watch;
use tokio::time::Instant;

/// What is wrong with one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It is refused.
    Refused,
    /// It is never opened.
    NoAnswer,
    /// It is opened after this long.
    SlowDial(Duration),
    /// It takes so many bytes; the next one is an error.
    CutRequest(usize),
    /// It takes so many bytes and then no more, and the reader meets the end.
    StuckRequest(usize),
    /// It gives so many bytes of what comes back, and then the end.
    CutReply(usize),
    /// It gives nothing of what comes back.
    Silent,
    /// It replaces one byte of what comes back.
    Corrupt { at: usize, byte: u8 },
    /// What comes back takes this long.
    Latency(Duration),
}

/// Connects to servers of this process, over connections that fail as the test says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    state: Arc<Mutex<State>>,
    open: Arc<watch::Sender<BTreeMap<String, usize>>>,
}

#[derive(Debug, Default)]
struct State {
    next: VecDeque<Fault>,
    always: Fault,
    at: HashMap<String, Fault>,
    dials: Vec<(String, Instant)>,
    last_request: usize,
    last_reply: Vec<u8>,
}

impl Network {
    /// Says what is wrong with the next connections, whichever server they go to.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().next.extend(faults);
    }

    /// Says what is wrong with all further connections.
    pub(crate) fn always(&self, fault: Fault) {
        self.state().always = fault;
    }

    /// Says what is wrong with all further connections to one server.
    pub(crate) fn at(&self, name: &str, fault: Fault) {
        self.state().at.insert(name.to_owned(), fault);
    }

    /// Forgets what was to be wrong with the next connections.
    pub(crate) fn clear(&self) {
        self.state().next.clear();
    }

    /// Gives the servers that were dialed since the last look.
    pub(crate) fn dialed(&self) -> Vec<String> {
        self.dials().into_iter().map(|(name, _)| name).collect()
    }

    /// Gives the servers that were dialed since the last look, and when.
    pub(crate) fn dials(&self) -> Vec<(String, Instant)> {
        std::mem::take(&mut self.state().dials)
    }

    /// Gives the length of what was last written at once.
    pub(crate) fn last_request(&self) -> usize {
        self.state().last_request
    }

    /// Gives what was last read at once.
    pub(crate) fn last_reply(&self) -> Vec<u8> {
        self.state().last_reply.clone()
    }

    /// Counts the open connections to a server.
    pub(crate) fn open(&self, name: &str) -> usize {
        self.open.borrow().get(name).copied().unwrap_or_default()
    }

    /// Waits until no connection to a server is open.
    pub(crate) async fn closed(&self, name: &str) {
        let mut open = self.open.subscribe();
        let closed = open.wait_for(|open| !open.contains_key(name));
        tokio::time::timeout(LONG, closed).await.expect("it is closed at last").expect("it lives");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrap(&self, name: String, duplex: Duplex, fault: Fault) -> Duplex {
        let Duplex { mut reader, mut writer, peer } = duplex;
        if let Fault::Latency(latency) = fault {
            reader = delayed(reader, latency);
        }
        self.open.send_modify(|open| *open.entry(name.clone()).or_default() += 1);
        let open = Arc::new(Open { name, network: self.clone() });
        let stuck = Arc::<Stuck>::default();
        reader = Box::new(Reader {
            inner: reader,
            fault,
            passed: 0,
            stuck: Arc::clone(&stuck),
            open: Arc::clone(&open),
        });
        writer = Box::new(Writer { inner: writer, fault, passed: 0, stuck, open });
        Duplex { reader, writer, peer }
    }
}

impl Connector for Network {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let name = name_of(address);
        let mut state = self.state();
        let next = state.next.pop_front();
        let fault = next.or(state.at.get(&name).copied()).unwrap_or(state.always);
        state.dials.push((name.clone(), Instant::now()));
        drop(state);
        let (network, address) = (self.clone(), address.clone());
        Box::pin(async move {
            match fault {
                Fault::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
                Fault::NoAnswer => std::future::pending().await,
                Fault::SlowDial(time) => tokio::time::sleep(time).await,
                _ => {}
            }
            let duplex = NetworkConnector::new().connect(&address).await?;
            Ok(network.wrap(name, duplex, fault))
        })
    }
}

/// Gives the name that the test has for a server: what comes after its world's own prefix.
pub(crate) fn name_of(address: &Address) -> String {
    let target = address.target();
    target.split_once('-').map_or(target, |(_, name)| name).to_owned()
}

/// Counts an open connection.
struct Open {
    name: String,
    network: Network,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.network.open.send_modify(|open| {
            let count = open.get_mut(&self.name).expect("it was counted");
            *count -= 1;
            if *count == 0 {
                open.remove(&self.name);
            }
        });
    }
}

/// Hands on what is read, each piece after a while.
fn delayed(mut reader: ReadHalf, latency: Duration) -> ReadHalf {
    let (mut sender, receiver) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            tokio::time::sleep(latency).await;
            if sender.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    });
    Box::new(receiver)
}

/// Whether the writer takes no more, which the reader notices.
#[derive(Default)]
struct Stuck {
    state: Mutex<(bool, Option<Waker>)>,
}

impl Stuck {
    fn set(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = Some(cx.waker().clone());
        state.0
    }
}

struct Reader {
    inner: ReadHalf,
    fault: Fault,
    passed: usize,
    stuck: Arc<Stuck>,
    open: Arc<Open>,
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.stuck.poll(cx) {
            return Poll::Ready(Ok(()));
        }
        let limit = match this.fault {
            Fault::CutReply(limit) => limit,
            _ => usize::MAX,
        };
        if this.passed == limit && limit > 0 {
            return Poll::Ready(Ok(()));
        }
        let mut buffer = [0; 4096];
        let mut buffer = ReadBuf::new(&mut buffer);
        loop {
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut buffer))?;
            let is_end = buffer.filled().is_empty();
            if is_end || !matches!(this.fault, Fault::Silent) {
                break;
            }
            buffer.clear();
        }
        let bytes = buffer.filled_mut();
        if let Fault::Corrupt { at, byte } = this.fault
            && let Some(wrong) = at.checked_sub(this.passed).and_then(|place| bytes.get_mut(place))
        {
            *wrong = byte;
        }
        let taken = bytes.len().min(limit - this.passed).min(into.remaining());
        assert!(taken == bytes.len() || limit < usize::MAX, "clients read in large pieces");
        into.put_slice(&bytes[..taken]);
        this.passed += taken;
        this.open.network.state().last_reply = bytes.to_vec();
        Poll::Ready(Ok(()))
    }
}

struct Writer {
    inner: WriteHalf,
    fault: Fault,
    passed: usize,
    stuck: Arc<Stuck>,
    open: Arc<Open>,
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let limit = match this.fault {
            Fault::CutRequest(limit) | Fault::StuckRequest(limit) => limit,
            _ => usize::MAX,
        };
        let left = limit - this.passed;
        if left == 0 && matches!(this.fault, Fault::StuckRequest(_)) {
            this.stuck.set();
            return Poll::Pending;
        }
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let written =
            ready!(Pin::new(&mut this.inner).poll_write(cx, &bytes[..bytes.len().min(left)]))?;
        this.passed += written;
        this.open.network.state().last_request = written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Longer than any time in the tests: with a paused clock it is over at once if nothing happens.
const LONG: Duration = Duration::from_secs(3600);
