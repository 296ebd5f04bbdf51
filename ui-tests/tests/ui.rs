//! What the compiler says to correct and to mistaken uses of `#[rpcx::service]`.
//!
//! One case alone: `cargo test -p rpcx-ui-tests --test ui -- ui trybuild=not_async`. After a change
//! of messages, `TRYBUILD=overwrite` writes the expected texts anew; read them then.

use std::{env, fs, io, io::Write, path::Path, process::Command};

use trybuild::TestCases;

/// The messages in these folders are the macro's own: every compiler shows them alike.
const OURS: [&str; 6] = ["attr", "derive", "method", "param", "registry", "trait"];

/// The messages in these folders are the compiler's, about the generated code. Their wording
/// changes from version to version, so they are compared with one.
const THE_COMPILERS: [&str; 2] = ["types", "use"];

/// The version that wrote the expected texts of [`THE_COMPILERS`].
const PINNED: &str = "1.95.0";

#[test]
fn ui() {
    let cases = TestCases::new();
    cases.pass("tests/pass/*.rs");
    for topic in OURS {
        cases.compile_fail(format!("tests/fail/{topic}/*.rs"));
    }
    let version = compiler_version();
    for topic in THE_COMPILERS {
        if version == PINNED {
            cases.compile_fail(format!("tests/fail/{topic}/*.rs"));
        } else {
            skip(topic, &version);
        }
    }
}

/// The version in `rustc 1.95.0 (59807616e 2026-04-14)`.
fn compiler_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-V").output().expect("cargo runs with a compiler");
    let text = String::from_utf8(output.stdout).expect("rustc writes UTF-8");
    text.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Says by name which cases do not run: past the test harness, which would keep it to itself.
fn skip(topic: &str, version: &str) {
    let folder = Path::new("tests/fail").join(topic);
    let entries = fs::read_dir(&folder).expect("the folder of a topic exists");
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let case = path.display();
            let line =
                format!("skipped {case}: its text is that of rustc {PINNED}, this is {version}\n");
            io::stderr().write_all(line.as_bytes()).expect("the error output is open");
        }
    }
}
