//! What is traced on the test's own thread, as text.

use std::cell::RefCell;
use std::io::{Result, Write};

thread_local! {
    /// Each test has a thread of its own.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where a subscriber writes.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Gives what was traced so far, one text a line.
pub(crate) fn lines() -> Vec<String> {
    let text = LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap());
    text.lines().map(str::to_owned).collect()
}

/// The same since the last time.
pub(crate) fn take_lines() -> Vec<String> {
    let lines = lines();
    LOG.with_borrow_mut(Vec::clear);
    lines
}
