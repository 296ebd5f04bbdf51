//! Addresses as texts, checked as the runtime will read them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::suggest;

const NETWORKS: [&str; 3] = ["tcp", "unix", "memory"];

/// The port of rpcx's examples, for examples.
const EXAMPLE_PORT: u16 = 8972;

/// Checks `network@target`, the address of a server.
pub(super) fn without_metadata(text: &str) -> Result<(), String> {
    if text.contains('?') {
        return Err("metadata after `?` is for `registry = \"multiple\"`".to_owned());
    }
    server(text, "")
}

/// Checks `network@target?key=value&…`, the address of a server and what is said about it.
pub(super) fn with_metadata(text: &str) -> Result<(), String> {
    let address = text.split_once('?').map_or(text, |(address, _)| address);
    server(address, &text[address.len()..])
}

/// `metadata` is what follows the address, for the corrected text.
fn server(address: &str, metadata: &str) -> Result<(), String> {
    let Some((network, target)) = address.split_once('@') else {
        let bare = address.strip_prefix("tcp://").unwrap_or(address);
        if bare.contains(',') {
            return Err(ONE_EACH.to_owned());
        }
        let form = "an address is `network@host:port`";
        return Err(match host_and_port(bare, "", EXAMPLE_PORT) {
            Ok(()) => {
                let right = format!("tcp@{bare}{metadata}");
                format!("{form}; write {right:?}")
            }
            Err(_) => format!("{form}, as in \"tcp@127.0.0.1:{EXAMPLE_PORT}\""),
        });
    };
    if !NETWORKS.contains(&network) {
        let hint = suggest::nearest(network, NETWORKS)
            .map(|near| format!(": did you mean {near:?}?"))
            .unwrap_or_default();
        let known = suggest::list(NETWORKS);
        return Err(format!("unknown network {network:?}{hint} (known: {known})"));
    }
    if target.is_empty() {
        return Err(format!("nothing stands after `{network}@`"));
    }
    match network {
        "tcp" => host_and_port(target, "tcp@", EXAMPLE_PORT),
        _ => Ok(()),
    }
}

/// Checks `host:port`, the address of a registry with its usual port.
pub(super) fn endpoint(text: &str, registry: &str, port: u16) -> Result<(), String> {
    if text.contains(',') {
        return Err(ONE_EACH.to_owned());
    }
    let form = format!("a server of `{registry}` is `host:port`");
    let write = |rest: &str| match host_and_port(rest, "", port) {
        Ok(()) => format!("; write {rest:?}"),
        Err(_) => String::new(),
    };
    if let Some((scheme, rest)) = text.split_once("://") {
        // Without encryption is not what was meant.
        let write = if scheme == "https" { String::new() } else { write(rest.trim_matches('/')) };
        return Err(format!("{form}, without `{scheme}://`{write}"));
    }
    if let Some((network, rest)) = text.split_once('@') {
        return Err(format!("{form}, without `{network}@`{}", write(rest)));
    }
    if let Some((server, path)) = text.split_once('/') {
        let instead = if path.is_empty() { "" } else { " (a namespace is the `base_path`)" };
        return Err(format!("{form}, without a path{instead}{}", write(server)));
    }
    host_and_port(text, "", port)
}

const ONE_EACH: &str = "each server is a string of its own: `servers = [\"…\", \"…\"]`";

