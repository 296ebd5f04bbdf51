//! A way to a registry that counts who takes it.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A way to a registry, from an address of its own; it counts the connections.
pub(crate) struct Counter {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Counter {
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let (server, counted) = (server.to_owned(), Arc::clone(&connections));
        // It ends with the process: nobody can wake it from waiting for the next connection.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(&server).expect("the registry is there");
                pass(&client, &server);
                pass(&server, &client);
            }
        });
        Self { address, connections }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Passes on, in a thread of its own, what comes from one side, and its end.
fn pass(from: &TcpStream, to: &TcpStream) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("the process may open a file more");
    let (mut from, mut to) = (clone(from), clone(to));
    thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
