//! Our programs and those of Go rpcx 1.9.4, each as client of the other.
//!
//! The Go programs are built from `rpcx-runtime/tests/go-peer`, which needs Go. Without it a test
//! says that it was skipped and passes; where `CI` is `true` it fails.

#[path = "../../rpcx-runtime/tests/support/certificates.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod certificates;
#[path = "support/go.rs"]
mod go;
#[path = "support/socket.rs"]
mod socket;
mod support;

use std::path::Path;

use certificates::{Authority, Folder, Pair};
use go::GoModule;
use socket::socket_path;
use support::Program;

static GO_PEER: GoModule = GoModule::new("go-peer");

const FAULTS: &str = env!("CARGO_BIN_EXE_faults");
const INTEROP_CLIENT: &str = env!("CARGO_BIN_EXE_interop-client");
const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

/// How the two meet.
enum Meeting {
    Tcp,
    TcpWithToken,
    /// Through interceptors of our server.
    TcpIntercepted,
    Unix,
    Tls,
    /// Both sides show a certificate.
    MutualTls,
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

/// Go's client behind the proxy that knows messages, which come in pieces both ways.
#[test]
fn go_calls_ours_through_a_proxy() {
    let test = "go_calls_ours_through_a_proxy";
    let Some(folder) = GO_PEER.programs(test) else { return };
    let server = Program::start(INTEROP_SERVER, &["--addr", "127.0.0.1:0"]);
    let address = server.wait_for("listening on");
    let (_, to) = address.split_once('@').expect("an address has a network");
    let rules = ["--rule", "request one-in 3 slice 700 0", "--rule", "reply one-in 3 slice 700 0"];
    let proxy = Program::start(FAULTS, &[&["--to", to, "--seed", "1"], &rules[..]].concat());
    let addr = proxy.wait_for("listening on");
    check_passed(&folder.join("go-client"), &["-addr".to_owned(), addr]);
    server.stop().expect_success();
    let counts = proxy.stop().expect_success().output.pop().expect("the counts");
    assert!(counts.contains(" slice"), "{counts}");
}

#[test]
fn go_calls_ours_over_tls() {
    go_calls_ours("go_calls_ours_over_tls", &Meeting::Tls);
}

#[test]
fn go_calls_ours_over_mutual_tls() {
    go_calls_ours("go_calls_ours_over_mutual_tls", &Meeting::MutualTls);
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

#[test]
fn ours_calls_go_over_tls() {
    ours_calls_go("ours_calls_go_over_tls", &Meeting::Tls);
}

#[test]
fn ours_calls_go_over_mutual_tls() {
    ours_calls_go("ours_calls_go_over_mutual_tls", &Meeting::MutualTls);
}

/// Who of the two speaks TLS as it should, and what our client says of the other.
#[test]
fn our_client_tells_what_go_s_server_wants() {
    let Some(folder) = GO_PEER.programs("our_client_tells_what_go_s_server_wants") else { return };
    let files = Certificates::new();
    for (server, client, expected) in [
        (
            files.options("-", &["cert", "key", "ca"], "server"),
            files.options("--", &["ca"], "client"),
            "TLS: the server refuses: CertificateRequired, it asks for a certificate",
        ),
        (
            files.options("-", &["cert", "key"], "server"),
            files.options("--", &["ca"], "stranger"),
            "TLS: none of the given authorities signed the server's certificate",
        ),
        (Vec::new(), files.options("--", &["ca"], "client"), "perhaps it does not speak TLS"),
    ] {
        let listen = [vec!["-addr".to_owned(), "127.0.0.1:0".to_owned()], server].concat();
        let server = Program::start(folder.join("go-server"), &as_strs(&listen));
        let address = server.wait_for("ready");
        let only = ["--addr", &address, "--only", "codecs/echo_raw"].map(str::to_owned);
        let ended =
            Program::run(Path::new(INTEROP_CLIENT), &as_strs(&[only.to_vec(), client].concat()));
        let told = ended.output.first().map_or("", String::as_str);
        assert!(told.starts_with("FAIL") && told.contains(expected), "{told}");
        server.stop().expect_success();
    }
}

fn go_calls_ours(test: &str, meeting: &Meeting) {
    let Some(folder) = GO_PEER.programs(test) else { return };
    let files = Certificates::new();
    let (listen, token) = meeting.server(test, ["--addr", "--network", "--auth"]);
    let listen = [listen, meeting.server_files(&files, "--")].concat();
    let server = Program::start(INTEROP_SERVER, &as_strs(&listen));
    let address = server.wait_for("listening on");
    let (_, addr) = address.split_once('@').expect("an address has a network");
    server.wait_for("ready");
    let options = meeting.client(addr, token, ["-addr", "-network", "-token"]);
    let options = [options, meeting.client_files(&files, "-")].concat();
    check_passed(&folder.join("go-client"), &options);
    server.stop().expect_success();
}

fn ours_calls_go(test: &str, meeting: &Meeting) {
    let Some(folder) = GO_PEER.programs(test) else { return };
    let files = Certificates::new();
    let (listen, token) = meeting.server(test, ["-addr", "-network", "-auth"]);
    let listen = [listen, meeting.server_files(&files, "-")].concat();
    let server = Program::start(folder.join("go-server"), &as_strs(&listen));
    // The address follows if the system chose a port.
    let ready = server.wait_for("ready");
    let addr = if ready.is_empty() { &listen[1] } else { &ready };
    let options = meeting.client(addr, token, ["--addr", "--network", "--token"]);
    let options = [options, meeting.client_files(&files, "--")].concat();
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
            Self::TcpIntercepted => (&[addr, "127.0.0.1:0", "--interceptors"], None),
            Self::Tcp | Self::Tls | Self::MutualTls => (&[addr, "127.0.0.1:0"], None),
            Self::TcpWithToken => (&[addr, "127.0.0.1:0", auth, "secret"], Some("secret")),
            Self::Unix => (&[addr, path, network, "unix"], None),
        };
        (options.iter().map(|&option| option.to_owned()).collect(), token)
    }

