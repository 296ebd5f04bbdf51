//! Checks of any server that offers the services of [`interop`](crate::interop), Go's or ours.
//!
//! One topic a file, each with its table of checks. Most calls go through the generated clients;
//! where a header or the order of frames matters, frames are written to a raw socket, or a
//! tap looks at what the client and the server send. A check asks for what Go rpcx 1.9.4 and
//! this crate both promise, and nothing else.

mod auth;
mod codecs;
mod compression;
mod concurrency;
mod connections;
mod deadlines;
mod errors;
mod frames;
mod heartbeat;
mod metadata;
mod oneway;
mod push;
mod raw;
mod tap;
mod target;

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use target::Target;

/// Why a check failed.
pub type Failure = Box<dyn Error + Send + Sync>;

/// One thing that a server has to do.
#[derive(Debug)]
pub struct Check {
    name: &'static str,
    run: Run,
}

type Run = fn(Target) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

impl Check {
    /// Lists the checks that suit a server, in the order in which they are run.
    pub fn all(target: &Target) -> impl Iterator<Item = &'static Self> {
        let auth = if target.has_token() { auth::CHECKS } else { &[] };
        let hidden = if target.has_tls() { LOOK_AT_FRAMES } else { &[] };
        let checks = TOPICS.into_iter().flatten().chain(auth);
        checks.filter(|check| !hidden.iter().any(|pattern| check.fits(pattern)))
    }

    /// Gives the name: `topic/what`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tells whether a pattern means this check: its name, its topic, or a beginning and `*`.
    pub fn fits(&self, pattern: &str) -> bool {
        if let Some(beginning) = pattern.strip_suffix('*') {
            return self.name.starts_with(beginning);
        }
        let topic = self.name.split_once('/').map(|(topic, _)| topic);
        pattern == self.name || Some(pattern) == topic
    }

    /// Runs the check.
    ///
    /// # Errors
    ///
    /// What went wrong; also if the check panicked or took longer than a minute.
    pub async fn run(&self, target: Target) -> Result<(), Failure> {
        let mut task = tokio::spawn((self.run)(target));
        if let Ok(result) = tokio::time::timeout(LIMIT, &mut task).await {
            return result?;
        }
        task.abort();
        Err(format!("no result within {LIMIT:?}").into())
    }
}

/// Fails unless what was found is what is wanted.
fn same<T: Copy + Debug + PartialEq>(what: &str, found: T, wanted: T) -> Result<(), Failure> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, wanted {wanted:?}").into())
}

/// Fails with what `what` says unless `holds`.
fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(what().into()) }
}

/// Makes bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    // The generator of Knuth's MMIX; its high bits are good enough.
    let mut state = len as u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(&mut next).take(len).collect()
}

/// Names a check and the call that runs it, on a target that is passed first.
macro_rules! check {
    ($name:literal, $function:ident($($argument:expr),*)) => {
        $crate::interop_checks::Check {
            name: $name,
            run: |target| Box::pin($function(target $(, $argument)*)),
        }
    };
}
use check;

const TOPICS: [&[Check]; 11] = [
    codecs::CHECKS,
    compression::CHECKS,
    errors::CHECKS,
    metadata::CHECKS,
    deadlines::CHECKS,
    oneway::CHECKS,
    heartbeat::CHECKS,
    frames::CHECKS,
    concurrency::CHECKS,
    push::CHECKS,
    connections::CHECKS,
];

/// What sees or writes frames, which is not possible on a connection with TLS.
const LOOK_AT_FRAMES: &[&str] = &[
    "auth/wrong_*",
    "auth/missing_*",
    "auth/not_for_heartbeats",
    "codecs/mul_msgpack*",
    "codecs/mul_json*",
    "compression",
    "connections/first_call_connects",
    "connections/lost_one_is_opened_again",
    "deadlines/client_tells_the_server",
    "deadlines/late_reply_is_ignored",
    "deadlines/server",
    "deadlines/unreadable_is_ignored",
    "errors/unknown_service*",
    "errors/service_case",
    "errors/empty_*",
    "errors/unknown_method",
    "errors/method_case",
    "errors/unknown_codec",
    "errors/bad_payload",
    "frames",
    "heartbeat",
    "oneway/no_answer*",
    "push/three_in_order",
];

/// How long a check may take: none takes a tenth of it on an idle machine.
const LIMIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let target = Target::new("tcp", "localhost:1", Some("t".to_owned()), None);
        let names: Vec<_> = Check::all(&target).map(Check::name).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn a_pattern_is_a_name_a_topic_or_a_beginning() {
        let check = &codecs::CHECKS[0];
        for pattern in [check.name(), "codecs", "codecs/*", "co*", "*"] {
            assert!(check.fits(pattern), "{pattern}");
        }
        for pattern in ["code", "codecs/", "frames", "frames/*", ""] {
            assert!(!check.fits(pattern), "{pattern}");
        }
    }
}
