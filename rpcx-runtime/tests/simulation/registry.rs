//! A registry that says what the plan wants.

use std::sync::{Arc, Mutex, PoisonError};

use rpcx::registry::{Discover, Snapshot};
use rpcx::{Address, Instance};
use tokio::sync::{mpsc, watch};

/// A registry that says what the plan wants, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Flapping {
    said: mpsc::UnboundedSender<News>,
    heard: Arc<Mutex<Option<mpsc::UnboundedReceiver<News>>>>,
}

/// What the registry says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum News {
    /// These servers.
    Live(Vec<Address>),
    /// It cannot be reached; these were the last servers.
    Lost(Vec<Address>),
    /// Nothing any more, ever; the last servers stay.
    Gone,
}

impl Flapping {
    pub(crate) fn new() -> Self {
        let (said, heard) = mpsc::unbounded_channel();
        Self { said, heard: Arc::new(Mutex::new(Some(heard))) }
    }

    pub(crate) fn say(&self, news: &News) {
        // The client may have ended.
        let _ = self.said.send(news.clone());
    }
}

impl Discover for Flapping {
    /// Follows the plan, for one client; what it says is written down on that client's clock.
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        let (sender, receiver) = watch::channel(Snapshot::starting());
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut heard = heard.expect("there is one client");
        tokio::spawn(async move {
            while let Some(news) = heard.recv().await {
                sender.send_replace(match news {
                    News::Live(servers) => Snapshot::live(instances(&servers)),
                    News::Lost(servers) => Snapshot::lost(instances(&servers), "the plan wants it"),
                    News::Gone => return,
                });
            }
        });
        receiver
    }
}

fn instances(servers: &[Address]) -> Vec<Instance> {
    servers.iter().cloned().map(Instance::new).collect()
}