    /// Gives the files that a server is told of.
    fn server_files(&self, files: &Certificates, dashes: &str) -> Vec<String> {
        match self {
            Self::Tls => files.options(dashes, &["cert", "key"], "server"),
            Self::MutualTls => files.options(dashes, &["cert", "key", "ca"], "server"),
            _ => Vec::new(),
        }
    }

    /// Gives the files that a client is told of.
    fn client_files(&self, files: &Certificates, dashes: &str) -> Vec<String> {
        match self {
            Self::Tls => files.options(dashes, &["ca"], "client"),
            Self::MutualTls => files.options(dashes, &["ca", "cert", "key"], "client"),
            _ => Vec::new(),
        }
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

/// The files of a server, of a client, and of a client that trusts another authority.
struct Certificates(Folder);

impl Certificates {
    fn new() -> Self {
        let (authority, other) = (Authority::new("one"), Authority::new("another"));
        let folder = Folder::new();
        for (name, authority, hosts) in [
            ("server", &authority, &["127.0.0.1"]),
            ("client", &authority, &["client.internal"]),
            ("stranger", &other, &["client.internal"]),
        ] {
            let Pair { certificate, key } = authority.sign(hosts);
            folder.write(&format!("{name}.ca"), authority.certificate());
            folder.write(&format!("{name}.cert"), &certificate);
            folder.write(&format!("{name}.key"), &key);
        }
        Self(folder)
    }

    /// Gives options with the files of `whose`.
    fn options(&self, dashes: &str, names: &[&str], whose: &str) -> Vec<String> {
        let file = |name| self.0.path().join(format!("{whose}.{name}"));
        let path = |name| file(name).to_str().expect("the path is text").to_owned();
        names.iter().flat_map(|name| [format!("{dashes}{name}"), path(name)]).collect()
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
