//! Where a server listens, and what keeps it from listening.

mod support;

use std::error::Error as _;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rpcx::transport::Listener;
use rpcx::{Network, Server};

use support::{Answer, Frame, Raw, Running, TCP, Tester, memory_address, soon};

/// A service beside `Arith`.
#[rpcx::service]
trait Second {
    /// Adds 1.
    async fn next(&self, number: i64) -> rpcx::Result<i64>;
}

struct Counter;

impl Second for Counter {
    async fn next(&self, number: i64) -> rpcx::Result<i64> {
        Ok(number + 1)
    }
}

fn second() -> SecondServer<Counter> {
    SecondServer::new(Counter)
}

/// A path in the directory for temporary files, short enough for a socket.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rpcx-{}-{number}.sock", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn address(&self) -> String {
        format!("unix@{}", self.0.display())
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_order_of_services_and_settings_does_not_matter() {
    for server in [
        Server::new().add(Tester::service()).add(second()).max_in_flight(2),
        Server::new().max_in_flight(2).add(second()).add(Tester::service()),
        Server::new().add(second()).max_in_flight(2).add(Tester::service()),
    ] {
        let running = Running::in_memory(server).await;
        let mut raw = Raw::connect(running.address()).await;
        assert_eq!(raw.call(&Frame::mul(1)).await, Answer::forty_two(1));
        let next = Frame { path: b"Second".to_vec(), ..Frame::call(2, "Next", &7) };
        assert_eq!(raw.call(&next).await, Answer::ok(2, [8]));
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_reported_at_once() {
    let server = Server::new().add(Tester::service()).add(second()).add(Tester::service());
    let error = server.bind("pigeon@roof").await.unwrap_err();
    let problems = [
        "two services have the name `Arith`",
        "\"pigeon@roof\" is no address: unknown network `pigeon` (known: tcp, unix, memory)",
    ];
    assert_eq!(error.problems(), problems);
    assert_eq!(error.to_string(), problems.join("; "));
}

#[tokio::test]
async fn a_server_with_a_problem_does_not_listen() {
    let address = memory_address();
    let server = Server::new().add(second()).add(second());
    assert_eq!(server.bind(&address).await.unwrap_err().problems().len(), 1);
    // The name is free.
    Running::at(&address, Server::new()).await;
}

#[tokio::test]
async fn port_zero_becomes_the_port_that_the_system_chose() {
    let bound = Server::new().add(Tester::service()).bind(TCP).await.unwrap();
    let address = bound.local_addr().clone();
    assert_eq!(address.network(), Network::Tcp);
    let port = address.target().strip_prefix("127.0.0.1:").unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    // A client may connect before the server serves.
    let mut raw = Raw::connect(&address.to_string()).await;
    let _server = tokio::spawn(bound.serve());
    raw.expect_serves().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_with_its_cause() {
    let socket = SocketPath::new();
    for address in [TCP, &memory_address(), &socket.address()] {
        let running = Running::at(address, Server::new().add(Tester::service())).await;
        let address = running.address();
        let error = Server::new().bind(address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
        let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(std::io::Error::kind), Some(ErrorKind::AddrInUse));
        Raw::connect(address).await.expect_serves().await;
    }
}

#[tokio::test]
async fn an_address_is_free_again_once_the_server_has_ended() {
    let socket = SocketPath::new();
    for address in [TCP, &memory_address(), &socket.address()] {
        let first = Running::at(address, Server::new().add(Tester::service())).await;
        let address = first.address().to_owned();
        Raw::connect(&address).await.expect_serves().await;
        soon(first.stop()).await.unwrap();
        let second = Running::at(&address, Server::new().add(Tester::service())).await;
        Raw::connect(&address).await.expect_serves().await;
        second.abort().await;
        Running::at(&address, Server::new()).await;
    }
}

#[tokio::test]
async fn a_socket_file_is_gone_once_the_server_has_ended() {
    let socket = SocketPath::new();
    let running = Running::at(&socket.address(), Server::new().add(Tester::service())).await;
    assert!(socket.0.exists());
    Raw::connect(&socket.address()).await.expect_serves().await;
    soon(running.stop()).await.unwrap();
    assert!(!socket.0.exists());
}

#[tokio::test]
async fn a_socket_file_of_a_dead_server_is_replaced() {
    let socket = SocketPath::new();
    drop(std::os::unix::net::UnixListener::bind(&socket.0).unwrap());
    assert!(socket.0.exists());
    let _running = Running::at(&socket.address(), Server::new().add(Tester::service())).await;
    Raw::connect(&socket.address()).await.expect_serves().await;
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_never_replaced() {
    let socket = SocketPath::new();
    std::fs::write(&socket.0, "precious").unwrap();
    let error = Server::new().bind(&socket.address()).await.unwrap_err();
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(ErrorKind::AddrInUse));
    assert_eq!(std::fs::read_to_string(&socket.0).unwrap(), "precious");
}

#[tokio::test(start_paused = true)]
async fn clients_beyond_max_connections_wait_until_one_leaves() {
    let server = Server::new().add(Tester::service()).max_connections(2);
    let running = Running::in_memory(server).await;
    let mut first = Raw::connect(running.address()).await;
    let mut second = Raw::connect(running.address()).await;
    let mut third = Raw::connect(running.address()).await;
    third.send(&Frame::mul(1)).await;
    first.expect_serves().await;
    second.expect_serves().await;
    third.expect_silence().await;
    drop(first);
    assert_eq!(third.answer().await, Answer::forty_two(1));
    second.expect_serves().await;
}

#[tokio::test]
async fn a_name_that_no_registry_takes_is_reported_if_it_is_to_be_registered() {
    let server = || Server::new().add_as("", second()).add_as("a/b", second());
    let registry = rpcx::registry::InProcess::new();
    let error = server().registry(registry).bind(&memory_address()).await.unwrap_err();
    let problems = ["the service has no name", "the service name `a/b` has a `/`"];
    assert_eq!(error.problems(), problems);
    drop(server().bind(&memory_address()).await.unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn servers_that_say_so_share_a_port() {
    let server = || Server::new().add(Tester::service()).reuse_port();
    let first = Running::on_tcp(server()).await;
    let address = first.address().to_owned();
    let second = Running::at(&address, server()).await;
    let error = Server::new().bind(&address).await.unwrap_err();
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(ErrorKind::AddrInUse));
    for _ in 0..20 {
        Raw::connect(&address).await.expect_serves().await;
    }
    // Whoever stays has all of them.
    soon(first.stop()).await.unwrap();
    for _ in 0..20 {
        Raw::connect(&address).await.expect_serves().await;
    }
    soon(second.stop()).await.unwrap();
}

#[tokio::test]
async fn only_tcp_ports_are_shared() {
    let socket = SocketPath::new();
    for address in [memory_address(), socket.address()] {
        let error = Server::new().reuse_port().bind(&address).await.unwrap_err();
        let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(std::io::Error::kind), Some(ErrorKind::Unsupported));
        assert_eq!(source.unwrap().to_string(), "only a TCP port can be shared");
    }
}

#[tokio::test]
async fn an_inherited_socket_outlives_its_servers() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp@{}", socket.local_addr().unwrap());
    for _ in 0..2 {
        // Clients that come while nobody serves wait.
        let mut raw = Raw::connect(&address).await;
        let listener = Listener::from_std(socket.try_clone().unwrap()).unwrap();
        let bound = Server::new().add(Tester::service()).bind_to(listener).unwrap();
        assert_eq!(bound.local_addr().to_string(), address);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let server = tokio::spawn(bound.serve_until(async { stopped.await.unwrap() }));
        raw.expect_serves().await;
        stop.send(()).unwrap();
        raw.expect_end().await;
        soon(server).await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_of_an_inherited_socket_stays() {
    let path = SocketPath::new();
    let socket = std::os::unix::net::UnixListener::bind(&path.0).unwrap();
    for _ in 0..2 {
        let mut raw = Raw::connect(&path.address()).await;
        let listener = Listener::from_std_unix(socket.try_clone().unwrap()).unwrap();
        let bound = Server::new().add(Tester::service()).bind_to(listener).unwrap();
        assert_eq!(bound.local_addr().to_string(), path.address());
        let server = tokio::spawn(bound.serve());
        raw.expect_serves().await;
        server.abort();
        raw.expect_end().await;
        assert!(path.0.exists());
    }
}
