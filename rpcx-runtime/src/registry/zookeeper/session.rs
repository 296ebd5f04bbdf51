//! A session, until it is gone or not worth waiting for.

use std::time::Duration;

use zookeeper_client::{Client, Error, MultiReadResult, SessionState, Stat};

use super::diagnosis::reasons;
use super::options::ZooKeeperOptions;
use crate::registry::SettingsError;
use crate::registry::backend::BackendError;

/// A session, until it is gone or not worth waiting for.
///
/// The client reconnects by itself, but waits longer and longer between its tries, and keeps trying
/// where it cannot succeed: a server that lost its data refuses a client that has seen more.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    /// How long a broken connection may take to come back.
    patience: Duration,
}

impl Session {
    /// Opens a session.
    ///
    /// A server that is just starting may accept a connection and forget it: the first try is short.
    pub(super) async fn open(
        options: &ZooKeeperOptions,
        ttl: Duration,
    ) -> Result<Self, BackendError> {
        let servers = options.servers()?.join(",");
        for time in TRIES {
            let opening = Self::try_open(options, &servers, ttl);
            if let Ok(opened) = tokio::time::timeout(time, opening).await {
                match opened {
                    Err(Error::NoHosts) => break,
                    Err(error) => return Err(explain(&servers, error)),
                    Ok(session) => return Ok(session),
                }
            }
        }
        Err(format!("no answer: {}", reasons(options).await).into())
    }

    /// Tries each server once, in an order of chance.
    async fn try_open(
        options: &ZooKeeperOptions,
        servers: &str,
        ttl: Duration,
    ) -> Result<Self, Error> {
        // Detached: a client that was given up must not close its session when it gets through at
        // last, as that would delete nodes before the next session has taken them over.
        let connector = Client::connector()
            .with_session_timeout(ttl.clamp(SHORTEST, LONGEST))
            .with_fail_eagerly()
            .with_detached();
        let client = options.connect(options.introduce(connector), servers).await?;
        let patience = PATIENCE.min(client.session_timeout() / 3);
        Ok(Self { client, patience })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Gives how long the session lives without a sign of life, as the server said.
    pub(super) fn ttl(&self) -> Duration {
        self.client.session_timeout()
    }

    /// Tells whether a node goes when this session ends.
    pub(super) fn owns(&self, stat: &Stat) -> bool {
        stat.ephemeral_owner == self.client.session_id().0
    }

    /// Waits until the session has ended, or has had no connection for too long.
    pub(super) async fn lost(&self) -> BackendError {
        let mut states = self.client.state_watcher();
        let mut state = states.state();
        loop {
            if state.is_terminated() {
                return ended(state);
            }
            state = match state {
                SessionState::Disconnected => {
                    match tokio::time::timeout(self.patience, states.changed()).await {
                        Ok(state) => state,
                        Err(_) => return "the connection broke and did not come back".into(),
                    }
                }
                _ => states.changed().await,
            };
        }
    }

    /// Reads nodes; `None` for one that is not there.
    pub(super) async fn read(&self, paths: &[String]) -> Result<Vec<Option<Node>>, Error> {
        let mut nodes = Vec::with_capacity(paths.len());
        for some in paths.chunks(READ_AT_ONCE) {
            let mut reader = self.client.new_multi_reader();
            for path in some {
                reader.add_get_data(path)?;
            }
            for result in reader.commit().await? {
                nodes.push(match result {
                    MultiReadResult::Data { data, stat } => Some(Node { data, stat }),
                    MultiReadResult::Error { err: Error::NoNode } => None,
                    MultiReadResult::Error { err } => return Err(err),
                    // Only data was asked for.
                    _ => return Err(Error::UnexpectedError("an answer without data".to_owned())),
                });
            }
        }
        Ok(nodes)
    }
}

/// A node as it was read.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) data: Vec<u8>,
    pub(super) stat: Stat,
}

/// Says how a session ended.
pub(super) fn ended(state: SessionState) -> BackendError {
    match state {
        SessionState::Expired => "the session expired".into(),
        SessionState::AuthFailed => "ZooKeeper asks for authentication".into(),
        _ => "the session was closed".into(),
    }
}

/// Says what went wrong with a node or a server. What the client itself finds wrong with a name stays
/// wrong however often it is tried.
pub(super) fn explain(what: &str, error: Error) -> BackendError {
    match error {
        Error::BadArguments(problem) => SettingsError(format!("{what}: {problem}")).into(),
        Error::NoAuth => {
            let problem = "ZooKeeper does not allow that with these credentials, or without any";
            format!("{what}: {problem}").into()
        }
        error => format!("{what}: {error}").into(),
    }
}

/// How long opening a session may take, at the first try and at the second.
const TRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// How long a broken connection may take to come back, at most.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bounds of what can be asked for; ZooKeeper's own are much narrower.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How many nodes are read in one request: their answer is far from ZooKeeper's limit of 1 MiB.
const READ_AT_ONCE: usize = 256;
