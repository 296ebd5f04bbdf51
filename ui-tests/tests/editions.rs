//! The editions of Rust that services may be written in: programs of `pass`, compiled in the older ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs with much in them that an edition could see in another way.
const PROGRAMS: [&str; 6] = [
    "arguments",
    "attribute_orders",
    "context",
    "generic_traits",
    "raw_identifiers",
    "shadowed_names",
];

#[test]
fn services_compile_in_older_editions() {
    for edition in ["2018", "2021"] {
        let project = project(edition);
        let checked = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--bins"])
            .env("CARGO_TARGET_DIR", temporary().join("target"))
            .current_dir(&project)
            .output()
            .expect("cargo runs");
        let errors = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "edition {edition}:\n{errors}");
    }
}

/// Writes a package with all programs.
fn project(edition: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = temporary().join(edition);
    let programs = project.join("src/bin");
    fs::create_dir_all(&programs).expect("a folder for the programs");
    for program in PROGRAMS {
        let source = here.join("tests/pass").join(program).with_extension("rs");
        fs::copy(source, programs.join(program).with_extension("rs"))
            .expect("the program is there");
    }
    // The versions that are at hand: nothing has to be fetched.
    fs::copy(here.join("../Cargo.lock"), project.join("Cargo.lock")).expect("the lock is there");
    let manifest = MANIFEST
        .replace("EDITION", edition)
        .replace("RUNTIME", &here.join("../rpcx-runtime").display().to_string().replace('\\', "/"));
    fs::write(project.join("Cargo.toml"), manifest).expect("a manifest");
    project
}

fn temporary() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("editions")
}

const MANIFEST: &str = r#"
[package]
name = "editions"
version = "0.0.0"
edition = "EDITION"

[dependencies]
rpcx-runtime = { path = "RUNTIME" }
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["macros", "rt"] }

[workspace]
"#;
