//! What programs in a terminal share: telling why something failed, and being told to stop.

use std::error::Error;
use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Puts an error and what caused it on one line.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Starts to watch for Ctrl-C and SIGTERM; the future is ready when one of them comes.
///
/// # Errors
///
/// What the operating system says.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_the_error() {
        let address = "tcp@localhost:1".parse().unwrap();
        let source = io::Error::other("no way");
        let error = rpcx::Error::Connect { address, source };
        assert_eq!(explain(&error), "cannot connect to tcp@localhost:1: no way");
    }
}
