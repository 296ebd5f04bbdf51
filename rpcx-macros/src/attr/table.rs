//! The options of `#[rpcx(...)]`: the one list that the reader, the suggestions and the error
//! texts come from.

use super::value::{CASES, CODECS, COMPRESSORS};

/// An option, whatever the level it is given on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "`hash_key` is called so")]
pub(crate) enum Key {
    Name,
    RenameAll,
    Registry,
    BasePath,
    Servers,
    UpdateInterval,
    Metrics,
    Group,
    Weight,
    SessionTtl,
    Consul,
    Codec,
    Compress,
    Timeout,
    FailMode,
    Select,
    Retries,
    Retry,
    RetryInterval,
    BackupLatency,
    AttemptTimeout,
    ClientTrait,
    Crate,
    Client,
    Server,
    Dyn,
    Mock,
    Alias,
    Oneway,
    Idempotent,
    Spawn,
    Local,
    Ctx,
    HashKey,
    Arg,
}

/// What an option may stand on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    Trait,
    Method,
    Param,
}

impl Level {
    /// The level in words, with its article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Trait => "a service trait",
            Self::Method => "a method",
            Self::Param => "a parameter",
        }
    }
}

/// What an option takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Present or absent; `= true` and `= false` are allowed. One that is on anyway has an example.
    Flag,
    /// Any string.
    Text,
    /// A string out of a list; `noun` is what one of them is called.
    Word {
        noun: &'static str,
        words: &'static [&'static str],
        /// Reserved words: giving one is an error that says so.
        later: &'static [&'static str],
    },
    /// A string or a list of strings.
    List,
    /// A string such as `"1m30s"`.
    Duration,
    /// A whole number.
    Int,
    /// A path without quotes.
    Path,
    /// `true`, `false` or a name without quotes.
    Toggle,
}

/// One option.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) name: &'static str,
    pub(crate) levels: &'static [Level],
    pub(crate) kind: Kind,
    /// A right value, as it is shown in errors.
    pub(crate) example: &'static str,
    pub(crate) status: Status,
}

/// Whether an option does something today.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Acts,
    /// Reserved: giving it is an error that says so.
    Planned,
}

impl Row {
    pub(crate) fn on(&self, level: Level) -> bool {
        self.levels.contains(&level)
    }

    pub(crate) fn acts(&self) -> bool {
        self.status == Status::Acts
    }

    /// The levels in words: "a service trait or a method".
    pub(crate) fn places(&self) -> String {
        let nouns: Vec<_> = self.levels.iter().map(|level| level.noun()).collect();
        nouns.join(" or ")
    }

    /// The option as it should be written.
    pub(crate) fn usage(&self) -> String {
        match self.kind {
            Kind::Flag if self.example.is_empty() => self.name.to_owned(),
            _ => format!("{} = {}", self.name, self.example),
        }
    }
}

/// Looks an option up by name.
pub(crate) fn row(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// The options that may stand on a level.
pub(crate) fn rows(level: Level) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.on(level))
}

const TRAIT: &[Level] = &[Level::Trait];
const METHOD: &[Level] = &[Level::Method];
const PARAM: &[Level] = &[Level::Param];
const CALLS: &[Level] = &[Level::Trait, Level::Method];
const ALL: &[Level] = &[Level::Trait, Level::Method, Level::Param];

const fn acts(
    key: Key,
    name: &'static str,
    levels: &'static [Level],
    kind: Kind,
    example: &'static str,
) -> Row {
    Row { key, name, levels, kind, example, status: Status::Acts }
}

const fn planned(
    key: Key,
    name: &'static str,
    levels: &'static [Level],
    kind: Kind,
    example: &'static str,
) -> Row {
    Row { key, name, levels, kind, example, status: Status::Planned }
}

const REGISTRIES: &[&str] =
    &["peer2peer", "multiple", "zookeeper", "etcd", "consul", "mdns", "inprocess"];
const LAYOUTS: &[&str] = &["kv", "service", "both"];
const FAIL_MODES: &[&str] = &["failover", "failfast", "failtry"];
const LATER_FAIL_MODES: &[&str] = &["failbackup"];
const SELECTORS: &[&str] = &["random", "round_robin"];
const LATER_SELECTORS: &[&str] =
    &["weighted_round_robin", "weighted_ping", "consistent_hash", "closest", "least_pending"];
