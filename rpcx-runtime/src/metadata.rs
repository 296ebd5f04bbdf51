//! Pairs of text that travel beside a call, both ways.

use std::fmt;

/// Pairs of text that travel beside a request or a response.
///
/// Keys are unique; the order is that of insertion and means nothing to a peer. A message
/// carries at most 256 pairs (see [`Limits`](crate::protocol::Limits)). Keys and values that are
/// not UTF-8 on the wire arrive here with U+FFFD in place of the broken bytes.
///
/// `Debug` shows the keys alone: values may be secrets.
///
/// ```
/// let mut metadata = rpcx::Metadata::new();
/// metadata.insert("trace", "17");
/// assert_eq!(metadata.get("trace"), Some("17"));
/// ```
#[derive(Clone, Default, Eq)]
pub struct Metadata {
    pairs: Vec<(String, String)>,
}

impl Metadata {
    /// Makes metadata without pairs; allocates nothing.
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// Gives the value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Sets the value of `key`; gives the value that it replaces.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) -> Option<String> {
        let (key, value) = (key.into(), value.into());
        match self.pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.pairs.push((key, value));
                None
            }
        }
    }

    /// Takes `key` out; gives its value.
    pub fn remove(&mut self, key: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(known, _)| known == key)?;
        Some(self.pairs.swap_remove(at).1)
    }

    /// Leaves the keys out that rpcx itself uses.
    pub(crate) fn without_own_keys(mut self) -> Self {
        self.pairs.retain(|(key, _)| !reserved::ALL.contains(&key.as_str()));
        self
    }

    /// Counts the pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Tells whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Visits the pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl PartialEq for Metadata {
    /// The order of the pairs does not count.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pairs.iter().map(|(key, _)| key)).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut metadata = Self::new();
        metadata.extend(pairs);
        metadata
    }
}

impl<K: Into<String>, V: Into<String>> Extend<(K, V)> for Metadata {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

/// The keys that rpcx itself uses, named as in Go rpcx 1.9.4.
pub(crate) mod reserved {
    /// Token of the caller.
    pub(crate) const AUTH: &str = "__AUTH";
    /// Text of the error in an error response.
    pub(crate) const ERROR: &str = "__rpcx_error__";
    /// Why the server did not run the call, in an error response; this crate's own.
    pub(crate) const NOT_EXECUTED: &str = "__rpcx_not_executed";
    /// Milliseconds until the caller stops waiting, in decimal.
    pub(crate) const SERVER_TIMEOUT: &str = "__ServerTimeout";
    /// All of them.
    pub(super) const ALL: [&str; 4] = [AUTH, ERROR, NOT_EXECUTED, SERVER_TIMEOUT];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_wins() {
        let metadata: Metadata = [("k", "1"), ("j", "2"), ("k", "3")].into_iter().collect();
        assert_eq!(metadata.iter().collect::<Vec<_>>(), [("k", "3"), ("j", "2")]);
    }

    #[test]
    fn debug_hides_values() {
        let metadata: Metadata = [("token", "canary")].into_iter().collect();
        assert_eq!(format!("{metadata:?}"), r#"{"token"}"#);
    }
}
