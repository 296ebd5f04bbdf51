//! Packets: bytes in, what they mean out, and back.

use std::net::Ipv4Addr;

use simple_dns::rdata::{A, PTR, RData, SRV, TXT};
use simple_dns::{CLASS, Label, Name, Packet, PacketFlag, QTYPE, Question, ResourceRecord, TYPE};

use crate::registry::mdns::entries::Offer;

/// What a packet means to us.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Heard {
    /// Somebody asks who is there.
    Question(About),
    /// Somebody says who is.
    Answers(Vec<Answer>),
}

/// Whom a question is about.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum About {
    Everybody,
    /// The instance of this name.
    One(String),
}

/// What somebody says of itself.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    /// The instance name.
    pub(super) label: String,
    /// The TXT record's first string.
    pub(super) text: Vec<u8>,
    /// It takes its leave.
    pub(super) is_farewell: bool,
}

/// Reads a packet; `None` for one that is not about us, or none at all.
pub(super) fn read(packet: &[u8]) -> Option<Heard> {
    if !counts_fit(packet) {
        return None;
    }
    let packet = Packet::parse(packet).ok()?;
    if packet.has_flags(PacketFlag::RESPONSE) {
        let records = packet.answers.iter().chain(&packet.additional_records);
        let answers: Vec<_> = records.filter_map(answer_of).collect();
        return (!answers.is_empty()).then_some(Heard::Answers(answers));
    }
    if !packet.name_servers.is_empty() {
        // Somebody makes sure that a name is free. Go does not answer either.
        return None;
    }
    let questions = packet.questions.iter().filter_map(question_about);
    // One about everybody comes first: that is the least.
    questions.min().map(Heard::Question)
}

/// Tells whether the packet has room for as many records as it says it has: the parser believes it.
fn counts_fit(packet: &[u8]) -> bool {
    let [_, _, _, _, q0, q1, a0, a1, n0, n1, m0, m1, body @ ..] = packet else { return false };
    let count = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
    let records = count(a0, a1) + count(n0, n1) + count(m0, m1);
    count(q0, q1) * SHORTEST_QUESTION + records * SHORTEST_RECORD <= body.len()
}

fn question_about(question: &Question<'_>) -> Option<About> {
    let wanted =
        matches!(question.qtype, QTYPE::ANY | QTYPE::TYPE(TYPE::PTR | TYPE::SRV | TYPE::TXT));
    match question.qname.get_labels() {
        _ if !wanted => None,
        name if is_type_name(name) => Some(About::Everybody),
        [label, name @ ..] if is_type_name(name) => Some(About::One(text_of(label))),
        _ => None,
    }
}

fn text_of(label: &Label<'_>) -> String {
    String::from_utf8_lossy(label.as_ref()).to_ascii_lowercase()
}

fn answer_of(record: &ResourceRecord<'_>) -> Option<Answer> {
    let RData::TXT(text) = &record.rdata else { return None };
    let [label, name @ ..] = record.name.get_labels() else { return None };
    if !is_type_name(name) {
        return None;
    }
    Some(Answer { label: text_of(label), text: first_string(text)?, is_farewell: record.ttl == 0 })
}

/// Gives the first string of a TXT record; that of an entry, escaped, has no `=`.
fn first_string(text: &TXT<'_>) -> Option<Vec<u8>> {
    let (key, value) = text.iter_raw().next()?;
    value.is_none().then(|| key.to_vec())
}

