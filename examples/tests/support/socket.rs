//! Sockets with a path.

use std::path::PathBuf;

/// Gives the path of a socket that does not exist; short enough to be one.
pub(crate) fn socket_path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("rpcx-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}
