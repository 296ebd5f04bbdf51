//! One endpoint in use: sessions begin here, and lists are followed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::ConsulLayout;
use super::allowed_ttl::AllowedTtl;
use super::api::{Answer, Api, ApiError};
use super::backend::Memory;
use super::blocking::BlockingQuery;
use super::entries::{KeyEntries, directory};
use super::entry::Entry;
use super::guard::Guard;
use super::lease::ConsulLease;
use super::native::{self, NativeServices};
use super::session::Session;
use crate::instance::Instance;
use crate::registry::SettingsError;
use crate::registry::backend::{BackendError, Connection};

/// One endpoint in use.
#[derive(Debug)]
pub(super) struct ConsulConnection {
    api: Api,
    memory: Arc<Memory>,
}

impl ConsulConnection {
    pub(super) fn new(api: Api, memory: Arc<Memory>) -> Self {
        Self { api, memory }
    }

    /// Goes on with the session of the life before if it is still there, or begins one.
    async fn session(&self) -> Result<Session, BackendError> {
        if let Some(id) = self.memory.session() {
            let session = Session::of(self.api.clone(), id);
            match session.renew().await {
                Ok(()) => return Ok(session),
                Err(error) if error.is_not_found() => self.memory.keep_session(None),
                Err(error) => return Err(error.into()),
            }
        }
        let session = self.begin().await?;
        self.memory.keep_session(Some(session.id().to_owned()));
        Ok(session)
    }

    /// Begins a session, and learns on the way how short one may be.
    async fn begin(&self) -> Result<Session, BackendError> {
        loop {
            let ttl = self.memory.ttl()?;
            let error = match Session::create(self.api.clone(), ttl).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            let Some(allowed) = error.refusal().and_then(AllowedTtl::from_refusal) else {
                return Err(error.into());
            };
            if ttl > allowed.most {
                let most = allowed.most;
                let problem =
                    format!("session_ttl is {ttl:?}, Consul allows no more than {most:?}");
                return Err(SettingsError(problem).into());
            }
            if ttl >= allowed.least {
                return Err(error.into());
            }
            self.memory.learn_floor(allowed.least);
        }
    }

    /// Publishes what blocking queries bring, until something goes wrong.
    async fn follow(
        &self,
        path: &[&str],
        option: &str,
        read: impl Fn(&Answer) -> Result<Vec<Instance>, ApiError> + Send,
        mut publish: impl FnMut(Vec<Instance>) + Send,
    ) -> Result<Infallible, BackendError> {
        let mut query = BlockingQuery::new(&self.api, path, option);
        loop {
            tokio::select! {
                answer = query.next() => publish(read(&answer?)?),
                error = self.silence() => return Err(error.into()),
            }
        }
    }

    /// Waits until the endpoint answers no more. A blocking query does not show that: when a Consul
    /// that hung goes on, it would first tell of the sessions that ended meanwhile.
    async fn silence(&self) -> ApiError {
        loop {
            tokio::time::sleep(SIGN.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
            if let Err(error) = self.api.check().await {
                return error;
            }
        }
    }
}

impl Connection for ConsulConnection {
    type Lease = ConsulLease;

    async fn lease(&self) -> Result<ConsulLease, BackendError> {
        let options = &self.memory.options;
        let (keys, guard) = if options.writes_keys() {
            let base = options.base()?.to_owned();
            let session = self.session().await?;
            let guard = Guard::of_session(self.api.clone(), session.id().to_owned());
            (Some(KeyEntries::new(self.api.clone(), base, session)), guard)
        } else {
            (None, Guard::of_agent(self.api.clone()))
        };
        // After the session, which teaches what Consul allows.
        let ttl = self.memory.ttl()?;
        let services =
            options.writes_services().then(|| NativeServices::new(self.api.clone(), ttl));
        Ok(ConsulLease::new(Arc::clone(&self.memory), keys, services, guard, ttl))
    }

    async fn watch(
        &self,
        service: &str,
        publish: impl FnMut(Vec<Instance>) + Send,
    ) -> BackendError {
        let options = &self.memory.options;
        let skipped = &self.memory.skipped;
        let result = if options.layout == ConsulLayout::Service {
            let read = |answer: &Answer| native::instances(answer, skipped);
            self.follow(&["health", "service", service], "passing", read, publish).await
        } else {
            let directory = match options.base() {
                Ok(base) => directory(base, service),
                Err(error) => return error.into(),
            };
            let read = |answer: &Answer| {
                let entries = Entry::read_all(answer)?;
                let servers = entries.iter().filter_map(|entry| {
                    let address = entry.key().strip_prefix(&directory)?;
                    if address.is_empty() { None } else { skipped.read(address, &entry.value()) }
                });
                Ok(servers.collect())
            };
            self.follow(&["kv", &directory], "recurse", read, publish).await
        };
        match result {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }
}

/// About how often a followed endpoint is asked whether it is still there.
const SIGN: Duration = Duration::from_secs(5);