fn is_type_name(labels: &[Label<'_>]) -> bool {
    let same =
        |(label, name): (&Label<'_>, &str)| label.as_ref().eq_ignore_ascii_case(name.as_bytes());
    labels.len() == TYPE_NAME.len() && labels.iter().zip(TYPE_NAME).all(same)
}

/// Asks who is there.
pub(super) fn question() -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(0);
    let name = Name::new_unchecked(SERVICE);
    packet.questions.push(Question::new(name, TYPE::PTR.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec_compressed().ok()
}

/// Says that an entry is there, or with a `life` of 0 seconds that it no longer is.
///
/// All records in one packet: Go's client takes nothing else, and panics over one without the text.
pub(super) fn answer(offer: &Offer, address: Ipv4Addr, life: u32) -> Option<Vec<u8>> {
    let (instance, host) = (format!("{}.{SERVICE}", offer.label), format!("{}.local", offer.label));
    let (instance, host) = (Name::new(&instance).ok()?, Name::new(&host).ok()?);
    let service = Name::new_unchecked(SERVICE);
    let target = SRV { priority: 0, weight: 0, port: offer.port, target: host.clone() };
    let text = TXT::new().with_string(&offer.text).ok()?;

    let mut packet = Packet::new_reply(0);
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    // The name of all instances is shared; everything else is this entry's alone.
    let record = |name, data| ResourceRecord::new(name, CLASS::IN, life, data);
    packet.answers.push(record(service, RData::PTR(PTR(instance.clone()))));
    packet.additional_records = vec![
        record(instance.clone(), RData::SRV(target)).with_cache_flush(true),
        record(instance, RData::TXT(text)).with_cache_flush(true),
        record(host, RData::A(A::from(address))).with_cache_flush(true),
    ];
    packet.build_bytes_vec_compressed().ok()
}

const SERVICE: &str = "_rpcxservices.local";
const TYPE_NAME: [&str; 2] = ["_rpcxservices", "local"];
/// A question has at least an empty name, a type and a class.
const SHORTEST_QUESTION: usize = 5;
/// A record has at least an empty name, type, class, life and a length.
const SHORTEST_RECORD: usize = 11;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn offer(text: &str) -> Offer {
        Offer { label: "vm-8972-1-2-arith".into(), port: 8972, text: text.into() }
    }

    fn packet(life: u32) -> Vec<u8> {
        answer(&offer("%5B%5D"), Ipv4Addr::LOCALHOST, life).unwrap()
    }

    #[test]
    fn a_question_is_understood() {
        assert_eq!(read(&question().unwrap()), Some(Heard::Question(About::Everybody)));
    }

    #[test]
    fn a_question_about_one_instance_is_understood() {
        let mut packet = Packet::new_query(0);
        let name = Name::new_unchecked("VM._rpcxservices.local");
        packet.questions.push(Question::new(name, TYPE::SRV.into(), CLASS::IN.into(), false));
        let about = About::One("vm".to_owned());
        assert_eq!(read(&packet.build_bytes_vec().unwrap()), Some(Heard::Question(about)));
    }

    #[test]
    fn an_answer_and_a_farewell_are_understood() {
        for life in [120, 0] {
            let answer = Answer {
                label: "vm-8972-1-2-arith".to_owned(),
                text: b"%5B%5D".to_vec(),
                is_farewell: life == 0,
            };
            assert_eq!(read(&packet(life)), Some(Heard::Answers(vec![answer])));
        }
    }

    #[test]
    fn the_longest_text_fits() {
        let longest = "x".repeat(255);
        let packet = answer(&offer(&longest), Ipv4Addr::LOCALHOST, 120).unwrap();
        assert!(packet.len() < 1400, "{} bytes", packet.len());
        assert!(matches!(read(&packet), Some(Heard::Answers(_))));
        assert_eq!(answer(&offer(&"x".repeat(256)), Ipv4Addr::LOCALHOST, 120), None);
    }

    #[test]
    fn what_is_not_about_us_is_not_heard() {
        for name in
            ["_rpcxservices._tcp.local", "_http._tcp.local", "local", "a.b._rpcxservices.local"]
        {
            let mut packet = Packet::new_query(0);
            let name = Name::new_unchecked(name);
            packet.questions.push(Question::new(name, TYPE::PTR.into(), CLASS::IN.into(), false));
            assert_eq!(read(&packet.build_bytes_vec().unwrap()), None);
        }
    }

    #[test]
    fn a_packet_that_promises_too_much_is_not_read() {
        let mut packet = packet(120);
        packet[6..8].copy_from_slice(&[0xff, 0xff]);
        assert!(!counts_fit(&packet));
        assert_eq!(read(&packet), None);
    }

    /// A name that points at itself, one that points ahead, one cut off.
    #[test]
    fn names_that_lead_nowhere_are_not_followed() {
        for name in [&[0xc0, 12][..], &[0xc0, 14, 0xc0, 12], &[0xc0], &[63, b'a']] {
            let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            packet.extend_from_slice(name);
            packet.extend_from_slice(&[0, 12, 0, 1]);
            assert_eq!(read(&packet), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in vec(any::<u8>(), 0..600)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_damaged_packet_can_be_read(
            damages in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            length in any::<prop::sample::Index>(),
        ) {
            let mut packet = packet(120);
            for (position, byte) in damages {
                let position = position.index(packet.len());
                packet[position] = byte;
            }
            packet.truncate(length.index(packet.len() + 1));
            let _ = read(&packet);
        }
    }
}