const RETRIES: &[&str] = &["safe", "at_least_once"];

const fn word(noun: &'static str, words: &'static [&'static str]) -> Kind {
    growing(noun, words, &[])
}

/// A word out of a list of which a part is reserved.
const fn growing(
    noun: &'static str,
    words: &'static [&'static str],
    later: &'static [&'static str],
) -> Kind {
    Kind::Word { noun, words, later }
}

/// All options, in the order in which errors list them.
pub(crate) const TABLE: &[Row] = &[
    acts(Key::Name, "name", ALL, Kind::Text, "\"Mul\""),
    acts(Key::RenameAll, "rename_all", TRAIT, word("case", CASES), "\"camelCase\""),
    acts(Key::Registry, "registry", TRAIT, word("registry", REGISTRIES), "\"consul\""),
    acts(Key::BasePath, "base_path", TRAIT, Kind::Text, "\"/rpcx_test\""),
    acts(Key::Servers, "servers", TRAIT, Kind::List, "[\"…\", \"…\"]"),
    acts(Key::UpdateInterval, "update_interval", TRAIT, Kind::Duration, "\"60s\""),
    acts(Key::Metrics, "metrics", TRAIT, Kind::Flag, "false"),
    acts(Key::Group, "group", TRAIT, Kind::Text, "\"blue\""),
    acts(Key::Weight, "weight", TRAIT, Kind::Int, "10"),
    acts(Key::SessionTtl, "session_ttl", TRAIT, Kind::Duration, "\"10s\""),
    acts(Key::Consul, "consul", TRAIT, word("Consul layout", LAYOUTS), "\"kv\""),
    acts(Key::Codec, "codec", TRAIT, word("codec", CODECS), "\"json\""),
    acts(Key::Compress, "compress", TRAIT, word("compressor", COMPRESSORS), "\"gzip\""),
    acts(Key::Timeout, "timeout", CALLS, Kind::Duration, "\"2s\""),
    acts(
        Key::FailMode,
        "fail_mode",
        CALLS,
        growing("fail mode", FAIL_MODES, LATER_FAIL_MODES),
        "\"failtry\"",
    ),
    acts(
        Key::Select,
        "select",
        TRAIT,
        growing("selector", SELECTORS, LATER_SELECTORS),
        "\"random\"",
    ),
    planned(Key::Retries, "retries", CALLS, Kind::Int, "3"),
    planned(Key::Retry, "retry", CALLS, word("retry rule", RETRIES), "\"safe\""),
    planned(Key::RetryInterval, "retry_interval", CALLS, Kind::Duration, "\"20ms\""),
    planned(Key::BackupLatency, "backup_latency", CALLS, Kind::Duration, "\"10ms\""),
    planned(Key::AttemptTimeout, "attempt_timeout", CALLS, Kind::Duration, "\"500ms\""),
    acts(Key::ClientTrait, "client_trait", TRAIT, Kind::Flag, "false"),
    acts(Key::Crate, "crate", TRAIT, Kind::Path, "::my_crate::rpcx"),
    acts(Key::Client, "client", TRAIT, Kind::Toggle, "ArithStub"),
    acts(Key::Server, "server", TRAIT, Kind::Toggle, "ArithSkeleton"),
    planned(Key::Dyn, "dyn", TRAIT, Kind::Flag, ""),
    planned(Key::Mock, "mock", TRAIT, Kind::Flag, ""),
    acts(Key::Alias, "alias", METHOD, Kind::List, "[\"Multiply\"]"),
    acts(Key::Oneway, "oneway", METHOD, Kind::Flag, ""),
    acts(Key::Idempotent, "idempotent", METHOD, Kind::Flag, ""),
    acts(Key::Spawn, "spawn", CALLS, Kind::Flag, ""),
    acts(Key::Local, "local", METHOD, Kind::Flag, ""),
    acts(Key::Ctx, "ctx", PARAM, Kind::Flag, ""),
    planned(Key::HashKey, "hash_key", PARAM, Kind::Flag, ""),
    acts(Key::Arg, "arg", PARAM, Kind::Flag, ""),
];
