//! What errors of TLS mean.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// Says in plain words what an error of TLS means to a client, if there is one among what `error` comes from.
pub(crate) fn meaning(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = error;
    let tls = loop {
        if let Some(tls) = tls_error(cause) {
            break tls;
        }
        if is_cut_off(cause) {
            return Some(CUT_OFF.to_owned());
        }
        cause = cause.source()?;
    };
    let meaning = match tls {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers does not speak TLS".to_owned()
        }
        rustls::Error::InvalidCertificate(error) => of_certificate(error, "the server's"),
        rustls::Error::AlertReceived(alert) => match of_alert(*alert) {
            Some(meaning) => format!("the server refuses: {alert:?}, {meaning}"),
            None => format!("the server refuses: {alert:?}"),
        },
        error => error.to_string(),
    };
    Some(format!("TLS: {meaning}"))
}

/// Says in plain words what an error in the handshake with a client means to a server.
pub(crate) fn of_client(error: &io::Error) -> String {
    match tls_error(error) {
        Some(rustls::Error::InvalidMessage(_)) => "the client does not speak TLS".to_owned(),
        Some(rustls::Error::NoCertificatesPresented) => {
            "the client shows no certificate".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(error)) => of_certificate(error, "the client's"),
        Some(rustls::Error::AlertReceived(alert)) => match alert {
            AlertDescription::UnknownCA => {
                "the client does not trust who signed this server's certificate".to_owned()
            }
            _ if of_alert(*alert).is_some() => {
                format!("the client does not accept this server's certificate: {alert:?}")
            }
            _ => format!("the client refuses: {alert:?}"),
        },
        Some(error) => error.to_string(),
        None if is_cut_off(error) => "the client ended the handshake".to_owned(),
        None => error.to_string(),
    }
}

/// Says why a server refuses this client, if that is what a connection's first read fails with.
///
/// With TLS 1.3 the client has finished its handshake by the time the server looks at its certificate: what
/// it has sent since then was not read.
pub(crate) fn refusal(error: &io::Error) -> Option<String> {
    match tls_error(error)? {
        rustls::Error::AlertReceived(alert) => of_alert(*alert).and_then(|_| meaning(error)),
        _ => None,
    }
}

fn of_certificate(error: &CertificateError, whose: &str) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            format!("none of the given authorities signed {whose} certificate")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("{whose} certificate has expired")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("{whose} certificate is not valid yet")
        }
        error => rustls::Error::InvalidCertificate(error.clone()).to_string(),
    }
}

/// Says what an alert means that is about the certificate of the side that gets it.
fn of_alert(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it asks for a certificate, and none was shown"
        }
        AlertDescription::UnknownCA => "it does not know who signed the certificate that was shown",
        AlertDescription::CertificateExpired => "the certificate that was shown has expired",
        AlertDescription::CertificateRevoked => "the certificate that was shown is revoked",
        AlertDescription::BadCertificate => {
            "the certificate that was shown is no good, or none was"
        }
        AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => "it does not accept the certificate that was shown",
        _ => return None,
    })
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

/// What it means that a connection ends in the handshake.
pub(crate) const CUT_OFF: &str =
    "TLS: the server ended the handshake; perhaps it does not speak TLS";

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

    #[test]
    fn a_server_says_what_is_wrong_with_a_client() {
        use AlertDescription as Alert;
        let wrong = |error| of_client(&io::Error::new(io::ErrorKind::InvalidData, error));
        for (error, expected) in [
            (rustls::Error::NoCertificatesPresented, "the client shows no certificate"),
            (
                rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "none of the given authorities signed the client's certificate",
            ),
            (
                rustls::Error::InvalidCertificate(CertificateError::Expired),
                "the client's certificate has expired",
            ),
            (
                rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "the client does not speak TLS",
            ),
            (
                rustls::Error::AlertReceived(Alert::UnknownCA),
                "the client does not trust who signed this server's certificate",
            ),
            (
                rustls::Error::AlertReceived(Alert::BadCertificate),
                "the client does not accept this server's certificate: BadCertificate",
            ),
            (
                rustls::Error::AlertReceived(Alert::ProtocolVersion),
                "the client refuses: ProtocolVersion",
            ),
        ] {
            assert_eq!(wrong(error), expected);
        }
        let end = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(of_client(&end), "the client ended the handshake");
    }

    #[test]
    fn alerts_about_something_else_are_no_refusal() {
        let alert = |alert| {
            let error = rustls::Error::AlertReceived(alert);
            refusal(&io::Error::new(io::ErrorKind::InvalidData, error))
        };
        assert_eq!(alert(AlertDescription::InternalError), None);
        assert_eq!(refusal(&io::ErrorKind::ConnectionReset.into()), None);
        let expected = "TLS: the server refuses: CertificateRevoked, the certificate that was \
                        shown is revoked";
        assert_eq!(alert(AlertDescription::CertificateRevoked).as_deref(), Some(expected));
    }
}
