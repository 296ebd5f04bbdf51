//! Programs that a test starts, reads and ends.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A program that runs; it is killed when dropped.
pub(crate) struct Program {
    name: String,
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Its lines of output that were not waited for.
    pub(crate) output: Vec<String>,
    /// Its lines of standard error.
    pub(crate) errors: Vec<String>,
}

impl Program {
    pub(crate) fn start(program: impl AsRef<Path>, arguments: &[&str]) -> Self {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).stdin(Stdio::null());
        Self::start_command(&mut command)
    }

    /// Starts a program with what only a command can say.
    pub(crate) fn start_command(command: &mut Command) -> Self {
        let program = Path::new(command.get_program()).to_owned();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let output = lines(child.stdout.take().expect("stdout is piped"));
        let errors = lines(child.stderr.take().expect("stderr is piped"));
        let name = program.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
        Self { name, child, output, errors }
    }

    /// Closes the program's input, if it is piped, and waits until the program has ended.
    #[allow(dead_code, reason = "each test file is a crate and uses some of it")]
    pub(crate) fn close_input(mut self) -> Ended {
        drop(self.child.stdin.take());
        self.end()
    }

    /// Gives the number of the program's process.
    #[allow(dead_code, reason = "each test file is a crate and uses some of it")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs a program to its end.
    pub(crate) fn run(program: impl AsRef<Path>, arguments: &[&str]) -> Ended {
        Self::start(program, arguments).end()
    }

    /// Waits for a line that begins with `start`; gives the rest of it.
    pub(crate) fn wait_for(&self, start: &str) -> String {
        self.wait_until(start, |line| line.strip_prefix(start).map(|rest| rest.trim().to_owned()))
    }

    /// Waits for a line in which `find` finds something; `what` is for the case that none comes.
    pub(crate) fn wait_until<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let mut passed = Vec::new();
        loop {
            match self.output.recv_timeout(SAFETY) {
                Ok(line) => match find(&line) {
                    Some(found) => return found,
                    None => passed.push(line),
                },
                Err(error) => {
                    let said: Vec<_> = self.errors.try_iter().collect();
                    let name = &self.name;
                    panic!("{name} did not print `{what}`: {error}; {passed:#?}; stderr: {said:#?}")
                }
            }
        }
    }

    /// Asks the program to stop, as a terminal or a service manager does, and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::SIGTERM);
        self.end()
    }

    /// Kills the program, which has no time to say goodbye.
    #[allow(dead_code, reason = "each test file is a crate and uses some of it")]
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().try_into().expect("process ids are positive");
        kill(Pid::from_raw(id), signal).expect("the program runs");
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn end(mut self) -> Ended {
        let output = self.rest(&self.output);
        let errors = self.rest(&self.errors);
        let status = self.child.wait().expect("the program is our child");
        Ended { status, output, errors }
    }

    /// Collects lines until the program closes the stream, which it does at the latest when it ends.
    fn rest(&self, lines: &Receiver<String>) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            match lines.recv_timeout(SAFETY) {
                Ok(line) => all.push(line),
                Err(RecvTimeoutError::Disconnected) => return all,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} printed nothing more and did not end; so far {all:#?}", self.name)
                }
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if it has ended, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails unless the program ended well.
    pub(crate) fn expect_success(self) -> Self {
        let Self { status, output, errors } = &self;
        assert!(status.success(), "{status}; stdout: {output:#?}; stderr: {errors:#?}");
        self
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        // The test may have ended: then nobody listens.
        let _ = lines.map(|line| sender.send(line)).take_while(Result::is_ok).count();
    });
    receiver
}

/// How long a line may take. It never decides a test that passes.
const SAFETY: Duration = Duration::from_secs(60);
