//! Packages that a test writes and has checked: for what one package alone does not show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package below the test's folder.
pub(crate) struct Package {
    folder: PathBuf,
}

impl Package {
    /// Writes the manifest; `dependencies` are its lines, in which `RUNTIME` stands for the runtime's path.
    pub(crate) fn new(name: &str, edition: &str, dependencies: &str) -> Self {
        let folder = temporary().join(name).join(edition);
        fs::create_dir_all(folder.join("src/bin")).expect("a folder for the sources");
        // The versions that are at hand: nothing has to be fetched.
        fs::copy(here().join("../Cargo.lock"), folder.join("Cargo.lock")).expect("a lock");
        let runtime = here().join("../rpcx-runtime").display().to_string().replace('\\', "/");
        let dependencies = dependencies.replace("RUNTIME", &runtime);
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = {edition:?}\n\n\
             [dependencies]\n{dependencies}\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
        Self { folder }
    }

    /// Writes a file below `src`.
    pub(crate) fn source(self, path: &str, text: &str) -> Self {
        fs::write(self.folder.join("src").join(path), text).expect("a source");
        self
    }

    /// Runs a command of cargo; gives its errors, if there are any.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<(), String> {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .env("CARGO_TARGET_DIR", temporary().join("target"))
            .current_dir(&self.folder)
            .output()
            .expect("cargo runs");
        let errors = || String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(errors()) }
    }
}

/// The folder of this package.
pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn temporary() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages")
}
