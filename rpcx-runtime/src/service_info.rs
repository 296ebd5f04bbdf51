//! What a trait's attribute says about the service as a whole.

use std::fmt;
use std::str::FromStr;

use crate::registry_info::RegistryInfo;

/// What a trait's attribute says about the service as a whole; made by generated code.
#[derive(Clone, Copy, Debug)]
pub struct ServiceInfo {
    name: &'static str,
    registry: Option<RegistryInfo>,
    select: Option<SelectMode>,
}

impl ServiceInfo {
    /// Starts from the name on the wire.
    pub const fn new(name: &'static str) -> Self {
        Self { name, registry: None, select: None }
    }

    /// Sets where servers of the service are written down.
    #[must_use]
    pub const fn registry(mut self, registry: RegistryInfo) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Sets how clients choose among servers.
    #[must_use]
    pub const fn select(mut self, mode: SelectMode) -> Self {
        self.select = Some(mode);
        self
    }

    /// Gives the name on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn given_registry(&self) -> Option<&RegistryInfo> {
        self.registry.as_ref()
    }

    pub(crate) fn given_select(&self) -> Option<SelectMode> {
        self.select
    }
}

/// What a call does when a server cannot be reached or is lost. The names are Go rpcx's.
///
/// None of them repeats a call that may have run, unless its method is declared idempotent.
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
}

macro_rules! names {
    ($type:ident, $what:literal, $($name:literal => $value:ident),+) => {
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
                $(if plain(text) == plain($name) {
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

names!(FailMode, "fail mode", "failover" => Failover, "failfast" => Failfast, "failtry" => Failtry);
names!(SelectMode, "selector", "random" => Random, "round_robin" => RoundRobin);

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
    fn names_are_read_in_gos_form_too() {
        assert_eq!("RoundRobin".parse(), Ok(SelectMode::RoundRobin));
        assert_eq!("round_robin".parse(), Ok(SelectMode::RoundRobin));
        assert_eq!("Failtry".parse(), Ok(FailMode::Failtry));
        let error = "failsafe".parse::<FailMode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown fail mode \"failsafe\" (known: failover, failfast, failtry)"
        );
    }
}
