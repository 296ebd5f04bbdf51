//! Our programs and those of Go rpcx 1.9.4, each as client of the other.
//!
//! The Go programs are built from `rpcx-runtime/tests/go-peer`, which needs Go. Without it a test
//! says that it was skipped and passes; where `CI` is `true` it fails.

#[path = "support/go.rs"]
mod go;
#[path = "support/socket.rs"]
mod socket;
mod support;

use std::path::Path;

use go::GoModule;
use socket::socket_path;
use support::Program;

static GO_PEER: GoModule = GoModule::new("go-peer");

const INTEROP_CLIENT: &str = env!("CARGO_BIN_EXE_interop-client");
const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

/// How the two meet.
enum Meeting {
    Tcp,
    TcpWithToken,
    /// Through interceptors of our server.
    TcpIntercepted,
    Unix,
}

#[test]
fn go_calls_ours_over_tcp() {
    go_calls_ours("go_calls_ours_over_tcp", &Meeting::Tcp);
}

#[test]
fn go_calls_ours_with_a_token() {
    go_calls_ours("go_calls_ours_with_a_token", &Meeting::TcpWithToken);
}

#[test]
fn go_calls_ours_through_interceptors() {
    go_calls_ours("go_calls_ours_through_interceptors", &Meeting::TcpIntercepted);
}

#[test]
fn go_calls_ours_over_unix() {
    go_calls_ours("go_calls_ours_over_unix", &Meeting::Unix);
}

#[test]
fn ours_calls_go_over_tcp() {
    ours_calls_go("ours_calls_go_over_tcp", &Meeting::Tcp);
}

#[test]
fn ours_calls_go_with_a_token() {
    ours_calls_go("ours_calls_go_with_a_token", &Meeting::TcpWithToken);
}

#[test]
fn ours_calls_go_over_unix() {
    ours_calls_go("ours_calls_go_over_unix", &Meeting::Unix);
}

fn go_calls_ours(test: &str, meeting: &Meeting) {
    let Some(folder) = GO_PEER.programs(test) else { return };
    let (listen, token) = meeting.server(test, ["--addr", "--network", "--auth"]);
    let server = Program::start(INTEROP_SERVER, &as_strs(&listen));
    let address = server.wait_for("listening on");
    let (_, addr) = address.split_once('@').expect("an address has a network");
    server.wait_for("ready");
    let options = meeting.client(addr, token, ["-addr", "-network", "-token"]);
    check_passed(&folder.join("go-client"), &options);
    server.stop().expect_success();
}

fn ours_calls_go(test: &str, meeting: &Meeting) {
    let Some(folder) = GO_PEER.programs(test) else { return };
    let (listen, token) = meeting.server(test, ["-addr", "-network", "-auth"]);
    let server = Program::start(folder.join("go-server"), &as_strs(&listen));
    // The address follows if the system chose a port.
    let ready = server.wait_for("ready");
    let addr = if ready.is_empty() { &listen[1] } else { &ready };
    let options = meeting.client(addr, token, ["--addr", "--network", "--token"]);
    check_passed(Path::new(INTEROP_CLIENT), &options);
    server.stop().expect_success();
}

impl Meeting {
    /// Gives a server's options, the address first, and the token.
    fn server(&self, test: &str, names: [&str; 3]) -> (Vec<String>, Option<&'static str>) {
        let [addr, network, auth] = names;
        let path = socket_path(test);
        let path = path.to_str().expect("the folder for temporary files has a name of text");
        let (options, token): (&[&str], _) = match self {
            Self::Tcp => (&[addr, "127.0.0.1:0"], None),
            Self::TcpIntercepted => (&[addr, "127.0.0.1:0", "--interceptors"], None),
            Self::TcpWithToken => (&[addr, "127.0.0.1:0", auth, "secret"], Some("secret")),
            Self::Unix => (&[addr, path, network, "unix"], None),
        };
        (options.iter().map(|&option| option.to_owned()).collect(), token)
    }

    fn client(&self, address: &str, token: Option<&str>, names: [&str; 3]) -> Vec<String> {
        let [addr, network, token_name] = names;
        let mut options = vec![addr, address];
        if let Self::Unix = self {
            options.extend([network, "unix"]);
        }
        options.extend(token.into_iter().flat_map(|token| [token_name, token]));
        options.into_iter().map(str::to_owned).collect()
    }
}

/// Runs a client; fails unless it ran checks and all of them passed.
fn check_passed(client: &Path, options: &[String]) {
    let ended = Program::run(client, &as_strs(options));
    let failed: Vec<_> = ended.output.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let last = ended.output.last().map_or("", String::as_str);
    let passed = last.strip_suffix(" passed, 0 failed").and_then(|passed| passed.parse().ok());
    assert!(passed.is_some_and(|passed: usize| passed > 30), "{ended:#?}");
    ended.expect_success();
}

fn as_strs(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}
