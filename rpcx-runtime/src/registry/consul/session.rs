//! A session: what keys hang on, so that they go when their process dies.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::allowed_ttl::to_go;
use super::api::{Api, ApiError, Place};

/// A session of this process.
#[derive(Debug)]
pub(super) struct Session {
    api: Api,
    id: String,
}

/// As Go's libkv 0.5.1 asks for a session.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    behavior: &'static str,
    #[serde(rename = "TTL")]
    ttl: String,
    lock_delay: &'static str,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "ID")]
    id: String,
}

impl Session {
    /// Begins a session; the keys that it holds go with it.
    pub(super) async fn create(api: Api, ttl: Duration) -> Result<Self, ApiError> {
        // To Consul, zero means for ever.
        let ttl = to_go(ttl.max(Duration::from_millis(1)));
        let create = Create { behavior: "delete", ttl, lock_delay: "1ms" };
        let place = Place { path: &["session", "create"], query: &[] };
        let created: Created = api.put_json(place, &create).await?.read()?;
        Ok(Self { api, id: created.id })
    }

    /// Takes a session that is thought to be there.
    pub(super) fn of(api: Api, id: String) -> Self {
        Self { api, id }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Gives a sign of life; not found if the session is gone.
    pub(super) async fn renew(&self) -> Result<(), ApiError> {
        self.put("renew").await
    }

    /// Ends the session, and with it the keys that it holds.
    pub(super) async fn destroy(&self) -> Result<(), ApiError> {
        self.put("destroy").await
    }

    async fn put(&self, what: &str) -> Result<(), ApiError> {
        let place = Place { path: &["session", what, &self.id], query: &[] };
        self.api.put(place, "").await.map(drop)
    }
}
