//! Programs that inherit their socket.

use std::os::fd::OwnedFd;
use std::process::Command;

/// Starts a program as systemd does: the socket is descriptor 3, and the environment says so.
pub(crate) fn as_systemd_does(program: &str, name: &str, socket: OwnedFd) -> Command {
    // Only the shell knows the number of the process before the program runs.
    let script = "LISTEN_PID=$$ exec \"$0\" --addr - --inherited \"$1\" 3<&0 </dev/null";
    let mut command = Command::new("sh");
    command.args(["-c", script, program, name]).stdin(socket);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
    command
}
