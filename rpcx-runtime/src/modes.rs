//! The words that attributes, builders and calls share: fail modes, selectors, retry rules.

use std::fmt;
use std::str::FromStr;

/// What a call does when a server cannot be reached or is lost. The names are Go rpcx's.
///
/// None of them repeats a call that may have run, unless its method is declared idempotent or the rule is
/// [`RetryRule::AtLeastOnce`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum FailMode {
    /// It is made again at another server, never at one that failed it as long as there are others.
    Failover,
    /// It fails.
    Failfast,
    /// It is made again at the same server, after a pause. The default.
    #[default]
    Failtry,
    /// It is made at a second server too if the first has not answered within the backup latency;
    /// the first reply counts, the other call is given up. Only for idempotent methods.
    Failbackup,
}

/// How a server is chosen. The names are Go rpcx's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SelectMode {
    /// Any, each as likely as the others. The default.
    #[default]
    Random,
    /// One after the other, all callers of a channel in one turn.
    RoundRobin,
    /// One after the other, those of a larger `weight` more often, evenly mixed.
    WeightedRoundRobin,
    /// The faster a server answers, the more calls it gets. Go's `WeightedICMP`.
    WeightedPing,
    /// Calls with the same key go to the same server as long as it is there.
    ConsistentHash,
    /// The one that is nearest to the client, by `latitude` and `longitude`.
    Closest,
    /// Of two chosen at random, the one with fewer calls on their way.
    LeastPending,
}

/// Which failed calls may be made again. None is after an error of the service itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RetryRule {
    /// Those that did not run, and those that may have if their method is declared idempotent. The
    /// default.
    #[default]
    Safe,
    /// All whose connection was lost or brought bytes that make no sense, or whose attempt took too long, as
    /// Go rpcx 1.9.4 does: a method may run twice.
    AtLeastOnce,
}

macro_rules! names {
    ($type:ident, $what:literal, $($name:literal $(or $other:literal)* => $value:ident),+ $(,)?) => {
        impl $type {
            /// Gives the name, as an attribute has it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            /// Reads a name, whatever its case, with or without underscores: Go's `RoundRobin` too.
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
                $(if [$name $(, $other)*].into_iter().any(|name| plain(text) == plain(name)) {
                    return Ok(Self::$value);
                })+
                let known = [$($name),+].join(", ");
                Err(UnknownName(format!("unknown {} \"{text}\" (known: {known})", $what)))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    FailMode, "fail mode",
    "failover" => Failover,
    "failfast" => Failfast,
    "failtry" => Failtry,
    "failbackup" => Failbackup,
}
names! {
    SelectMode, "selector",
    "random" or "RandomSelect" => Random,
    "round_robin" => RoundRobin,
    "weighted_round_robin" => WeightedRoundRobin,
    "weighted_ping" or "WeightedICMP" => WeightedPing,
    "consistent_hash" => ConsistentHash,
    "closest" => Closest,
    "least_pending" => LeastPending,
}
names! { RetryRule, "retry rule", "safe" => Safe, "at_least_once" => AtLeastOnce }

/// A name that stands for nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownName(String);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read() {
        for name in ["failover", "failfast", "failtry", "failbackup"] {
            assert_eq!(name.parse::<FailMode>().unwrap().name(), name);
        }
        for name in [
            "random",
            "round_robin",
            "weighted_round_robin",
            "weighted_ping",
            "consistent_hash",
            "closest",
            "least_pending",
        ] {
            assert_eq!(name.parse::<SelectMode>().unwrap().name(), name);
        }
        for rule in [RetryRule::Safe, RetryRule::AtLeastOnce] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        assert!("SelectByUser".parse::<SelectMode>().is_err());
        assert!("always".parse::<RetryRule>().is_err());
    }

    #[test]
    fn names_are_read_in_gos_form_too() {
        assert_eq!("Failover".parse(), Ok(FailMode::Failover));
        assert_eq!("Failfast".parse(), Ok(FailMode::Failfast));
        assert_eq!("Failbackup".parse(), Ok(FailMode::Failbackup));
        assert_eq!("WeightedRoundRobin".parse(), Ok(SelectMode::WeightedRoundRobin));
        assert_eq!("ConsistentHash".parse(), Ok(SelectMode::ConsistentHash));
        assert_eq!("Closest".parse(), Ok(SelectMode::Closest));
        assert_eq!("RoundRobin".parse(), Ok(SelectMode::RoundRobin));
        assert_eq!("round_robin".parse(), Ok(SelectMode::RoundRobin));
        assert_eq!("RandomSelect".parse(), Ok(SelectMode::Random));
        assert_eq!("WeightedICMP".parse(), Ok(SelectMode::WeightedPing));
        assert_eq!("Failtry".parse(), Ok(FailMode::Failtry));
        let error = "failsafe".parse::<FailMode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown fail mode \"failsafe\" (known: failover, failfast, failtry, failbackup)"
        );
    }
}
