//! Blocking queries: questions that Consul answers when there is news.

use std::time::Duration;

use tokio::time::Instant;

use super::api::{Answer, Api, ApiError, Place, REQUEST};
use crate::registry::backend::BackendError;

/// A question that is asked again and again, each time for what is new.
#[derive(Debug)]
pub(super) struct BlockingQuery<'a> {
    api: &'a Api,
    path: &'a [&'a str],
    option: &'a str,
    /// What the last answer was as of; 0 before the first.
    known: u64,
}

impl<'a> BlockingQuery<'a> {
    /// Asks for `path`, with a query option that takes no value.
    pub(super) fn new(api: &'a Api, path: &'a [&'a str], option: &'a str) -> Self {
        Self { api, path, option, known: 0 }
    }

    /// Gives the first answer at once, and each later one when something changed.
    ///
    /// # Errors
    ///
    /// Also if Consul's data are older than they were: they were lost or restored, so that the next
    /// answer says nothing of what was deleted.
    pub(super) async fn next(&mut self) -> Result<Answer, BackendError> {
        loop {
            let asked = Instant::now();
            let answer = self.ask().await?;
            let index = answer.index.ok_or("an answer has no X-Consul-Index")?.max(1);
            if index < self.known {
                return Err("the index went back: these are not the data of before".into());
            }
            if index > self.known {
                self.known = index;
                return Ok(answer);
            }
            if asked.elapsed() < PAUSE {
                // Something in between does not wait for changes as Consul does.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn ask(&self) -> Result<Answer, ApiError> {
        // The default mode may answer with an empty list just after Consul started.
        let consistent = ("consistent", "");
        if self.known == 0 {
            let query = [(self.option, ""), consistent];
            return self.api.get(Place { path: self.path, query: &query }, REQUEST).await;
        }
        let wait = WAIT + WAIT.mul_f64(fastrand::f64() / 6.0);
        let (index, seconds) = (self.known.to_string(), format!("{}s", wait.as_secs()));
        let query = [(self.option, ""), consistent, ("index", &*index), ("wait", &*seconds)];
        // Consul itself adds up to a sixteenth.
        let time = wait + wait / 16 + BEYOND_WAIT;
        self.api.get(Place { path: self.path, query: &query }, time).await
    }
}

/// How long a query waits for news; up to a sixth more, so that many clients do not ask at once.
const WAIT: Duration = Duration::from_secs(30);
/// How much longer than that an answer may take.
const BEYOND_WAIT: Duration = Duration::from_secs(5);
/// The least time between two questions that brought nothing new.
const PAUSE: Duration = Duration::from_millis(200);
