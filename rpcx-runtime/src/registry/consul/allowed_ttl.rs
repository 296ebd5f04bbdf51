//! What Consul says of the sessions that it allows: the only place that tells its `session_ttl_min`.

use std::time::Duration;

/// The times to live that Consul allows a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct AllowedTtl {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

impl AllowedTtl {
    /// Reads the refusal of a session: `Invalid Session TTL '5000000000', must be between
    /// [10s=24h0m0s]`; gives `None` for any other text.
    ///
    /// Consul's usual bounds stand in for those that cannot be read.
    pub(super) fn from_refusal(text: &str) -> Option<Self> {
        if !text.contains("Invalid Session TTL") {
            return None;
        }
        let bounds = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        let bounds = bounds.and_then(|(bounds, _)| bounds.split_once('='));
        let read = |text: &str| go_duration(text.trim());
        Some(Self {
            least: bounds.and_then(|(least, _)| read(least)).unwrap_or(USUAL.least),
            most: bounds.and_then(|(_, most)| read(most)).unwrap_or(USUAL.most),
        })
    }
}

/// Writes a duration so that Go reads it.
pub(super) fn to_go(duration: Duration) -> String {
    match duration.as_millis() {
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// Reads a duration as Go writes it: `24h0m0s`, `1.5s`, `500ms`.
fn go_duration(mut text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    loop {
        let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at_checked(unit)?;
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at_checked(end)?;
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "µs" | "us" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        sum = sum.checked_add(part)?;
        if rest.is_empty() {
            return Some(sum);
        }
        text = rest;
    }
}

const USUAL: AllowedTtl =
    AllowedTtl { least: Duration::from_secs(10), most: Duration::from_secs(24 * 60 * 60) };

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Consul 1.8.7.
    const REFUSAL: &str = "Invalid Session TTL '5000000000', must be between [1m30s=24h0m0s]";

    #[test]
    fn reads_the_bounds() {
        let allowed = AllowedTtl::from_refusal(REFUSAL).unwrap();
        assert_eq!(allowed.least, Duration::from_secs(90));
        assert_eq!(allowed.most, Duration::from_secs(86_400));
    }

    #[test]
    fn bounds_that_cannot_be_read_are_the_usual_ones() {
        for text in ["Invalid Session TTL", "Invalid Session TTL [a=b]", "Invalid Session TTL ]["] {
            assert_eq!(AllowedTtl::from_refusal(text), Some(USUAL));
        }
    }

    #[test]
    fn another_refusal_says_nothing_of_bounds() {
        assert_eq!(AllowedTtl::from_refusal("Permission denied [1s=2s]"), None);
    }

    #[test]
    fn go_reads_what_is_written() {
        assert_eq!(to_go(Duration::from_secs(10)), "10s");
        assert_eq!(to_go(Duration::from_millis(2500)), "2500ms");
        assert_eq!(go_duration("2500ms"), Some(Duration::from_millis(2500)));
        assert_eq!(go_duration("1.5s"), Some(Duration::from_millis(1500)));
        for text in ["", "s", "5", "5x", "1s2", "-1s", "1.2.3s"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }
}
