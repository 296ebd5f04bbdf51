//! One key of Consul's store, and what can be done to one.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::api::{Answer, Api, ApiError, Place, REQUEST};

/// One key and its value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    key: String,
    /// In base64; `null` if empty.
    value: Option<String>,
    session: Option<String>,
    modify_index: u64,
}

impl Entry {
    /// Reads entries; none if nothing was found.
    pub(super) fn read_all(answer: &Answer) -> Result<Vec<Self>, ApiError> {
        if answer.body.is_empty() {
            return Ok(Vec::new());
        }
        Ok(answer.read()?)
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Gives the value; what is no text shows as replacement characters.
    pub(super) fn value(&self) -> String {
        let value = self.value.as_deref().unwrap_or_default();
        // Consul always writes base64.
        let value = BASE64_STANDARD.decode(value).unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    }

    /// Gives the session that holds the key.
    pub(super) fn session(&self) -> Option<&str> {
        self.session.as_deref().filter(|session| !session.is_empty())
    }

    /// Gives what a write on the condition of no other change since names.
    pub(super) fn modify_index(&self) -> u64 {
        self.modify_index
    }
}

/// Consul's store.
#[derive(Debug)]
pub(super) struct Store {
    api: Api,
}

impl Store {
    pub(super) fn new(api: Api) -> Self {
        Self { api }
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Entry>, ApiError> {
        let place = Place { path: &["kv", key], query: &[("consistent", "")] };
        let answer = self.api.get(place, REQUEST).await?;
        Ok(Entry::read_all(&answer)?.pop())
    }

    /// Writes a key and makes a session hold it, unless another session does.
    pub(super) async fn acquire(
        &self,
        key: &str,
        value: &str,
        session: &str,
    ) -> Result<bool, ApiError> {
        self.write(key, value, ("acquire", session)).await
    }

    /// Writes a key and takes it from the session that holds it; the key stays.
    pub(super) async fn release(
        &self,
        key: &str,
        value: &str,
        session: &str,
    ) -> Result<bool, ApiError> {
        self.write(key, value, ("release", session)).await
    }

    /// Writes a key that has not changed since `modify_index`, or is not there if that is 0.
    pub(super) async fn replace(
        &self,
        key: &str,
        value: &str,
        modify_index: u64,
    ) -> Result<bool, ApiError> {
        self.write(key, value, ("cas", &modify_index.to_string())).await
    }

    /// Deletes a key that has not changed since `modify_index`.
    pub(super) async fn delete(&self, key: &str, modify_index: u64) -> Result<bool, ApiError> {
        let index = modify_index.to_string();
        let place = Place { path: &["kv", key], query: &[("cas", &index)] };
        Ok(self.api.delete(place).await?.is_true())
    }

    async fn write(
        &self,
        key: &str,
        value: &str,
        condition: (&str, &str),
    ) -> Result<bool, ApiError> {
        let query = [condition, ("flags", FLAGS)];
        Ok(self.api.put(Place { path: &["kv", key], query: &query }, value).await?.is_true())
    }
}

/// 0x2ddccbc058a50c18, the mark of a lock, which Go's libkv gives every key.
const FLAGS: &str = "3304740253564472344";

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(body: &str) -> Vec<Entry> {
        Entry::read_all(&Answer { index: Some(1), body: body.as_bytes().to_vec() }).unwrap()
    }

    #[test]
    fn reads_what_consul_writes() {
        // Written by Consul 1.8.7.
        let entries = entries(
            r#"[{"LockIndex":1,"Key":"rpcx_test/A/tcp@h:1","Flags":3304740253564472344,
            "Value":"d2VpZ2h0PTU=","Session":"fa4fe83e-66c3-8f7f-2ee2-c3eee9f2f751",
            "CreateIndex":9,"ModifyIndex":9},
            {"LockIndex":0,"Key":"k","Flags":0,"Value":null,"CreateIndex":9,"ModifyIndex":10}]"#,
        );
        let [held, free] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((held.key(), &*held.value()), ("rpcx_test/A/tcp@h:1", "weight=5"));
        assert_eq!(held.session(), Some("fa4fe83e-66c3-8f7f-2ee2-c3eee9f2f751"));
        assert_eq!((free.session(), free.modify_index(), &*free.value()), (None, 10, ""));
    }

    #[test]
    fn nothing_found_is_no_entry() {
        assert_eq!(entries("").len(), 0);
    }

    #[test]
    fn flags_are_gos() {
        assert_eq!(FLAGS, 0x2ddc_cbc0_58a5_0c18_u64.to_string());
    }
}
