//! Carries one connection, and harms what passes.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use fastrand::Rng;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::messages::{Messages, Piece, SEQ};
use super::rule::{At, Fault, Side};
use super::{Faults, Struck, lock};

/// How a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Both sides have ended, or one has and the other was silent for a minute, or took nothing for as long.
    Closed,
    /// A rule closed it.
    Cut,
    /// A rule wants it reset; whoever has the sockets does that.
    Reset,
}

impl Faults {
    /// Carries bytes between a client and a server until the connection ends.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the connection.
    pub async fn relay<C, S>(&self, client: C, server: S) -> End
    where
        C: AsyncRead + AsyncWrite,
        S: AsyncRead + AsyncWrite,
    {
        let (connection, [up, down]) = self.next_connection();
        let (from_client, to_client) = tokio::io::split(client);
        let (from_server, to_server) = tokio::io::split(server);
        let mut up = Way::new(self, connection, Side::Request, up, from_client, to_server);
        let mut down = Way::new(self, connection, Side::Reply, down, from_server, to_client);
        let way_end = both(up.carry(), down.carry()).await;
        match way_end {
            WayEnd::Sender => End::Closed,
            WayEnd::Cut => End::Cut,
            WayEnd::Reset => End::Reset,
            WayEnd::Blackhole => {
                // Neither hears of the other, not even that it has ended.
                both(up.swallow(), down.swallow()).await;
                End::Closed
            }
        }
    }
}

/// Runs both ways until both senders have ended, or one way says that it is over.
async fn both(up: impl Future<Output = WayEnd>, down: impl Future<Output = WayEnd>) -> WayEnd {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let ended = tokio::select! {
        biased;
        end = &mut up => (end, true),
        end = &mut down => (end, false),
    };
    match ended {
        (WayEnd::Sender, true) => timeout(HALF_CLOSED, down).await.unwrap_or(WayEnd::Sender),
        (WayEnd::Sender, false) => timeout(HALF_CLOSED, up).await.unwrap_or(WayEnd::Sender),
        (end, _) => end,
    }
}

/// Why one way carries no more.
enum WayEnd {
    /// Its sender has ended, or its receiver takes no more.
    Sender,
    Cut,
    Reset,
    Blackhole,
}

/// One direction of a connection.
struct Way<'a, R, W> {
    faults: &'a Faults,
    connection: u64,
    side: Side,
    rng: Rng,
    messages: Messages<ReadHalf<R>>,
    to: WriteHalf<W>,
    /// Messages so far.
    count: u64,
    /// A message that lets the next one pass.
    held: Option<BytesMut>,
}

impl<'a, R: AsyncRead, W: AsyncWrite> Way<'a, R, W> {
    fn new(
        faults: &'a Faults,
        connection: u64,
        side: Side,
        rng: Rng,
        from: ReadHalf<R>,
        to: WriteHalf<W>,
    ) -> Self {
        let messages = Messages::new(from);
        Self { faults, connection, side, rng, messages, to, count: 0, held: None }
    }

    async fn carry(&mut self) -> WayEnd {
        let end = self.carry_all().await.unwrap_or(WayEnd::Sender);
        if let WayEnd::Sender = end {
            let _ = self.to.shutdown().await;
        }
        end
    }

    /// Takes what comes, for nobody.
    async fn swallow(&mut self) -> WayEnd {
        // However it ends, there is nothing more to take.
        let _ = self.messages.swallow().await;
        WayEnd::Sender
    }

    async fn carry_all(&mut self) -> io::Result<WayEnd> {
        loop {
            let piece = if self.held.is_some() {
                let next = timeout(SWAP_WAITS, self.messages.next()).await;
                let Ok(piece) = next else {
                    self.release().await?;
                    continue;
                };
                piece?
            } else {
                self.messages.next().await?
            };
            match piece {
                Piece::Message(message) => {
                    if let Some(end) = self.pass(message).await? {
                        return Ok(end);
                    }
                }
                Piece::Bytes(bytes) => self.write(&bytes).await?,
                Piece::End => {
                    self.release().await?;
                    return Ok(WayEnd::Sender);
                }
            }
        }
    }

