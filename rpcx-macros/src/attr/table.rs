//! The options of `#[rpcx(...)]`: the one list that the reader, the suggestions and the error
//! texts come from, and the reference in the runtime's guide.

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
    Other,
}

/// What an option may stand on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    Trait,
    Method,
    Param,
    /// An enum with `derive(ServiceError)`.
    ErrorType,
    /// A variant of it.
    Variant,
}

impl Level {
    /// The level in words, with its article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Trait => "a service trait",
            Self::Method => "a method",
            Self::Param => "a parameter",
            Self::ErrorType => "an error type",
            Self::Variant => "a variant of an error type",
        }
    }

    /// An attribute as it is written on this level.
    pub(crate) fn usage(self) -> &'static str {
        match self {
            Self::Trait | Self::Method | Self::Param => "#[rpcx(name = \"…\")]",
            Self::ErrorType => "#[service_error(crate = …)]",
            Self::Variant => "#[service_error(other)]",
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
        /// Words of Go's that are not nearly one of ours, each with ours.
        gos: &'static [(&'static str, &'static str)],
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
    /// What holds without it, in Markdown.
    pub(crate) default: &'static str,
    /// What it does, in a sentence or two of Markdown.
    pub(crate) effect: &'static str,
}

impl Row {
    /// Adds what the reference says.
    const fn says(mut self, default: &'static str, effect: &'static str) -> Self {
        self.default = default;
        self.effect = effect;
        self
    }

