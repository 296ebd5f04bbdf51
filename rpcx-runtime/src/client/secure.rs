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
pub(super) fn mismatch(first: &[u8]) -> Option<String> {
    // One byte alone may be an accident, and then the call may have run.
    let is_tls = matches!(first, [TLS_ALERT | TLS_HANDSHAKE, TLS_MAJOR, 0..=4, ..]);
    is_tls.then(|| MISMATCH.to_owned())
}

/// How records of TLS begin: with their kind, and the version.
const TLS_ALERT: u8 = 0x15;
const TLS_HANDSHAKE: u8 = 0x16;
const TLS_MAJOR: u8 = 3;
const MISMATCH: &str =
    "the server speaks TLS, and this client does not: give its builder `.tls(…)` (feature `tls`)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_as_tls_does_is_taken_for_it() {
        // `protocol_version` and `unexpected_message` of servers that were sent a call.
        assert!(mismatch(&[0x15, 3, 3, 0, 2, 2, 70]).is_some());
        assert!(mismatch(&[0x15, 3, 1, 0, 2, 2, 10]).is_some());
        // A reply whose first byte was changed on its way: the call has run.
        for first in [0x15, 0x16] {
            assert!(mismatch(&[first, 0, 0x80, 0x30]).is_none());
        }
        for short in [&[][..], &[0x15], &[0x15, 3]] {
            assert!(mismatch(short).is_none());
        }
    }
}
