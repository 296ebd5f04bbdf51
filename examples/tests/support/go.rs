//! The Go programs that tests face.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A Go module of `rpcx-runtime/tests`.
pub(crate) struct GoModule {
    path: &'static str,
    built: OnceLock<Result<PathBuf, String>>,
}

impl GoModule {
    pub(crate) const fn new(path: &'static str) -> Self {
        Self { path, built: OnceLock::new() }
    }

    /// Gives the folder of the module's programs, which are built once; `None` if the test is skipped.
    pub(crate) fn programs(&self, test: &str) -> Option<&Path> {
        match self.built.get_or_init(|| check_go().map(|()| build(self.path))) {
            Ok(folder) => Some(folder),
            Err(missing) => {
                let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!ci, "{missing}; the tests against Go rpcx do not skip where CI=true");
                // Not `eprintln`, which the test runner would keep to itself.
                let _ = writeln!(std::io::stderr(), "skipped {test}: {missing}");
                None
            }
        }
    }
}

/// Fails with a text that says what to install.
fn check_go() -> Result<(), String> {
    let wanted = format!("install Go {}.{} or newer", OLDEST_GO.0, OLDEST_GO.1);
    // In a folder without go.mod, so that Go tells its own version and fetches no other.
    let output = Command::new("go")
        .arg("version")
        .current_dir(std::env::temp_dir())
        .output()
        .map_err(|error| format!("cannot run `go` ({error}): {wanted}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match go_version(&text) {
        Some(version) if version >= OLDEST_GO => Ok(()),
        _ => Err(format!("`go version` says {:?}: {wanted}", text.trim())),
    }
}

/// Reads `go version go1.26.8 linux/amd64`.
fn go_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(2)?.strip_prefix("go")?.split('.');
    let mut next = || {
        let number = numbers.next()?;
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        number[..end].parse().ok()
    };
    Some((next()?, next()?))
}

#[test]
fn reads_versions_of_go() {
    for (text, version) in [
        ("go version go1.26.8 linux/amd64", Some((1, 26))),
        ("go version go1.27 darwin/arm64\n", Some((1, 27))),
        ("go version go1.30rc2 linux/amd64", Some((1, 30))),
        ("go version devel +abc", None),
        ("", None),
    ] {
        assert_eq!(go_version(text), version, "{text}");
    }
}

/// Builds the programs of a module.
fn build(module: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rpcx-runtime/tests").join(module);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(module);
    std::fs::create_dir_all(&folder).expect("the target folder takes a folder");
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(&folder)
        .arg("./cmd/...")
        .current_dir(&source)
        .output()
        .expect("Go has just told its version");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cannot build {}:\n{errors}", source.display());
    folder
}

/// What the modules ask for.
const OLDEST_GO: (u32, u32) = (1, 26);
