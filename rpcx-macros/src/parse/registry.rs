//! The registry of a service: which options suit it, and whether their values do.

use quote::ToTokens;
use syn::LitStr;

use super::address;
use crate::{
    attr::{Key, Options, Value},
    ctxt::Ctxt,
    model::{Check, Registry},
    suggest,
};

/// Reads what the options of a trait say about its registry.
pub(super) fn registry(
    options: &Options,
    checks: &mut Vec<Check>,
    ctxt: &Ctxt,
) -> Option<Registry> {
    if let Some(group) = options.text(Key::Group).filter(|group| group.value().is_empty()) {
        ctxt.on(group, "a group cannot be empty: leave `group` out for none");
    }
    let Some(name) = options.text(Key::Registry) else {
        if !options.is_given(Key::Registry) {
            without_registry(options, ctxt);
        }
        base_path(options, ctxt);
        return None;
    };
    let kind = Kind::of(&name.value())?;
    checks.extend(kind.check().map(|check| (check, name.span())));
    for given in options.iter() {
        if let Some(objection) = kind.objection(given.key) {
            ctxt.on(&given.name, objection);
        }
    }
    if kind.objection(Key::BasePath).is_none() {
        base_path(options, ctxt);
    }
    if kind.objection(Key::Servers).is_none() {
        servers(kind, name, options, ctxt);
    }
    Some(Registry {
        name: name.clone(),
        base_path: options.text(Key::BasePath).cloned(),
        servers: options.list(Key::Servers).to_vec(),
        update_interval: options.duration(Key::UpdateInterval),
        session_ttl: options.duration(Key::SessionTtl),
        metrics: options.flag_or(Key::Metrics, true),
        group: options.text(Key::Group).cloned(),
        weight: options.int(Key::Weight),
        layout: options.text(Key::Consul).cloned(),
    })
}

/// The registries, as far as their options differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Peer2Peer,
    Multiple,
    Hosted(Hosted),
    Mdns,
    InProcess,
}

/// The registries that are servers of their own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Hosted {
    Zookeeper,
    Etcd,
    Consul,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "peer2peer" => Self::Peer2Peer,
            "multiple" => Self::Multiple,
            "zookeeper" => Self::Hosted(Hosted::Zookeeper),
            "etcd" => Self::Hosted(Hosted::Etcd),
            "consul" => Self::Hosted(Hosted::Consul),
            "mdns" => Self::Mdns,
            "inprocess" => Self::InProcess,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Peer2Peer => "peer2peer",
            Self::Multiple => "multiple",
            Self::Hosted(hosted) => hosted.name(),
            Self::Mdns => "mdns",
            Self::InProcess => "inprocess",
        }
    }

    /// The runtime's macro that fails if the cargo feature of the registry is off.
    fn check(self) -> Option<&'static str> {
        match self {
            Self::Hosted(Hosted::Zookeeper) => Some("__registry_zookeeper"),
            Self::Hosted(Hosted::Etcd) => Some("__registry_etcd"),
            Self::Hosted(Hosted::Consul) => Some("__registry_consul"),
            Self::Mdns => Some("__registry_mdns"),
            Self::Peer2Peer | Self::Multiple | Self::InProcess => None,
        }
    }

    /// Why an option does not suit the registry, if it does not.
    fn objection(self, key: Key) -> Option<String> {
        let why = match (key, self) {
            (Key::BasePath | Key::SessionTtl, Self::Hosted(_))
            | (Key::UpdateInterval | Key::Metrics, Self::Hosted(_) | Self::Mdns)
            | (Key::Consul, Self::Hosted(Hosted::Consul)) => return None,
            (Key::BasePath, _) => "has no base path",
            (Key::SessionTtl, _) => "has no sessions",
            (Key::UpdateInterval, _) => "has no entries to update",
            (Key::Metrics, _) => "has no entries that metrics could go into",
            (Key::Consul, _) => return Some(NEEDS_CONSUL.to_owned()),
            (Key::Servers, Self::Mdns) => "takes no `servers`: it finds them on the local network",
            (Key::Servers, Self::InProcess) => "takes no `servers`: they are those of this process",
            _ => return None,
        };
        Some(format!("`{}` {why}", self.name()))
    }
}

impl Hosted {
    fn name(self) -> &'static str {
        match self {
            Self::Zookeeper => "zookeeper",
            Self::Etcd => "etcd",
            Self::Consul => "consul",
        }
    }

    /// The port that it usually has, for examples.
    fn port(self) -> u16 {
        match self {
            Self::Zookeeper => 2181,
            Self::Etcd => 2379,
            Self::Consul => 8500,
        }
    }
}

const NEEDS_CONSUL: &str = "`consul` needs `registry = \"consul\"`";

