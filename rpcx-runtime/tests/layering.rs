//! Which module may name which: the layers of the design, read from the sources.
//!
//! Modules of one layer may name each other and those of lower layers, with the exceptions that
//! [`forbidden`] lists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules at the root of the crate.
const LAYERS: &[(&str, u8)] = &[
    ("error", 0),
    ("metadata", 0),
    ("address", 0),
    ("instance", 0),
    ("extensions", 0),
    ("trace_context", 0),
    ("capture", 1),
    ("tls", 0),
    ("protocol", 1),
    ("codec", 1),
    ("method", 1),
    ("wire", 1),
    ("arguments", 1),
    ("named_arguments", 1),
    ("outlet", 1),
    ("context", 1),
    ("service", 1),
    ("handler", 1),
    ("private", 1),
    ("registry_info", 1),
    ("service_info", 1),
    ("schema", 1),
    ("modes", 0),
    ("governance", 0),
    ("transport", 2),
    ("registry", 3),
    ("client", 4),
    ("calls", 4),
    ("server", 4),
];

/// These export what others define.
const NAME_EVERYTHING: [&str; 5] =
    ["lib.rs", "prelude.rs", "private/mod.rs", "guide/mod.rs", "reflection.rs"];

/// Says what is wrong with code of module `from` that names `to`, an item of module `module`.
fn forbidden(from: &str, module: &str, to: &str) -> Option<String> {
    let layer = |name: &str| LAYERS.iter().find(|(known, _)| *known == name).map(|(_, at)| *at);
    let (Some(own), Some(other)) = (layer(from), layer(module)) else {
        return Some(format!("`{from}` or `{module}` has no layer"));
    };
    match (from, module) {
        _ if from == module => None,
        ("error", "codec") if to == "codec::CodecError" => None,
        ("client", "server") | ("server", "client") => {
            Some("client and server do not know each other".to_owned())
        }
        ("protocol", _) if other > 0 => Some("the protocol knows no module beside it".to_owned()),
        ("codec", _) if module != "protocol" => Some("codecs know the protocol alone".to_owned()),
        _ if other > own => Some(format!("layer {own} does not know layer {other}")),
        _ => None,
    }
}

/// Crates that a module does without.
fn forbidden_crate(from: &str, name: &str) -> bool {
    matches!(from, "protocol" | "codec") && matches!(name, "tokio" | "tokio_util" | "socket2")
}

