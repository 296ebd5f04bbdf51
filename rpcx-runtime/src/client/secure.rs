//! From a connection to one that is encrypted, if the client speaks TLS.

use std::io;

use tokio::time::Instant;

use super::settings::ChannelSettings;
use crate::address::Address;
use crate::transport::Duplex;

/// Does the handshake with the server at `address`. The caller ends it at `deadline`, if there is one.
#[cfg(feature = "tls")]
pub(super) async fn secure(
    duplex: Duplex,
    address: &Address,
    settings: &ChannelSettings,
    deadline: Option<Instant>,
) -> io::Result<Duplex> {
    let Some(tls) = &settings.tls else { return Ok(duplex) };
    let name = tls.name_at(address);
    let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    crate::transport::tls::connect(duplex, tls, name, deadline).await
}

/// Leaves the connection as it is: TLS is not built in.
#[cfg(not(feature = "tls"))]
pub(super) fn secure(
    duplex: Duplex,
    _: &Address,
    _: &ChannelSettings,
    _: Option<Instant>,
) -> std::future::Ready<io::Result<Duplex>> {
    std::future::ready(Ok(duplex))
}

/// Says why the server refuses this client, if that is what a connection's first read failed with.
pub(super) fn refusal(error: &io::Error) -> Option<String> {
    #[cfg(feature = "tls")]
    return crate::tls::refusal(error);
    #[cfg(not(feature = "tls"))]
    {
        let _ = error;
        None
    }
}

/// Says why the server's first bytes are no message, if they are TLS: then it did not understand a word.
pub(super) fn mismatch(first: u8) -> Option<String> {
    matches!(first, TLS_ALERT | TLS_HANDSHAKE).then(|| MISMATCH.to_owned())
}

/// How records of TLS begin.
const TLS_ALERT: u8 = 0x15;
const TLS_HANDSHAKE: u8 = 0x16;
const MISMATCH: &str =
    "the server speaks TLS, and this client does not: give its builder `.tls(…)` (feature `tls`)";