/// Complains once about all options that mean nothing without a registry.
fn without_registry(options: &Options, ctxt: &Ctxt) {
    let about = |key| {
        matches!(
            key,
            Key::BasePath
                | Key::Servers
                | Key::UpdateInterval
                | Key::Metrics
                | Key::Group
                | Key::Weight
                | Key::SessionTtl
                | Key::Consul
        )
    };
    let given: Vec<_> = options.iter().filter(|given| about(given.key)).collect();
    match given.as_slice() {
        [] => {}
        [one] if one.key == Key::Consul => ctxt.on(&one.name, NEEDS_CONSUL),
        [one] => ctxt.on(&one.name, format_args!("`{}` needs a `registry`", one.name)),
        [others @ .., last] => {
            let names: Vec<_> = others.iter().map(|given| given.name.to_string()).collect();
            let (names, last) = (suggest::list(names.iter().map(String::as_str)), &last.name);
            ctxt.on(&given[0].name, format_args!("{names} and `{last}` need a `registry`"));
        }
    }
}

fn base_path(options: &Options, ctxt: &Ctxt) {
    let Some(literal) = options.text(Key::BasePath) else {
        return;
    };
    if let Err(why) = check_base_path(&literal.value()) {
        ctxt.on(literal, format_args!("invalid base_path: {why}"));
    }
}

fn check_base_path(path: &str) -> Result<(), String> {
    let strange = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/');
    if path.is_empty() || path == "/" {
        return Err("it is empty; leave `base_path` out for the default \"/rpcx\"".to_owned());
    }
    if let Some(c) = path.chars().find(|&c| strange(c)) {
        let c = c.escape_debug();
        return Err(format!("`{c}` is not allowed; use letters, digits, `_`, `-`, `.` and `/`"));
    }
    if path.contains("//") {
        return Err("it has an empty segment (`//`)".to_owned());
    }
    if let Some(dots) = path.split('/').find(|segment| matches!(*segment, "." | "..")) {
        return Err(format!("`{dots}` is no name for a segment"));
    }
    if let Some(right) = path.strip_suffix('/') {
        return Err(format!("it ends in `/`; write {right:?}"));
    }
    Ok(())
}

/// Checks the addresses: of the service's servers, or of the registry's.
fn servers(kind: Kind, registry: &LitStr, options: &Options, ctxt: &Ctxt) {
    let fixed = matches!(kind, Kind::Peer2Peer | Kind::Multiple);
    let Some(given) = options.get(Key::Servers) else {
        if fixed && !options.is_given(Key::Servers) {
            ctxt.on(registry, needs_servers(kind));
        }
        return;
    };
    let Value::List(servers) = &given.value else {
        return;
    };
    if servers.is_empty() {
        let message = if fixed {
            needs_servers(kind)
        } else {
            let usual = "for the registry's usual port on this machine";
            format!("`servers` is empty: leave it out {usual}")
        };
        ctxt.on(&given.name, message);
    }
    for (number, server) in servers.iter().enumerate() {
        let text = server.value();
        let checked = match kind {
            Kind::Peer2Peer if number > 0 => {
                let message =
                    "`peer2peer` has one server: write `registry = \"multiple\"` for more";
                // One is enough, however many there are.
                return ctxt.on(server.to_token_stream(), message);
            }
            Kind::Peer2Peer => address::without_metadata(&text),
            Kind::Multiple => address::with_metadata(&text),
            Kind::Hosted(hosted) => address::endpoint(&text, hosted.name(), hosted.port()),
            Kind::Mdns | Kind::InProcess => Ok(()),
        };
        if let Err(why) = checked {
            ctxt.on(server, why);
        }
    }
}

fn needs_servers(kind: Kind) -> String {
    let example = match kind {
        Kind::Multiple => "[\"tcp@host:port\", …]",
        _ => "\"tcp@host:port\"",
    };
    format!("`{}` needs `servers = {example}`", kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_paths_are_refused_with_a_reason() {
        for path in ["/rpcx_test", "rpcx", "/a/b.c/d-e", "/..a", "/a.b"] {
            assert_eq!(check_base_path(path), Ok(()), "{path}");
        }
        let letters = "is not allowed; use letters, digits, `_`, `-`, `.` and `/`";
        let empty = "it is empty; leave `base_path` out for the default \"/rpcx\"";
        for (path, why) in [
            ("", empty),
            ("/", empty),
            ("/a b", &format!("` ` {letters}")),
            ("/a\n", &format!("`\\n` {letters}")),
            ("/ä", &format!("`ä` {letters}")),
            ("//a", "it has an empty segment (`//`)"),
            ("/a//b", "it has an empty segment (`//`)"),
            ("/a/", "it ends in `/`; write \"/a\""),
            ("/a/../b", "`..` is no name for a segment"),
            ("./a", "`.` is no name for a segment"),
        ] {
            assert_eq!(check_base_path(path), Err(why.to_owned()), "{path}");
        }
    }
}
