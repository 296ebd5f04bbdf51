//! Sees at once that a session ended or that Consul went away, with a query that waits for it.

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::api::Api;
use super::blocking::BlockingQuery;
use crate::registry::backend::BackendError;

/// Watches what the entries of this process hang on.
#[derive(Debug)]
pub(super) struct Guard {
    loss: watch::Receiver<Option<String>>,
    _task: AbortOnDropHandle<()>,
}

impl Guard {
    /// Watches a session.
    pub(super) fn of_session(api: Api, id: String) -> Self {
        Self::of(async move {
            let path = ["session", "info", &id];
            let mut query = BlockingQuery::new(&api, &path, "");
            loop {
                match query.next().await {
                    Ok(answer) if matches!(answer.body.trim_ascii(), b"" | b"[]" | b"null") => {
                        return "the session is gone".into();
                    }
                    Ok(_) => {}
                    Err(error) => return error,
                }
            }
        })
    }

    /// Watches an agent, by the servers of its cluster, which seldom change.
    pub(super) fn of_agent(api: Api) -> Self {
        Self::of(async move {
            let path = ["catalog", "service", "consul"];
            let mut query = BlockingQuery::new(&api, &path, "");
            loop {
                if let Err(error) = query.next().await {
                    return error;
                }
            }
        })
    }

    fn of(watching: impl Future<Output = BackendError> + Send + 'static) -> Self {
        let (told, loss) = watch::channel(None);
        let task = tokio::spawn(async move {
            let error = watching.await;
            told.send_replace(Some(error.to_string()));
        });
        Self { loss, _task: AbortOnDropHandle::new(task) }
    }

    /// Waits for the loss.
    pub(super) async fn lost(&self) -> BackendError {
        let mut loss = self.loss.clone();
        let text =
            loss.wait_for(Option::is_some).await.map(|text| text.clone().unwrap_or_default());
        text.unwrap_or_else(|_| "the watch has ended".to_owned()).into()
    }
}
