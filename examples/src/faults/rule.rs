//! What is done to which messages, and how that is written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Says what is done to which messages.
///
/// In text, which the program `faults` takes, the parts follow each other:
/// `request nth 3 times 1 cut 10`, `reply one-in 50 corrupt random`, `reply delay 20`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which way the message goes.
    pub side: Side,
    /// Which messages of a connection.
    pub when: When,
    /// How often at most, all connections together; `None` is always.
    pub times: Option<u64>,
    /// What is done.
    pub fault: Fault,
}

impl Rule {
    /// Makes a rule for every message of clients.
    pub fn request(fault: Fault) -> Self {
        Self { side: Side::Request, when: When::Always, times: None, fault }
    }

    /// Makes a rule for every message of servers.
    pub fn reply(fault: Fault) -> Self {
        Self { side: Side::Reply, ..Self::request(fault) }
    }

    /// Restricts the rule to some messages of each connection.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Lets the rule strike only so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Reply,
}

/// Which messages of one side of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// All.
    Always,
    /// The one with this number; the first is 1.
    Nth(u64),
    /// Those whose number divides by this.
    Every(u64),
    /// So many on average, by the dice.
    OneIn(u64),
}

/// A place in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    /// So many bytes from its beginning, or its end if it is shorter.
    Byte(usize),
    /// Where the dice fall.
    Random,
}

/// What is done to a message, or to the connection once the message comes.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Bits of a byte change: those that are set in the number, or some by the dice.
    Corrupt(At, Option<u8>),
    /// The bytes before the place pass, and both directions are closed.
    Cut(At),
    /// The bytes before the place pass, and the connection is reset.
    Reset(At),
    /// The message, and what follows it, comes later by this much.
    Delay(Duration),
    /// The message comes twice.
    Duplicate,
    /// The message never comes.
    Drop,
    /// The message comes after the next one, or a moment later if there is none.
    Swap,
    /// The sequence number is another: it grows by this, around the end of its range.
    Seq(u64),
    /// From here on nothing passes either way, and the proxy goes on acknowledging: a half-open connection.
    Blackhole,
    /// The message comes in pieces of so many bytes, with a pause after each.
    Slice(usize, Duration),
}

impl Fault {
    /// Gives the name that the fault has in rules.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Corrupt(..) => "corrupt",
            Self::Cut(_) => "cut",
            Self::Reset(_) => "reset",
            Self::Delay(_) => "delay",
            Self::Duplicate => "duplicate",
            Self::Drop => "drop",
            Self::Swap => "swap",
            Self::Seq(_) => "seq",
            Self::Blackhole => "blackhole",
            Self::Slice(..) => "slice",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Reply => "reply",
        })
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(place) => place.fmt(f),
            Self::Random => f.write_str("random"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Corrupt(at, Some(bits)) => write!(f, " {at} {bits}"),
            Self::Corrupt(at, None) | Self::Cut(at) | Self::Reset(at) => write!(f, " {at}"),
            Self::Delay(by) => write!(f, " {}", by.as_millis()),
            Self::Seq(by) => write!(f, " {by}"),
            Self::Slice(size, pause) => write!(f, " {size} {}", pause.as_millis()),
            Self::Duplicate | Self::Drop | Self::Swap | Self::Blackhole => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.side.fmt(f)?;
        match self.when {
            When::Always => {}
            When::Nth(number) => write!(f, " nth {number}")?,
            When::Every(number) => write!(f, " every {number}")?,
            When::OneIn(number) => write!(f, " one-in {number}")?,
        }
        if let Some(times) = self.times {
            write!(f, " times {times}")?;
        }
        write!(f, " {}", self.fault)
    }
}

/// Why a text is no rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleError(String);

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut words = Words(text.split_whitespace().peekable());
        let side = match words.next("`request` or `reply`")? {
            "request" => Side::Request,
            "reply" => Side::Reply,
            other => return Err(unknown(other, "`request` or `reply`")),
        };
        let mut rule = Self { side, ..Self::request(Fault::Drop) };
        rule.fault = loop {
            match words.next("what to do, such as `cut 10`")? {
                "nth" => rule.when = When::Nth(words.positive()?),
                "every" => rule.when = When::Every(words.positive()?),
                "one-in" => rule.when = When::OneIn(words.positive()?),
                "times" => rule.times = Some(words.positive()?),
                name => break words.fault(name)?,
            }
        };
        match words.0.next() {
            None => Ok(rule),
            Some(more) => Err(RuleError(format!("`{more}` is one word too many"))),
        }
    }
}

