//! The guide to what is promised names tests: each of them is there.

use std::fs;
use std::path::{Path, PathBuf};

const GUIDE: &str = include_str!("../src/guide/reliability.md");

#[test]
fn every_test_that_the_guide_names_exists() {
    let mut named = 0;
    for (file, test) in GUIDE.split('`').filter_map(|text| text.split_once("::")) {
        let is_name = |text: &str| {
            text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if !is_name(file) || !is_name(test) || test.is_empty() || file == "file" {
            continue;
        }
        named += 1;
        let sources = sources_of(file);
        assert!(!sources.is_empty(), "there is no test file `{file}`");
        // The rules of registries have a type of their own.
        let functions = [format!("fn {test}("), format!("fn {test}<")];
        let found = sources.iter().any(|source| {
            let source = fs::read_to_string(source).expect("a file of this repository");
            functions.iter().any(|function| source.contains(function))
        });
        assert!(found, "`{file}` has no test `{test}`");
    }
    assert!(named > 100, "{named}");
}

/// Finds the files of a test program, here or among the examples, or those of the rules of all registries.
fn sources_of(name: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if name == "contract" {
        return files_of(&here.join("tests/support/registry"));
    }
    for tests in [here.join("tests"), here.join("../examples/tests")] {
        let file = tests.join(format!("{name}.rs"));
        if file.is_file() {
            return vec![file];
        }
        let files = files_of(&tests.join(name));
        if !files.is_empty() {
            return files;
        }
    }
    Vec::new()
}

/// Lists a folder, if there is one.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}