/// Checks `host:port`; `prefix` and `port` complete an example.
fn host_and_port(text: &str, prefix: &str, port: u16) -> Result<(), String> {
    if text.contains(',') {
        return Err(ONE_EACH.to_owned());
    }
    let example = |host: &str| {
        let host = if check_host(host).is_ok() { host } else { "127.0.0.1" };
        format!("the port is missing, as in \"{prefix}{host}:{port}\"")
    };
    if text.ends_with(']') {
        return Err(example(text));
    }
    let Some((host, number)) = text.rsplit_once(':') else {
        return Err(example(text));
    };
    check_host(host)?;
    if number.is_empty() {
        return Err(example(host));
    }
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{number}` is no port number"));
    }
    match number.parse::<u16>() {
        Ok(1..) => Ok(()),
        _ => Err(format!("port {number} is out of range")),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let no_address = || Err(format!("`{host}` is no IP address"));
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        // A zone such as `%eth0` may follow the address.
        let address = inner.split_once('%').map_or(inner, |(address, _)| address);
        return if address.parse::<Ipv6Addr>().is_ok() { Ok(()) } else { no_address() };
    }
    if host.contains(':') {
        return Err("an IPv6 host stands in brackets, as in `[::1]:80`".to_owned());
    }
    let strange = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '.' | '_');
    if let Some(c) = host.chars().find(|&c| strange(c)) {
        return Err(format!("`{}` is not allowed in a host name", c.escape_debug()));
    }
    let numeric = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return no_address();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_addresses_pass() {
        for text in [
            "tcp@127.0.0.1:8972",
            "tcp@localhost:1",
            "tcp@[::1]:65535",
            "tcp@[fe80::1%eth0]:80",
            "tcp@my_host-1.example:80",
            "unix@/run/arith,sock",
            "memory@arith",
        ] {
            assert_eq!(without_metadata(text), Ok(()), "{text}");
            assert_eq!(with_metadata(&format!("{text}?weight=5&group=a,b")), Ok(()), "{text}");
        }
        for text in ["127.0.0.1:2379", "etcd-0.etcd:2379", "[::1]:2379"] {
            assert_eq!(endpoint(text, "etcd", 2379), Ok(()), "{text}");
        }
    }

    #[test]
    fn addresses_of_servers_are_refused_with_a_reason() {
        let form = "an address is `network@host:port`";
        for (text, why) in [
            ("", &*format!("{form}, as in \"tcp@127.0.0.1:8972\"")),
            ("localhost", &format!("{form}, as in \"tcp@127.0.0.1:8972\"")),
            ("localhost:80", &format!("{form}; write \"tcp@localhost:80\"")),
            ("tcp://[::1]:80", &format!("{form}; write \"tcp@[::1]:80\"")),
            ("h:80?weight=5", &format!("{form}; write \"tcp@h:80?weight=5\"")),
            ("a:1,b:2", ONE_EACH),
            ("tcp@a:1,tcp@b:2", ONE_EACH),
            ("tcp@", "nothing stands after `tcp@`"),
            ("unix@", "nothing stands after `unix@`"),
            (
                "tpc@h:1",
                "unknown network \"tpc\": did you mean \"tcp\"? (known: `tcp`, `unix`, `memory`)",
            ),
            ("quic@h:1", "unknown network \"quic\" (known: `tcp`, `unix`, `memory`)"),
            ("@h:1", "unknown network \"\" (known: `tcp`, `unix`, `memory`)"),
            ("tcp@localhost", "the port is missing, as in \"tcp@localhost:8972\""),
            ("tcp@localhost:", "the port is missing, as in \"tcp@localhost:8972\""),
            ("tcp@[::1]", "the port is missing, as in \"tcp@[::1]:8972\""),
            ("tcp@:80", "the host is missing"),
            ("tcp@::1:80", "an IPv6 host stands in brackets, as in `[::1]:80`"),
            ("tcp@[::1::]:80", "`[::1::]` is no IP address"),
            ("tcp@999.0.0.1:80", "`999.0.0.1` is no IP address"),
            ("tcp@a b:80", "` ` is not allowed in a host name"),
            ("tcp@tcp@h:80", "`@` is not allowed in a host name"),
            ("tcp@h:99999", "port 99999 is out of range"),
            ("tcp@h:0", "port 0 is out of range"),
            ("tcp@h:99999999999999999999", "port 99999999999999999999 is out of range"),
            ("tcp@h:http", "`http` is no port number"),
            ("tcp@h:-1", "`-1` is no port number"),
        ] {
            assert_eq!(with_metadata(text), Err(why.to_owned()), "{text}");
        }
        let why = "metadata after `?` is for `registry = \"multiple\"`";
        assert_eq!(without_metadata("tcp@h:1?weight=5"), Err(why.to_owned()));
    }

    #[test]
    fn addresses_of_registries_are_refused_with_a_reason() {
        let form = "a server of `etcd` is `host:port`, without";
        for (text, why) in [
            ("tcp@h:1", &*format!("{form} `tcp@`; write \"h:1\"")),
            ("tcp@h", &format!("{form} `tcp@`")),
            ("http://h:1/", &format!("{form} `http://`; write \"h:1\"")),
            ("https://h:1", &format!("{form} `https://`")),
            ("h:1/a", &format!("{form} a path (a namespace is the `base_path`); write \"h:1\"")),
            ("h:1/", &format!("{form} a path; write \"h:1\"")),
            ("a:1,b:2", ONE_EACH),
            ("h", "the port is missing, as in \"h:2379\""),
            ("", "the port is missing, as in \"127.0.0.1:2379\""),
            ("h:99999", "port 99999 is out of range"),
        ] {
            assert_eq!(endpoint(text, "etcd", 2379), Err(why.to_owned()), "{text}");
        }
    }
}