/// The words of a rule that are not read yet.
struct Words<'a>(std::iter::Peekable<std::str::SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn next(&mut self, expected: &str) -> Result<&'a str, RuleError> {
        self.0
            .next()
            .ok_or_else(|| RuleError(format!("the rule ends where {expected} was expected")))
    }

    fn number<T: FromStr>(&mut self) -> Result<T, RuleError> {
        let word = self.next("a number")?;
        word.parse().map_err(|_| unknown(word, "a number"))
    }

    fn positive(&mut self) -> Result<u64, RuleError> {
        match self.number()? {
            0 => Err(unknown("0", "a number from 1 on")),
            number => Ok(number),
        }
    }

    fn at(&mut self) -> Result<At, RuleError> {
        match self.next("a place, such as `10` or `random`")? {
            "random" => Ok(At::Random),
            word => word.parse().map(At::Byte).map_err(|_| unknown(word, "a number or `random`")),
        }
    }

    fn milliseconds(&mut self) -> Result<Duration, RuleError> {
        self.number().map(Duration::from_millis)
    }

    fn fault(&mut self, name: &str) -> Result<Fault, RuleError> {
        Ok(match name {
            "corrupt" => {
                let at = self.at()?;
                let bits = if self.0.peek().is_some() { Some(self.number()?) } else { None };
                if bits == Some(0) {
                    return Err(unknown("0", "bits that change, 1 to 255"));
                }
                Fault::Corrupt(at, bits)
            }
            "cut" => Fault::Cut(self.at()?),
            "reset" => Fault::Reset(self.at()?),
            "delay" => Fault::Delay(self.milliseconds()?),
            "duplicate" => Fault::Duplicate,
            "drop" => Fault::Drop,
            "swap" => Fault::Swap,
            "seq" => Fault::Seq(self.number()?),
            "blackhole" => Fault::Blackhole,
            "slice" => {
                let size = usize::try_from(self.positive()?)
                    .map_err(|_| RuleError("a piece is that large on no machine".to_owned()))?;
                Fault::Slice(size, self.milliseconds()?)
            }
            other => return Err(unknown(other, FAULTS)),
        })
    }
}

fn unknown(seen: &str, expected: &str) -> RuleError {
    RuleError(format!("`{seen}` is not {expected}"))
}

const FAULTS: &str = "`corrupt`, `cut`, `reset`, `delay`, `duplicate`, `drop`, `swap`, `seq`, \
                      `blackhole` or `slice`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_as_it_was_written() {
        for text in [
            "request cut 10",
            "reply nth 3 times 1 reset random",
            "reply one-in 50 corrupt random",
            "request every 7 corrupt 3 255",
            "reply delay 20",
            "request duplicate",
            "reply swap",
            "reply drop",
            "reply seq 18446744073709551615",
            "request nth 2 blackhole",
            "request slice 1 5",
        ] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, why) in [
            ("", "the rule ends where `request` or `reply` was expected"),
            ("replies cut 1", "`replies` is not `request` or `reply`"),
            ("reply", "the rule ends where what to do, such as `cut 10` was expected"),
            ("reply nth 0 drop", "`0` is not a number from 1 on"),
            ("reply cut", "the rule ends where a place, such as `10` or `random` was expected"),
            ("reply cut -1", "`-1` is not a number or `random`"),
            ("reply corrupt 1 0", "`0` is not bits that change, 1 to 255"),
            ("reply drop it", "`it` is one word too many"),
            ("request slice 0 1", "`0` is not a number from 1 on"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), why, "{text}");
        }
        let error = "reply lose".parse::<Rule>().unwrap_err().to_string();
        assert!(error.starts_with("`lose` is not `corrupt`, `cut`"), "{error}");
    }
}
