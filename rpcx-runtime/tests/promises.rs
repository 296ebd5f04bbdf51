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
        let function = format!("fn {test}(");
        let found = sources.iter().any(|source| {
            fs::read_to_string(source).expect("a file of this repository").contains(&function)
        });
        assert!(found, "`{file}` has no test `{test}`");
    }
    assert!(named > 40, "{named}");
}

/// Finds the files of a test program, here or among the examples.
fn sources_of(name: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for tests in [here.join("tests"), here.join("../examples/tests")] {
        let file = tests.join(format!("{name}.rs"));
        if file.is_file() {
            return vec![file];
        }
        if let Ok(entries) = fs::read_dir(tests.join(name)) {
            return entries.map(|entry| entry.expect("it can be listed").path()).collect();
        }
    }
    Vec::new()
}