/// A word or a mark of the source, with its line.
#[derive(Clone, Debug, PartialEq)]
struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Splits a source into words and marks, without comments and literals.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, keep) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (block_comment(rest), false),
            '"' => (1 + string(&rest[1..]), false),
            '\'' => (quote(rest), false),
            _ if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let word = &rest[..end.unwrap_or(rest.len())];
                match (word, rest[word.len()..].chars().next()) {
                    ("r" | "br" | "cr", Some('"' | '#')) => match raw_string(&rest[word.len()..]) {
                        Some(length) => (word.len() + length, false),
                        None => (word.len(), true),
                    },
                    _ => (word.len(), true),
                }
            }
            ':' if rest.starts_with("::") => (2, true),
            _ => (first.len_utf8(), !first.is_whitespace()),
        };
        let (text, after) = rest.split_at(length);
        if keep {
            found.push(Token { line, text });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    found
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Gives the length of a string's text and its closing quote.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Gives the length of `#"…"#` with any number of marks; `None` if it is no string.
fn raw_string(rest: &str) -> Option<usize> {
    let marks = rest.len() - rest.trim_start_matches('#').len();
    let text = rest[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    Some(marks + 1 + text.find(&end)? + end.len())
}

/// Gives the length of a character, or of a lifetime's mark.
fn quote(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some(_)) => rest[3..].find('\'').map_or(1, |at| 3 + at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// A path in the source that begins at the root of the crate, once resolved.
#[derive(Debug, PartialEq)]
struct Use {
    line: usize,
    path: Vec<String>,
}

/// Finds the paths that lead through the crate's root, in a file that is the module `file`.
fn uses(file: &[&str], source: &str) -> Vec<Use> {
    let tokens = tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut found = Vec::new();
    let mut inline: Vec<(usize, &str)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        match text(at) {
            "{" => {
                if at >= 2 && text(at - 2) == "mod" {
                    inline.push((depth, text(at - 1)));
                }
                depth += 1;
            }
            "}" => {
                depth -= 1;
                if inline.last().is_some_and(|(outside, _)| *outside == depth) {
                    inline.pop();
                }
            }
            start @ ("crate" | "rpcx" | "super" | "self")
                if text(at + 1) == "::" && (at == 0 || text(at - 1) != "::") =>
            {
                let mut paths = Vec::new();
                let end = tree(&tokens, at, &[], &mut paths);
                let inner = inline.iter().map(|(_, name)| *name);
                let here: Vec<&str> = file.iter().copied().chain(inner).collect();
                for (line, path) in paths {
                    let mut base = match start {
                        "crate" | "rpcx" => Vec::new(),
                        _ => here.clone(),
                    };
                    for segment in &path {
                        match *segment {
                            "super" => {
                                base.pop();
                            }
                            "crate" | "rpcx" | "self" => {}
                            other => base.push(other),
                        }
                    }
                    let path = base.into_iter().map(str::to_owned).collect();
                    found.push(Use { line, path });
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads `a::b::{c, d::*}` from token `at`; gives the place behind it.
fn tree<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    before: &[&'a str],
    paths: &mut Vec<(usize, Vec<&'a str>)>,
) -> usize {
    let mut path = before.to_vec();
    let mut line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" if !path.is_empty() => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = tree(tokens, at, &path, paths);
                    // Over a new name and the comma.
                    while tokens.get(at).is_some_and(|token| !matches!(token.text, "," | "}")) {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(word);
                line = token.line;
                at += 1;
            }
            "*" => {
                path.push("*");
                paths.push((line, path));
                return at + 1;
            }
            _ => break,
        }
        match tokens.get(at) {
            Some(token) if token.text == "::" => at += 1,
            _ => break,
        }
    }
    paths.push((line, path));
    at
}

/// Reads where the names that the root exports come from: `pub use crate::error::Error`.
fn exports(root: &str) -> BTreeMap<String, String> {
    let paths = uses(&[], root).into_iter().map(|found| found.path);
    paths.filter_map(|path| Some((path.last()?.clone(), path.first()?.clone()))).collect()
}

/// Lists what a file names and must not.
fn violations(
    file: &[&str],
    name: &str,
    source: &str,
    exports: &BTreeMap<String, String>,
) -> Vec<String> {
    let from = file[0];
    let mut wrong = Vec::new();
    for Use { line, path } in uses(file, source) {
        let Some(first) = path.first().map(String::as_str) else { continue };
        let first = if first == "__private" { "private" } else { first };
        let is_module = LAYERS.iter().any(|(module, _)| *module == first);
        let module = match exports.get(first) {
            Some(module) if !is_module => module.as_str(),
            _ => first,
        };
        let to = if is_module { path.join("::") } else { format!("{module}::{}", path.join("::")) };
        if let Some(reason) = forbidden(from, module, &to) {
            wrong.push(format!("{name}:{line}: {from} -> {to}: {reason}"));
        }
    }
    for token in tokens(source) {
        if forbidden_crate(from, token.text) {
            wrong.push(format!("{name}:{}: {from} -> {}", token.line, token.text));
        }
    }
    wrong
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn modules_name_only_what_their_layer_knows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let exports = exports(&fs::read_to_string(root.join("lib.rs")).unwrap());
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for path in files {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if NAME_EVERYTHING.contains(&name.as_str()) {
            continue;
        }
        let module = name.trim_end_matches(".rs").trim_end_matches("/mod");
        let module: Vec<&str> = module.split('/').collect();
        seen.push(module[0].to_owned());
        let source = fs::read_to_string(&path).unwrap();
        // Nothing was lost to a literal that was misread.
        let imports = source.lines().filter(|line| line.trim_start().starts_with("use crate::"));
        assert!(uses(&module, &source).len() >= imports.count(), "{name} is not understood");
        wrong.extend(violations(&module, &name, &source, &exports));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for (module, _) in LAYERS {
        assert!(seen.iter().any(|seen| seen == module), "there is no module `{module}` any more");
    }
}

/// Checks a made-up file of a module; the root exports `Error` and `Bytes`.
fn check(module: &[&str], source: &str) -> Vec<String> {
    let exports = exports(
        "mod error;\npub use crate::codec::{Bytes, Time as Clock};\npub use crate::error::Error;",
    );
    violations(module, "x.rs", source, &exports)
}

#[test]
fn the_checker_finds_every_form_of_a_path() {
    let server = "client -> server::Bound: client and server do not know each other";
    for (source, line) in [
        ("use crate::server::Bound;", 1),
        ("\n\npub(crate) use crate::{\n    error::Error,\n    server::{Bound},\n};", 5),
        ("use {std::fmt, crate::server::Bound as B};", 1),
        ("fn f() -> crate::server::Bound { todo!() }", 1),
        ("use super::super::server::Bound;", 1),
        ("mod a { mod b {} use super::super::super::server::Bound; }", 1),
        ("mod a {} use super::super::server::Bound;", 1),
        ("type A<'a> = (&'a str, rpcx::server::Bound);", 1),
        ("const A: (char, &str) = ('\"', r#\"a\"b\"#);\nuse crate::server::Bound;", 2),
        ("const A: [char; 2] = ['\\'', '\\u{7f}']; use crate::server::Bound;", 1),
        ("/* a /* b */ */ use crate::server::Bound;", 1),
    ] {
        assert_eq!(
            check(&["client", "call"], source),
            [format!("x.rs:{line}: {server}")],
            "{source}"
        );
    }
}

#[test]
fn the_checker_ignores_what_is_no_path_of_the_crate() {
    for source in [
        "// use crate::server::Bound;",
        "/// [`crate::server::Bound`]\nfn f() {}",
        "/* crate::server::Bound */",
        "const A: &str = \"\\\" crate::server::Bound\";",
        "const A: &str = r##\"\" crate::server::Bound \"# \"##;",
        "use std::server::Bound; use other::crate_::server;",
        "use super::server::Bound;",
        "mod a { use super::super::server::Bound; }",
        "pub(crate) fn server() {}",
        "use crate::client::Channel; use crate::protocol::Header; use crate::Bytes;",
    ] {
        assert_eq!(check(&["client", "call"], source), [""; 0], "{source}");
    }
}

#[test]
fn the_checker_knows_the_layers() {
    for (module, source, expected) in [
        (
            "transport",
            "use crate::client::X;",
            "transport -> client::X: layer 2 does not know layer 4",
        ),
        (
            "context",
            "use crate::transport::X;",
            "context -> transport::X: layer 1 does not know layer 2",
        ),
        (
            "metadata",
            "use crate::Bytes;",
            "metadata -> codec::Bytes: layer 0 does not know layer 1",
        ),
        (
            "error",
            "use crate::codec::Bytes;",
            "error -> codec::Bytes: layer 0 does not know layer 1",
        ),
        (
            "protocol",
            "use crate::codec::X;",
            "protocol -> codec::X: the protocol knows no module beside it",
        ),
        ("protocol", "use tokio::io::X;", "protocol -> tokio"),
        ("codec", "use crate::Error;", "codec -> error::Error: codecs know the protocol alone"),
        ("codec", "use crate::wire::X;", "codec -> wire::X: codecs know the protocol alone"),
        (
            "server",
            "use crate::client::X;",
            "server -> client::X: client and server do not know each other",
        ),
        ("server", "use crate::new::X;", "server -> new::new::X: `server` or `new` has no layer"),
        ("new", "use crate::error::X;", "new -> error::X: `new` or `error` has no layer"),
    ] {
        assert_eq!(check(&[module], source), [format!("x.rs:1: {expected}")]);
    }
    for (module, source) in [
        ("error", "use crate::codec::CodecError;"),
        ("error", "use crate::address::X;"),
        ("protocol", "use crate::metadata::X;"),
        ("codec", "use crate::protocol::X;"),
        ("transport", "use crate::context::X; use tokio::io::X;"),
        ("server", "use crate::transport::X; use crate::service::X;"),
        ("service", "use crate::private::bounds::X; use crate::__private::X;"),
    ] {
        assert_eq!(check(&[module], source), [""; 0], "{source}");
    }
}
