//! Why a call gave no reply, and whether the server may have run it.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::address::{Address, AddressError};
use crate::codec::CodecError;

/// The result of a call, with [`Error`] unless the service has an error type of its own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call gave no reply.
///
/// The variants differ in what the server may have done, and so in what is safe to repeat:
/// [`executed`](Self::executed) answers that for each.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an address; nothing was sent.
    Address(AddressError),
    /// No server can be called; nothing was sent.
    NoServer {
        /// Why: none is registered, all are filtered out, the registry is unreachable.
        why: String,
    },
    /// The server could not be reached; nothing was sent.
    Connect {
        /// Where the connection was to go.
        address: Address,
        /// What the operating system said, or why there is no TLS with the server.
        source: io::Error,
    },
    /// The call was refused before a server ran it.
    NotExecuted {
        /// Why, and by whom.
        reason: Refusal,
    },
    /// The argument has no form in the chosen codec; nothing was sent.
    Encode(CodecError),
    /// The request is larger than the client's message limit; nothing was sent.
    TooLarge {
        /// Length of the message, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The metadata is more than a message may carry; nothing was sent.
    Metadata {
        /// What is too much.
        why: String,
    },
    /// The connection ended before the reply.
    ConnectionLost {
        /// The server at the other end.
        address: Address,
        /// [`Executed::No`] if no byte of the request was given to the socket.
        executed: Executed,
    },
    /// No reply came in time.
    Timeout {
        /// The time that was allowed.
        after: Duration,
        /// [`Executed::No`] if the request was still waiting for a connection.
        executed: Executed,
    },
    /// The call was given up before the reply: its runtime shut down.
    Cancelled {
        /// What is known of it.
        executed: Executed,
    },
    /// The server answered with an error; the text is the server's, exactly.
    ///
    /// Texts of the framework arrive here too (`rpcx: can't find service …`), as Go's do.
    Service(String),
    /// The server answered, and the reply does not decode into the expected type.
    Decode(CodecError),
    /// The server sent bytes that are no rpcx message, or a message that makes no sense.
    Protocol(String),
}

/// Why a call was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The client's breaker for this server is open: its last calls failed.
    BreakerOpen(Address),
    /// The server did not take the call: it is overloaded, about to stop, or the call came too late. The
    /// text is the server's.
    ByServer {
        /// The server.
        address: Address,
        /// Why, in its own words.
        why: String,
    },
    /// [`FailMode::Failbackup`](crate::FailMode::Failbackup) may run a method twice, and this one is not
    /// declared `#[rpcx(idempotent)]`.
    NotIdempotent {
        /// The method, as `Service.Method`.
        method: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BreakerOpen(address) => write!(f, "the breaker for {address} is open"),
            Self::ByServer { address, why } => write!(f, "{address} did not take the call: {why}"),
            Self::NotIdempotent { method } => write!(
                f,
                "fail mode failbackup may run a method twice, and `{method}` is not declared idempotent"
            ),
        }
    }
}

/// Whether the server ran a call that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Executed {
    /// It did not: the call is safe to repeat.
    No,
    /// It may have: only an idempotent call is safe to repeat.
    Maybe,
    /// It did.
    Yes,
}

impl Error {
    /// Makes the error that a service method returns: `Err(Error::service("out of stock"))`.
    pub fn service(text: impl Into<String>) -> Self {
        Self::Service(text.into())
    }

    /// Tells whether the server ran the call.
    pub fn executed(&self) -> Executed {
        match self {
            Self::Address(_)
            | Self::NoServer { .. }
            | Self::Connect { .. }
            | Self::NotExecuted { .. }
            | Self::Encode(_)
            | Self::TooLarge { .. }
            | Self::Metadata { .. } => Executed::No,
            Self::ConnectionLost { executed, .. }
            | Self::Timeout { executed, .. }
            | Self::Cancelled { executed } => *executed,
            Self::Service(_) | Self::Decode(_) => Executed::Yes,
            Self::Protocol(_) => Executed::Maybe,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::NoServer { why } => write!(f, "no server: {why}"),
            Self::Connect { address, .. } => write!(f, "cannot connect to {address}"),
            Self::NotExecuted { reason } => write!(f, "not executed: {reason}"),
            Self::Encode(_) => f.write_str("the argument cannot be encoded"),
            Self::TooLarge { size, limit } => {
                write!(f, "the request has {size} bytes, the limit is {limit}")
            }
            Self::Metadata { why } => f.write_str(why),
            Self::ConnectionLost { address, executed } => {
                write!(f, "the connection to {address} ended before the reply; {executed}")
            }
            Self::Timeout { after, executed } => write!(f, "no reply within {after:?}; {executed}"),
            Self::Cancelled { executed } => write!(f, "the call was given up; {executed}"),
            Self::Service(text) => f.write_str(text),
            Self::Decode(_) => f.write_str("the reply cannot be decoded"),
            Self::Protocol(what) => write!(f, "protocol error: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { source, .. } => Some(source),
            Self::Encode(error) | Self::Decode(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "the call did not run",
            Self::Maybe => "the call may have run",
            Self::Yes => "the call ran",
        })
    }
}

impl From<AddressError> for Error {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

/// The error type of a service's methods.
///
/// It crosses the wire as one text, in the metadata key `__rpcx_error__`, as Go rpcx's errors do.
/// A service that uses [`Error`] needs nothing more. To get the same value of an error type of your
/// own back at the client, derive the trait, which sends the error as JSON:
/// `#[derive(rpcx::ServiceError)]`. Or choose the texts yourself:
///
/// ```
/// # use rpcx::ServiceError;
/// #[derive(Debug, PartialEq)]
/// enum StockError {
///     SoldOut,
///     Other(String),
/// }
///
/// impl ServiceError for StockError {
///     fn to_wire(&self) -> String {
///         match self {
///             Self::SoldOut => "sold out".to_owned(),
///             Self::Other(text) => text.clone(),
///         }
///     }
///     fn from_wire(error: rpcx::Error) -> Self {
///         match error {
///             rpcx::Error::Service(text) if text == "sold out" => Self::SoldOut,
///             other => Self::Other(other.to_string()),
///         }
///     }
/// }
/// # assert_eq!(StockError::from_wire(rpcx::Error::service("sold out")), StockError::SoldOut);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an RPC method",
    label = "needs `rpcx::ServiceError`",
    note = "return `rpcx::Result<..>`, or implement `rpcx::ServiceError` for `{Self}`"
)]
pub trait ServiceError: Sized + Send + 'static {
    /// Gives the text that is sent to the client.
    fn to_wire(&self) -> String;

    /// Makes the error that the client's caller gets.
    ///
    /// `error` is [`Error::Service`] with the server's text, or what kept the reply from coming.
    fn from_wire(error: Error) -> Self;
}

impl ServiceError for Error {
    fn to_wire(&self) -> String {
        self.to_string()
    }

    fn from_wire(error: Error) -> Self {
        error
    }
}
