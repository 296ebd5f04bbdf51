//! How many connections a server takes unless it is told otherwise.

/// Gives the default: 10,000, or four fifths of the files that the process may have open, if that is less.
pub(super) fn connections() -> usize {
    let files = open_files().unwrap_or(usize::MAX);
    (files / 5 * 4).clamp(1, MOST)
}

/// Gives the soft limit of open files; `None` if there is none, or none that is known.
#[cfg(unix)]
fn open_files() -> Option<usize> {
    use nix::sys::resource::{Resource, getrlimit};
    let (soft, _hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    usize::try_from(soft).ok()
}

#[cfg(not(unix))]
fn open_files() -> Option<usize> {
    None
}

const MOST: usize = 10_000;