    /// Sends a message that was held back.
    async fn release(&mut self) -> io::Result<()> {
        match self.held.take() {
            Some(held) => self.write(&held).await,
            None => Ok(()),
        }
    }

    /// Passes a message on, or does to it what a rule says; gives how the way ends by that.
    async fn pass(&mut self, mut message: BytesMut) -> io::Result<Option<WayEnd>> {
        self.count += 1;
        {
            let mut counts = lock(&self.faults.shared.counts);
            match self.side {
                Side::Request => counts.requests += 1,
                Side::Reply => counts.replies += 1,
            }
        }
        if let Some(fault) = self.faults.fault_for(self.side, self.count, &mut self.rng)
            && let Some(end) = self.strike(&fault, &mut message).await?
        {
            return Ok(Some(end));
        }
        self.write(&message).await?;
        if !message.is_empty() {
            self.release().await?;
        }
        Ok(None)
    }

    /// Does what a rule says; what is then left of the message passes.
    async fn strike(
        &mut self,
        fault: &Fault,
        message: &mut BytesMut,
    ) -> io::Result<Option<WayEnd>> {
        match fault {
            Fault::Corrupt(at, bits) => {
                let last = message.len() - 1;
                let place = self.place(*at, last);
                let bits = bits.unwrap_or_else(|| self.rng.u8(1..));
                self.note(fault, format!("corrupt {place} {bits}"));
                message[place] ^= bits;
            }
            Fault::Cut(at) | Fault::Reset(at) => {
                let place = self.place(*at, message.len());
                self.note(fault, format!("{} {place} of {}", fault.name(), message.len()));
                self.write(&message[..place]).await?;
                let is_cut = matches!(fault, Fault::Cut(_));
                return Ok(Some(if is_cut { WayEnd::Cut } else { WayEnd::Reset }));
            }
            Fault::Blackhole => {
                self.note(fault, fault.to_string());
                return Ok(Some(WayEnd::Blackhole));
            }
            Fault::Delay(by) => {
                self.note(fault, fault.to_string());
                tokio::time::sleep(*by).await;
            }
            Fault::Duplicate => {
                self.note(fault, fault.to_string());
                self.write(message).await?;
            }
            Fault::Drop => {
                self.note(fault, fault.to_string());
                message.clear();
            }
            Fault::Swap => {
                self.note(fault, fault.to_string());
                self.release().await?;
                self.held = Some(message.split());
            }
            Fault::Seq(by) => {
                self.note(fault, fault.to_string());
                if let Some(seq) = message.get_mut(SEQ).and_then(|seq| seq.first_chunk_mut::<8>()) {
                    *seq = u64::from_be_bytes(*seq).wrapping_add(*by).to_be_bytes();
                }
            }
            Fault::Slice(size, pause) => {
                self.note(fault, fault.to_string());
                while message.len() > *size {
                    let piece = message.split_to(*size);
                    self.write(&piece).await?;
                    // The shortest sleep is a millisecond.
                    if pause.is_zero() {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(*pause).await;
                    }
                }
            }
        }
        Ok(None)
    }

    fn place(&mut self, at: At, last: usize) -> usize {
        match at {
            At::Byte(place) => place.min(last),
            At::Random => self.rng.usize(0..=last),
        }
    }

    fn note(&self, fault: &Fault, what: String) {
        let (connection, side, message) = (self.connection, self.side, self.count);
        self.faults.note(&Struck { connection, side, message, what }, fault);
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(STALL, self.to.write_all(bytes)).await?
    }
}

/// How long a receiver may take nothing.
const STALL: Duration = Duration::from_secs(60);
/// How long one side may go on after the other has ended.
const HALF_CLOSED: Duration = Duration::from_secs(60);
/// How long a message waits for one to let pass.
const SWAP_WAITS: Duration = Duration::from_millis(100);