    pub(crate) fn on(&self, level: Level) -> bool {
        self.levels.contains(&level)
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
const TYPES: &[Level] = &[Level::Trait, Level::ErrorType];
const VARIANT: &[Level] = &[Level::Variant];
const ALL: &[Level] = &[Level::Trait, Level::Method, Level::Param];

const fn option(
    key: Key,
    name: &'static str,
    levels: &'static [Level],
    kind: Kind,
    example: &'static str,
) -> Row {
    Row { key, name, levels, kind, example, default: "", effect: "" }
}

const REGISTRIES: &[&str] =
    &["peer2peer", "multiple", "zookeeper", "etcd", "consul", "mdns", "inprocess"];
const LAYOUTS: &[&str] = &["kv", "service", "both"];
const FAIL_MODES: &[&str] = &["failover", "failfast", "failtry", "failbackup"];
const SELECTORS: &[&str] = &[
    "random",
    "round_robin",
    "weighted_round_robin",
    "weighted_ping",
    "consistent_hash",
    "closest",
    "least_pending",
];
const GOS_SELECTORS: &[(&str, &str)] =
    &[("RandomSelect", "random"), ("WeightedICMP", "weighted_ping")];
const RETRY_RULES: &[&str] = &["safe", "at_least_once"];

const fn word(noun: &'static str, words: &'static [&'static str]) -> Kind {
    Kind::Word { noun, words, gos: &[] }
}

const SELECT: Kind = Kind::Word { noun: "selector", words: SELECTORS, gos: GOS_SELECTORS };

/// All options, in the order in which errors list them.
pub(crate) const TABLE: &[Row] = &[
    option(Key::Name, "name", ALL, Kind::Text, "\"Mul\"").says(
        "the trait's name; the renamed method; the parameter",
        "What the service, the method or the field is called on the wire. On a parameter \
         only where several are sent.",
    ),
    option(Key::RenameAll, "rename_all", TRAIT, word("case", CASES), "\"camelCase\"").says(
        "`\"PascalCase\"`",
        "How the names of methods become names on the wire. Go exports only what begins with \
         a capital.",
    ),
    option(Key::Registry, "registry", TRAIT, word("registry", REGISTRIES), "\"consul\"").says(
        "none",
        "Where servers write themselves down and clients find them. All but `peer2peer`, \
         `multiple` and `inprocess` need the cargo feature of that name.",
    ),
    option(Key::BasePath, "base_path", TRAIT, Kind::Text, "\"/rpcx_test\"")
        .says("`\"/rpcx\"`", "The namespace in the registry. For zookeeper, etcd and consul."),
    option(Key::Servers, "servers", TRAIT, Kind::List, "[\"…\", \"…\"]").says(
        "the registry's usual port on this machine",
        "The registry's own servers, `\"host:port\"`. For peer2peer and multiple, which need \
         it, the service's servers, `\"tcp@host:port\"`.",
    ),
    option(Key::UpdateInterval, "update_interval", TRAIT, Kind::Duration, "\"60s\"").says(
        "`\"60s\"`",
        "How often an entry's metrics are written. An entry that is not kept alive for twice \
         this long is gone. Not for the lists.",
    ),
    option(Key::Metrics, "metrics", TRAIT, Kind::Flag, "false").says(
        "`true`",
        "Whether calls and connections a second are written into the entry. Not for the \
         lists.",
    ),
    option(Key::Group, "group", TRAIT, Kind::Text, "\"blue\"")
        .says("none", "Servers say that they belong to this group."),
    option(Key::Weight, "weight", TRAIT, Kind::Int, "10").says(
        "none; counts as 1",
        "Servers say that they take so many times the calls of one of weight 1.",
    ),
    option(Key::SessionTtl, "session_ttl", TRAIT, Kind::Duration, "\"10s\"").says(
        "`\"10s\"`, or twice `update_interval` if that is less",
        "How soon the entry of a dead server goes. For zookeeper, etcd and consul.",
    ),
    option(Key::Consul, "consul", TRAIT, word("Consul layout", LAYOUTS), "\"kv\"").says(
        "`\"kv\"`",
        "The form of an entry in Consul: Go's keys, a native service with a check, or both.",
    ),
    option(Key::Codec, "codec", TRAIT, word("codec", CODECS), "\"json\"").says(
        "`\"msgpack\"`",
        "How clients write arguments; servers answer in the codec of the request. `json` and \
         `protobuf` need the cargo feature of that name.",
    ),
    option(Key::Compress, "compress", TRAIT, word("compressor", COMPRESSORS), "\"gzip\"").says(
        "`\"none\"`",
        "Whether clients compress arguments of more than 1,024 bytes; such a reply then \
         comes compressed too.",
    ),
    option(Key::Timeout, "timeout", CALLS, Kind::Duration, "\"2s\"").says(
        "no limit",
        "How long a call may take, all attempts and connecting included. The server is told.",
    ),
    option(Key::FailMode, "fail_mode", CALLS, word("fail mode", FAIL_MODES), "\"failtry\"").says(
        "`\"failtry\"`",
        "What a call does when its server cannot be reached or is lost. On a method, \
         `failbackup` needs `idempotent`; named on the trait, it makes calls of other \
         methods fail unless the call names another mode.",
    ),
    option(Key::Select, "select", TRAIT, SELECT, "\"random\"").says(
        "`\"random\"`",
        "How clients choose among several servers. `closest` by its name alone is an error: the \
             client's builder says where it is.",
    ),
    option(Key::Retries, "retries", CALLS, Kind::Int, "3")
        .says("3", "How many further attempts a call has after its first; 0 is none."),
    option(Key::Retry, "retry", CALLS, word("retry rule", RETRY_RULES), "\"safe\"").says(
        "`\"safe\"`",
        "Which failed calls may be made again: those that did not run or are `idempotent`, \
         or, as in Go, all whose connection was lost.",
    ),
    option(Key::RetryInterval, "retry_interval", CALLS, Kind::Duration, "\"20ms\"").says(
        "at random, up to 20 ms at first, doubling up to 1 s",
        "The pause before a further attempt.",
    ),
    option(Key::BackupLatency, "backup_latency", CALLS, Kind::Duration, "\"10ms\"").says(
        "`\"10ms\"`",
        "With `failbackup`, how long the first server has before a second one is called too.",
    ),
    option(Key::AttemptTimeout, "attempt_timeout", CALLS, Kind::Duration, "\"500ms\"")
        .says("no limit but `timeout`", "How long one attempt may take, connecting included."),
    option(Key::ClientTrait, "client_trait", TRAIT, Kind::Flag, "false").says(
        "`true`",
        "Whether the client implements the trait. `false` spares the compiler work where \
         there are thousands of methods.",
    ),
    option(Key::Crate, "crate", TYPES, Kind::Path, "::my_crate::rpcx").says(
        "`::rpcx`",
        "Where generated code finds the runtime: for re-exports and renamed dependencies.",
    ),
    option(Key::Client, "client", TRAIT, Kind::Toggle, "ArithStub").says(
        "the trait's name and `Client`",
        "The name of the generated client, or `false` for none.",
    ),
    option(Key::Server, "server", TRAIT, Kind::Toggle, "ArithSkeleton").says(
        "the trait's name and `Server`",
        "The name of the generated server, or `false` for none.",
    ),
    option(Key::Dyn, "dyn", TRAIT, Kind::Flag, "")
        .says("off", "There is also `DynArith`, which stands for the trait behind a pointer."),
    option(Key::Mock, "mock", TRAIT, Kind::Flag, "").says(
        "off",
        "There is also `ArithMock`, whose methods are closures: it stands in for an \
         implementation in tests.",
    ),
    option(Key::Alias, "alias", METHOD, Kind::List, "[\"Multiply\"]").says(
        "none",
        "Further names on the wire that the server answers. Clients use the first name.",
    ),
    option(Key::Oneway, "oneway", METHOD, Kind::Flag, "").says(
        "off",
        "Nobody waits for a reply: the call is done when the request has left. The method \
         returns `Result<()>`.",
    ),
    option(Key::Idempotent, "idempotent", METHOD, Kind::Flag, "").says(
        "off",
        "Running the method twice is as good as once, so a call that may have run may be \
         made again.",
    ),
    option(Key::Spawn, "spawn", CALLS, Kind::Flag, "").says(
        "off",
        "The handler always gets a task of its own: for one that computes for long before \
         its first `.await`.",
    ),
    option(Key::Local, "local", METHOD, Kind::Flag, "")
        .says("off", "The method is not on the wire; it needs a body, and the client has it too."),
    option(Key::Ctx, "ctx", PARAM, Kind::Flag, "")
        .says("a first `&…Context`", "The parameter is the context, whatever its type is called."),
    option(Key::HashKey, "hash_key", PARAM, Kind::Flag, "").says(
        "the whole request",
        "With `consistent_hash`, calls with equal values here go to the same server. One a \
         method.",
    ),
    option(Key::Arg, "arg", PARAM, Kind::Flag, "")
        .says("off", "The parameter is sent although its type is called `Context`."),
    option(Key::Other, "other", VARIANT, Kind::Flag, "")
        .says("off", "Of a derived error, the variant for errors that are not the type's own."),
];
