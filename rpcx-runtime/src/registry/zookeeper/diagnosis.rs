//! Why no server answers: the client only tells that none does.

#[cfg(feature = "zookeeper-tls")]
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
#[cfg(feature = "zookeeper-tls")]
use rustls::pki_types::ServerName;
#[cfg(feature = "zookeeper-tls")]
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
#[cfg(feature = "zookeeper-tls")]
use tokio_rustls::TlsConnector;

use super::options::{ZooKeeperOptions, host};
#[cfg(feature = "zookeeper-tls")]
use crate::tls::meaning;

/// Finds out why no server answers.
pub(super) async fn reasons(options: &ZooKeeperOptions) -> String {
    let servers = options.servers().unwrap_or_default();
    // With many servers, what some of them say will do.
    let reasons = servers.into_iter().take(MOST_ASKED).map(|server| async move {
        let reason = timeout(PATIENCE, reason(options, server)).await;
        format!("{server}: {}", reason.unwrap_or_else(|_| "no answer".to_owned()))
    });
    join_all(reasons).await.join("; ")
}

async fn reason(options: &ZooKeeperOptions, server: &str) -> String {
    let port = server.split('/').next().unwrap_or_default().rsplit_once(':');
    let port = port.and_then(|(_, port)| port.parse().ok()).unwrap_or(2181);
    match TcpStream::connect((host(server), port)).await {
        Err(error) => error.to_string(),
        Ok(stream) => reason_of_silence(options, server, stream).await,
    }
}

/// Finds out why a server that can be connected to does not answer: what TLS has to say, if it is used.
#[cfg(feature = "zookeeper-tls")]
async fn reason_of_silence(options: &ZooKeeperOptions, server: &str, stream: TcpStream) -> String {
    let Some(tls) = &options.tls else { return SILENT.to_owned() };
    let Ok(name) = ServerName::try_from(host(server).to_owned()) else { return SILENT.to_owned() };
    let connector = TlsConnector::from(Arc::new(tls.config()));
    let said = match connector.connect(name, stream).await {
        Err(error) => Err(error),
        // With TLS 1.3 a server refuses the client's certificate when the client believes to be through.
        Ok(mut stream) => stream.read(&mut [0]).await,
    };
    match said {
        Ok(_) => "the connection was closed".to_owned(),
        Err(error) => meaning(&error).unwrap_or_else(|| format!("TLS: {error}")),
    }
}

#[cfg(not(feature = "zookeeper-tls"))]
fn reason_of_silence(_: &ZooKeeperOptions, _: &str, _: TcpStream) -> std::future::Ready<String> {
    std::future::ready(SILENT.to_owned())
}

const SILENT: &str =
    "it takes connections, and no more: it may ask for TLS, or lack the others of its ensemble";
/// Opening a session has taken most of the time that there is.
const PATIENCE: Duration = Duration::from_millis(700);
const MOST_ASKED: usize = 3;
