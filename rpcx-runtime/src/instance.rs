//! A server as a registry knows it: its address, and what it says of itself.

use std::fmt;

use crate::address::Address;

/// A server as a registry knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    address: Address,
    metadata: InstanceMetadata,
}

impl Instance {
    /// Makes an instance that says nothing of itself.
    pub fn new(address: Address) -> Self {
        Self { address, metadata: InstanceMetadata::default() }
    }

    /// Sets what the server says of itself.
    #[must_use]
    pub fn with_metadata(mut self, metadata: InstanceMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Gives where the server listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Gives what the server says of itself.
    pub fn metadata(&self) -> &InstanceMetadata {
        &self.metadata
    }
}

/// What a server says of itself in a registry: pairs in the form of a URL query.
///
/// The form and the keys are those of Go rpcx 1.9.4: `weight=5&group=blue&state=inactive`. Keys may
/// repeat; keys that are not known here are kept, in their order.
///
/// ```
/// use rpcx::InstanceMetadata;
///
/// let metadata = InstanceMetadata::parse("weight=5&group=a&group=b&color=red");
/// assert_eq!(metadata.weight(), Some(5));
/// assert_eq!(metadata.groups().collect::<Vec<_>>(), ["a", "b"]);
/// assert_eq!(metadata.to_string(), "color=red&group=a&group=b&weight=5");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InstanceMetadata {
    pairs: Vec<(String, String)>,
    is_malformed: bool,
}

impl InstanceMetadata {
    /// Reads a URL query; what does not fit the form becomes keys without values.
    pub fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self {
            pairs: pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
            is_malformed: !is_query(query),
        }
    }

    /// Tells whether it was read from something that is no URL query.
    pub(crate) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// Gives the first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Sets a key to one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a key to one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.pairs.retain(|(known, _)| known != key);
        self.pairs.push((key.to_owned(), value.into()));
    }

    /// Adds a value to those that a key has.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.pairs.push((key.to_owned(), value.into()));
    }

    /// Gives the `weight`, if it is a number.
    pub fn weight(&self) -> Option<u32> {
        self.get("weight")?.parse().ok()
    }

    /// Tells whether an operator took the server out of use: `state=inactive`.
    pub fn is_inactive(&self) -> bool {
        self.get("state") == Some("inactive")
    }

    /// Gives the groups that the server belongs to.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(|(key, _)| key == "group").map(|(_, value)| value.as_str())
    }

    /// Gives `latitude` and `longitude`, if both are numbers.
    pub fn location(&self) -> Option<(f64, f64)> {
        Some((self.get("latitude")?.parse().ok()?, self.get("longitude")?.parse().ok()?))
    }

    /// Visits all pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Tells whether Go's `url.ParseQuery` takes a text: no `;`, and two hexadecimal digits after each `%`.
fn is_query(text: &str) -> bool {
    let mut escapes = text.split('%').skip(1).map(str::as_bytes);
    !text.contains(';')
        && escapes.all(|rest| {
            rest.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        })
}

impl fmt::Display for InstanceMetadata {
    /// Writes the URL query with its keys sorted, as Go does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pairs: Vec<_> = self.iter().collect();
        pairs.sort_by_key(|(key, _)| *key);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        f.write_str(&query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_go_writes() {
        let query = "calls=0.00&connections=0.00&group=a+b&weight=5";
        let metadata = InstanceMetadata::parse(query);
        assert_eq!(metadata.get("group"), Some("a b"));
        assert_eq!(metadata.to_string(), query);
    }

    #[test]
    fn a_value_that_makes_no_sense_is_no_value() {
        let metadata = InstanceMetadata::parse("weight=heavy&latitude=1&=;&%zz");
        assert_eq!((metadata.weight(), metadata.location()), (None, None));
        assert!(!metadata.is_inactive());
    }

    #[test]
    fn what_go_does_not_read_is_malformed() {
        for query in ["", "a", "=", "a=b&&c=%20+%C3%A4", "%25zz", "ä=ö"] {
            assert!(!InstanceMetadata::parse(query).is_malformed(), "{query}");
        }
        for text in ["%zz", "a=1&b=%", "a=%2", "a=%2&b", "a;b", "a=%C3%"] {
            assert!(InstanceMetadata::parse(text).is_malformed(), "{text}");
        }
    }

    #[test]
    fn setting_replaces_all_values_of_a_key() {
        let metadata = InstanceMetadata::parse("a=1&a=2&b=3").with("a", "4");
        assert_eq!(metadata.to_string(), "a=4&b=3");
    }
}
