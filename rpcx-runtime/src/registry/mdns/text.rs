//! The text of an entry, as Go rpcx 1.9.4 writes it into a TXT record: URL-escaped JSON.

use form_urlencoded::byte_serialize;
use serde::{Deserialize, Serialize};

use crate::address::{Address, Network};
use crate::instance::{Instance, InstanceMetadata};
use crate::registry::{Announcement, SettingsError};

/// A server of a service, as somebody announces it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Announced {
    pub(super) service: String,
    pub(super) instance: Instance,
}

/// Go's `serviceMeta`. Go leaves empty fields out.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct ServiceMeta {
    service: String,
    // Written even if it is empty: Go's client would take it from the entry that it read before.
    meta: String,
    service_address: String,
}

/// Writes the text of one service.
///
/// Without room for the figures they are left out: `Ok((text, false))`.
///
/// # Errors
///
/// [`SettingsError`] if a TXT string is too short even so.
pub(super) fn write(
    service: &str,
    announcement: &Announcement,
) -> Result<(String, bool), SettingsError> {
    let full = compose(service, announcement, announcement.value());
    if full.len() <= LONGEST {
        return Ok((full, true));
    }
    let bare = announcement.instance().metadata().to_string();
    let text = compose(service, announcement, bare);
    if text.len() <= LONGEST {
        return Ok((text, false));
    }
    Err(SettingsError(format!(
        "`{service}` needs {} bytes in multicast DNS, an entry has room for {LONGEST}: shorten its \
         name, its metadata or its address",
        text.len(),
    )))
}

fn compose(service: &str, announcement: &Announcement, value: String) -> String {
    let services = [ServiceMeta {
        service: service.to_owned(),
        meta: value,
        service_address: announcement.instance().address().to_string(),
    }];
    let json = serde_json::to_vec(&services).expect("three strings are always JSON");
    byte_serialize(&json).collect()
}

/// Reads a text. Several services share one if Go wrote it; what makes no sense is left out.
pub(super) fn read(text: &[u8]) -> Vec<Announced> {
    let services = unescape(text).and_then(|json| serde_json::from_slice(&json).ok());
    let services: Vec<ServiceMeta> = services.unwrap_or_default();
    let announced =
        services.into_iter().filter_map(|ServiceMeta { service, meta, service_address }| {
            let address: Address = service_address.parse().ok()?;
            // No word from the network shall lead to a socket file or a server in memory.
            let is_tcp = address.network() == Network::Tcp;
            let instance = is_tcp.then(|| Instance::new(address))?;
            let instance = instance.with_metadata(InstanceMetadata::parse(&meta));
            Some(Announced { service, instance })
        });
    announced.collect()
}

/// Undoes URL escaping; like Go, does not accept a `%` that begins no escape.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'%', high, low, rest @ ..] => {
                bytes.push(digit(*high)? << 4 | digit(*low)?);
                rest
            }
            [b'%', ..] => return None,
            [b'+', rest @ ..] => {
                bytes.push(b' ');
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}

/// The longest string in a TXT record, in bytes.
const LONGEST: usize = 255;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::registry::Load;

    /// Written by Go rpcx 1.9.4.
    const GO: &str = "%5B%7B%22service%22%3A%22GoHand%22%2C%22meta%22%3A%22group%3Da%2Bb%5Cu0026weight\
        %3D5%22%2C%22service_address%22%3A%22tcp%40127.0.0.1%3A18985%22%7D%5D";

    fn announcement(metadata: &str) -> Announcement {
        let instance = Instance::new("tcp@127.0.0.1:8985".parse().unwrap());
        Announcement::new(instance.with_metadata(InstanceMetadata::parse(metadata)))
    }

    #[test]
    fn reads_what_go_writes() {
        let metadata = InstanceMetadata::parse("group=a+b&weight=5");
        let instance = Instance::new("tcp@127.0.0.1:18985".parse().unwrap());
        let instance = instance.with_metadata(metadata);
        assert_eq!(read(GO.as_bytes()), [Announced { service: "GoHand".to_owned(), instance }]);
    }

    #[test]
    fn several_services_may_share_a_text() {
        let json =
            r#"[{"service":"A","service_address":"h:1"},{"service":"B","service_address":"h:1"}]"#;
        let read = read(json.as_bytes());
        assert_eq!(read.iter().map(|one| one.service.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn figures_go_when_there_is_no_room_for_them() {
        let tight = announcement(&format!("note={}", "x".repeat(100)));
        let tight = tight.with_load(|| Load { calls: 1.0, connections: 1.0 });
        let (text, figures) = write("Arith", &tight).unwrap();
        assert!(!figures);
        assert_eq!(read(text.as_bytes())[0].instance, *tight.instance());
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_length() {
        let error = write("Arith", &announcement(&"x".repeat(200))).unwrap_err();
        let text = "`Arith` needs 319 bytes in multicast DNS, an entry has room for 255: shorten its \
                    name, its metadata or its address";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn nonsense_is_no_server() {
        for text in ["", "%", "%5", "%zz", "[]", "%5B", "[{}]", "[null]"] {
            assert_eq!(read(text.as_bytes()), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }

        #[test]
        fn what_is_written_is_read(service in "[a-zA-Z ä.%+\"&]{1,12}", value in "[a-z%+&= ]{0,8}") {
            let announcement = announcement("").instance().clone();
            let metadata = InstanceMetadata::default().with("key", value);
            let instance = announcement.with_metadata(metadata);
            let (text, _) = write(&service, &instance.clone().into()).unwrap();
            prop_assert_eq!(read(text.as_bytes()), [Announced { service, instance }]);
        }
    }
}
