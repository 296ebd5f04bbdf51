//! What errors of TLS mean.

use std::error::Error;
use std::io;

use rustls::{CertificateError, InvalidMessage};

/// Says in plain words what an error of TLS means, if there is one among what `error` comes from.
pub(super) fn meaning(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = error;
    let tls = loop {
        if let Some(tls) = tls_error(cause) {
            break tls;
        }
        if is_cut_off(cause) {
            let meaning = "TLS: the server ended the handshake; perhaps it does not speak TLS";
            return Some(meaning.to_owned());
        }
        cause = cause.source()?;
    };
    let meaning = match tls {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers does not speak TLS".to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "none of the given authorities signed the server's certificate".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the server refuses: {alert:?}"),
        error => error.to_string(),
    };
    Some(format!("TLS: {meaning}"))
}

/// Tells whether the connection ended in the handshake; tokio-rustls has no other mark of that.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    error.is::<io::Error>() && error.to_string() == "tls handshake eof"
}

/// Gives the error of TLS that an error is, or has inside where `source` does not show it.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(io) = error.downcast_ref::<io::Error>() {
        let inner: &'a (dyn Error + 'static) = io.get_ref()?;
        return tls_error(inner);
    }
    error.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_tls_is_found_inside_others() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let inside = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, unknown));
        let expected = "TLS: none of the given authorities signed the server's certificate";
        assert_eq!(meaning(&inside).as_deref(), Some(expected));
        assert_eq!(meaning(&io::Error::other("something else")), None);
    }
}
