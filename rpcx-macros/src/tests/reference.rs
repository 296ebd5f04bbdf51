//! The pages of the runtime's guide that come from this crate: the table of options, and what a
//! trait expands to.
//!
//! `BLESS=1 cargo test -p rpcx-macros` writes them anew.

use std::{env, fmt::Write, fs, path::PathBuf};

use proc_macro2::TokenStream;

use crate::{
    attr::{Kind, Level, Row, TABLE},
    entry,
};

#[test]
fn the_table_of_options_is_in_the_guide() {
    let mut page = OPTIONS.to_owned();
    page += "\n| option | on | value | default | effect |\n|---|---|---|---|---|\n";
    for row in TABLE {
        let (name, places, value) = (row.name, places(row), value(row));
        let Row { default, effect, .. } = row;
        writeln!(page, "| `{name}` | {places} | {value} | {default} | {effect} |").unwrap();
    }
    compare("options.md", &page);
}

#[test]
fn what_a_trait_expands_to_is_in_the_guide() {
    let source: TokenStream = SOURCE.parse().unwrap();
    let file: syn::File = syn::parse2(entry::service(&TokenStream::new(), &source)).unwrap();
    let code = prettyplease::unparse(&file);
    let page = format!(
        "{EXPANSION}\n```\n{TYPES}#[rpcx::service]\n{SOURCE}```\n\n{BECOMES}\n```text\n{code}```\n"
    );
    compare("expansion.md", &page);
}

#[test]
fn each_option_says_what_it_does() {
    for row in TABLE {
        assert!(!row.default.is_empty(), "{} has no default", row.name);
        assert!(row.effect.ends_with('.'), "{} has no sentence about its effect", row.name);
        assert!(!row.effect.contains('|') && !row.default.contains('|'), "{}", row.name);
    }
}

#[test]
fn each_option_has_an_example_that_compiles() {
    let guide = fs::read_to_string(page("services.md")).unwrap();
    let given: Vec<String> =
        attributes(&examples(&guide)).iter().flat_map(|text| words(text)).collect();
    for row in TABLE {
        assert!(given.iter().any(|word| word == row.name), "`{}` has no example", row.name);
    }
}

#[test]
fn the_changelog_names_each_option() {
    let root: PathBuf = env!("CARGO_MANIFEST_DIR").into();
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).unwrap();
    for row in TABLE {
        let name = format!("`{}`", row.name);
        let shown = changelog.contains(&name) || row.name == "other";
        assert!(shown, "the changelog does not name {name}");
    }
}

#[test]
fn links_within_the_guide_lead_to_headings() {
    let folder = page("");
    for entry in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for link in text.split("](crate::guide::").skip(1).filter_map(|rest| rest.split(')').next())
        {
            let Some((name, anchor)) = link.split_once('#') else { continue };
            let target = fs::read_to_string(page(&format!("{name}.md"))).unwrap();
            let found = target.lines().filter(|line| line.starts_with('#')).any(|heading| {
                let heading = heading.trim_start_matches('#').trim().to_lowercase();
                let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.collect::<String>().replace(' ', "-") == anchor
            });
            assert!(found, "no heading `{anchor}` in {name}.md");
        }
    }
}

fn places(row: &Row) -> String {
    let places = row.levels.iter().map(|level| match level {
        Level::Trait => "trait",
        Level::Method => "method",
        Level::Param => "parameter",
        Level::ErrorType => "error type",
        Level::Variant => "variant",
    });
    places.collect::<Vec<_>>().join(", ")
}

fn value(row: &Row) -> String {
    let example = row.example;
    match row.kind {
        Kind::Flag if example.is_empty() => "a flag".to_owned(),
        Kind::Flag => "`true`, `false`".to_owned(),
        Kind::Text => format!("a string, such as `{example}`"),
        Kind::Word { words, .. } => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word:?}`")).collect();
            words.join(", ")
        }
        Kind::List => format!("a string or a list, such as `{example}`"),
        Kind::Duration => format!("a duration, such as `{example}`"),
        Kind::Int => format!("a number, such as `{example}`"),
        Kind::Path => format!("a path, such as `{example}`"),
        Kind::Toggle => format!("`false`, or a name such as `{example}`"),
    }
}

/// The code of a page that is compiled.
fn examples(page: &str) -> String {
    let blocks = page.split("```").skip(1).step_by(2);
    let code = blocks.filter_map(|block| block.strip_prefix('\n'));
    code.collect::<Vec<_>>().join("\n")
}

/// What stands in the parentheses of `rpcx(…)` and `service(…)`.
fn attributes(code: &str) -> Vec<&str> {
    let starts = ["rpcx(", "service(", "service_error("]
        .into_iter()
        .flat_map(|start| code.match_indices(start).map(move |(at, _)| &code[at + start.len()..]));
    starts.map(|rest| rest.split_once(")]").map_or(rest, |(inside, _)| inside)).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    // Values in quotes are not names of options.
    let outside = text.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let split = |c: char| !c.is_alphanumeric() && c != '_';
    outside.split(split).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn page(name: &str) -> PathBuf {
    let root: PathBuf = env!("CARGO_MANIFEST_DIR").into();
    root.join("../rpcx-runtime/src/guide").join(name)
}

fn compare(name: &str, text: &str) {
    let path = page(name);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} differs: write it anew with BLESS=1");
}

const OPTIONS: &str = "\
The table of all options of `#[rpcx::service(…)]` and `#[rpcx(…)]`.

[`services`](crate::guide::services#options) shows each in use. An option is given once, in the parentheses of
either attribute. A flag is written as its name alone, or with `= true` or `= false`. A duration is made of
whole numbers with `ms`, `s`, `m` or `h`, such as `\"1m30s\"`, and is longer than zero. What a method says counts
more than what its trait says; builders and calls count more than both.
";

/// What the example needs, and does not show.
const TYPES: &str = "\
# use serde::{Deserialize, Serialize};
# #[derive(Serialize, Deserialize)] pub struct Args { a: i64, b: i64 }
# #[derive(Serialize, Deserialize)] pub struct Reply { c: i64 }
";

const EXPANSION: &str = "\
What a trait with one method expands to.

From
";

const BECOMES: &str = "\
`#[rpcx::service]` makes this, laid out here for reading. The names in `rpcx::__private` are for generated code
alone and may change with any release.
";

const SOURCE: &str = "\
/// Calculates.
pub trait Arith {
    /// Multiplies.
    #[rpcx(idempotent, timeout = \"2s\")]
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
}
";
