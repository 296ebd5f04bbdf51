//! What is depended on, on any system and with any feature: `.deny.toml` says what it may be.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const RULES: &str = include_str!("../../.deny.toml");
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Gives the texts of a list in the rules.
fn list(name: &str) -> BTreeSet<&'static str> {
    let start = format!("\n{name} = [");
    let (_, rest) = RULES.split_once(&start).expect("there is such a list");
    let (list, _) = rest.split_once("\n]").expect("it ends");
    list.split('"').skip(1).step_by(2).collect()
}

/// Gives all packages of the workspace's lock file.
fn packages() -> Vec<Value> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--all-features", "--locked"]);
    let ended = cargo.current_dir(workspace).output().expect("cargo runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let mut metadata: Value = serde_json::from_slice(&ended.stdout).expect("it is JSON");
    let Value::Array(packages) = metadata["packages"].take() else { panic!("a list of packages") };
    packages
}

/// Tells whether one of the ways to take a licence is allowed.
///
/// `AND` binds closer than `OR`, and `/` is an old way to write `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let words = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = words.split_whitespace().collect();
    let mut words = words.as_slice();
    let is_allowed = any_of(&mut words, allowed);
    assert!(words.is_empty(), "not an expression of licences: {expression}");
    is_allowed
}

fn any_of(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut any = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        any |= all_of(words, allowed);
    }
    any
}

fn all_of(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut all = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        all &= one(words, allowed);
    }
    all
}

fn one(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let inner = any_of(words, allowed);
            *words = words.strip_prefix(&[")"]).expect("the parenthesis ends");
            inner
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(&*format!("{licence} WITH {exception}"))
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.contains(licence)
        }
        [] => panic!("a licence is missing"),
    }
}

#[test]
fn each_comes_from_crates_io_and_has_a_licence_that_is_allowed() {
    let (allowed, banned) = (list("allow"), list("deny"));
    let mut wrong = Vec::new();
    let packages = packages();
    for package in &packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let (name, version, licence) = (text("name"), text("version"), text("license"));
        // Those of this repository have no source.
        if !matches!(text("source"), "" | CRATES_IO) {
            wrong.push(format!("{name} {version} comes from {}", text("source")));
        }
        if licence.is_empty() || !is_allowed(licence, &allowed) {
            wrong.push(format!("{name} {version} has the licence {licence:?}"));
        }
        if banned.contains(name) {
            wrong.push(format!("{name} {version} is banned"));
        }
    }
    assert!(packages.len() > 100 && allowed.len() > 5 && banned.len() > 2);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn licences_are_read_as_they_are_meant() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("MIT AND (GPL-3.0 OR ISC)", true),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("(GPL-3.0 OR MIT) AND Zlib", false),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
