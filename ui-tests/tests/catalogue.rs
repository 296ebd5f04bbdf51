//! The rules that hold for the whole catalogue of mistakes: one mistake is one error, or two at most,
//! and it is shown in the code that the user wrote.

use std::fs;
use std::path::{Path, PathBuf};

/// So many mistakes the catalogue shows at least.
const AT_LEAST: usize = 120;

/// The errors that one case may have.
const AT_MOST: usize = 2;

/// Cases that make several mistakes on purpose, each with how many those are.
const SEVERAL: [(&str, usize); 10] = [
    ("attr/gos_words", 3),
    ("attr/governance_zero", 3),
    ("attr/retries_not_number", 3),
    ("attr/three_mistakes_at_once", 5),
    ("method/downstream_no_cascade", 3),
    ("registry/downstream_no_cascade", 3),
    ("registry/inprocess_entries", 3),
    ("registry/multiple_wrong", 11),
    ("registry/three_mistakes_at_once", 5),
    ("types/mock_and_dyn_tell_nothing_twice", 3),
];

#[test]
fn there_are_many_cases_and_each_has_its_text() {
    let cases = cases();
    assert!(cases.len() >= AT_LEAST, "{} cases", cases.len());
    for (name, text) in &cases {
        assert!(errors(text) > 0, "{name} shows no error");
    }
    for (name, _) in SEVERAL {
        assert!(cases.iter().any(|(case, _)| case == name), "{name} is gone");
    }
}

#[test]
fn a_mistake_is_one_error_or_two() {
    for (name, text) in cases() {
        let shown = errors(&text);
        match SEVERAL.iter().find(|(case, _)| *case == name) {
            Some((_, mistakes)) => assert_eq!(shown, *mistakes, "{name}"),
            None => assert!(shown <= AT_MOST, "{name} shows {shown} errors"),
        }
    }
}

#[test]
fn each_error_is_shown_in_the_code_that_the_user_wrote() {
    for (name, text) in cases() {
        let here = format!("tests/fail/{name}.rs:");
        for error in text.split("\nerror") {
            let first = error.lines().find_map(place).expect("an error has a place");
            assert!(first.starts_with(&here), "{name} is shown at {first}");
        }
        // What follows may tell what the runtime asks for.
        for place in text.lines().filter_map(place) {
            let asks = place.starts_with("$WORKSPACE/rpcx-runtime/src/");
            assert!(asks || place.starts_with(&here), "{name} shows {place}");
        }
    }
}

#[test]
fn no_text_names_what_the_user_did_not_write() {
    for (name, text) in cases() {
        // The compiler adds by itself which macro an error comes from.
        for line in text.lines().filter(|line| !line.contains("this error originates in")) {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            for word in words.filter(|word| word.starts_with("__")) {
                let known = word == "__private" || word.chars().all(|c| c == '_');
                assert!(known, "{name} names `{word}`");
            }
        }
    }
}

/// The place in a line such as ` --> tests/fail/attr/value_missing.rs:2:8`.
fn place(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("--> ").or_else(|| line.strip_prefix("::: "))
}

/// Warnings too: none is of use beside an error.
fn errors(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("error") || line.starts_with("warning")).count()
}

/// All cases, `topic/name`, with the text that the compiler shows.
fn cases() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fail");
    let mut cases = Vec::new();
    for topic in entries(&root) {
        for file in entries(&topic).iter().filter(|file| has_extension(file, "rs")) {
            let name = file.with_extension("");
            let name = name.strip_prefix(&root).expect("it is below").display().to_string();
            let text = fs::read_to_string(file.with_extension("stderr"));
            let text = text.unwrap_or_else(|error| panic!("the text of {name}: {error}"));
            cases.push((name.replace('\\', "/"), text));
        }
    }
    cases
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}
