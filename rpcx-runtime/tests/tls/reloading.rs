//! Certificates that are replaced while servers and clients run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rpcx::Bytes;
use rpcx::tls::{ClientTls, ServerTls};

use crate::world::{
    Authority, Folder, HOSTS, Pair, Running, World, assert_serves, builder, connect, refusal,
    server_tls, soon,
};

/// The files of a server or a client.
struct Files {
    folder: Folder,
    certificate: String,
    key: String,
    authorities: String,
}

impl Files {
    fn new(pair: &Pair, authorities: &Authority) -> Self {
        let folder = Folder::new();
        let certificate = folder.write("own.pem", &pair.certificate);
        let key = folder.write("own.key", &pair.key);
        let authorities = folder.write("ca.pem", authorities.certificate());
        Self { folder, certificate, key, authorities }
    }

    fn write(&self, pair: &Pair) {
        self.folder.write("own.pem", &pair.certificate);
        self.folder.write("own.key", &pair.key);
    }

    fn server(&self) -> ServerTls {
        ServerTls::from_files(&self.certificate, &self.key).unwrap()
    }
}

fn trusting(authority: &Authority) -> ClientTls {
    ClientTls::new(authority.certificate()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_s_certificate_is_replaced_under_load() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = Files::new(&old.sign(&HOSTS), &old);
    let tls = files.server();
    let running = Running::over(tls.clone()).await;
    let stays = connect(&running.address, trusting(&old)).await.unwrap();

    let both = [old.certificate(), new.certificate()].concat();
    let both = ClientTls::new(both).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (over, calls) = (Arc::clone(&over), Arc::clone(&calls));
            let (address, both) = (running.address.clone(), both.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    // A connection for a few calls: handshakes go on all the time.
                    let client = builder().tls(both.clone()).connect_to(&address).await.unwrap();
                    for _ in 0..3 {
                        client.echo(Bytes::from_static(b"x")).await.unwrap();
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for turn in 0..20 {
        files.write(&if turn % 2 == 0 { &new } else { &old }.sign(&HOSTS));
        tls.reload().unwrap();
        let enough = calls.load(Ordering::Relaxed) + 10;
        let more = async {
            while calls.load(Ordering::Relaxed) < enough {
                tokio::task::yield_now().await;
            }
        };
        soon(more).await;
    }
    files.write(&new.sign(&HOSTS));
    tls.reload().unwrap();
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        soon(caller).await.expect("no call fails");
    }

    assert_serves(&stays).await;
    assert_serves(&connect(&running.address, trusting(&new)).await.unwrap()).await;
    let refused = connect(&running.address, trusting(&old)).await.unwrap_err();
    let expected = "TLS: none of the given authorities signed the server's certificate";
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn what_cannot_be_read_leaves_everything_as_it_was() {
    let world = World::new();
    let files = Files::new(&world.authority.sign(&HOSTS), &world.authority);
    let tls = files.server().client_authorities_file(&files.authorities).unwrap();
    let running = Running::over(tls.clone()).await;
    let known = world.known_client("h");
    let other = world.authority.sign(&HOSTS);
    let key = std::fs::read_to_string(&files.key).unwrap();

    files.folder.write("own.key", &other.key);
    let expected = "the server's certificate or key: keys may not be consistent: KeyMismatch";
    assert_eq!(tls.reload().unwrap_err().to_string(), expected);
    files.folder.write("own.key", &key);
    tls.reload().unwrap();

    files.folder.write("ca.pem", "");
    let expected = format!(
        "the authorities of clients, `{}`: no certificate in PEM is there",
        files.authorities
    );
    assert_eq!(tls.reload().unwrap_err().to_string(), expected);
    std::fs::remove_file(&files.certificate).unwrap();
    let missing = tls.reload().unwrap_err().to_string();
    let expected = format!("the server's certificate, `{}`: ", files.certificate);
    assert!(missing.starts_with(&expected), "{missing}");

    assert_serves(&connect(&running.address, known).await.unwrap()).await;
    refusal(&running.address, world.client()).await;
    let nothing = world.server().reload().unwrap_err();
    let expected = "nothing came from a file that could be read again: use `replace`";
    assert_eq!(nothing.to_string(), expected);
    assert_eq!(world.client().reload().unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn the_authorities_of_clients_are_replaced() {
    let world = World::new();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = Files::new(&world.authority.sign(&HOSTS), &old);
    let tls = files.server().client_authorities_file(&files.authorities).unwrap();
    let running = Running::over(tls.clone()).await;
    let client = |authority: &Authority| {
        let pair = authority.sign(&["h"]);
        world.client().identity(pair.certificate, pair.key).unwrap()
    };
    let (of_old, of_new) = (client(&old), client(&new));
    let stays = connect(&running.address, of_old.clone()).await.unwrap();
    refusal(&running.address, of_new.clone()).await;

    files.folder.write("ca.pem", new.certificate());
    tls.reload().unwrap();
    assert_serves(&connect(&running.address, of_new).await.unwrap()).await;
    // Its session is not resumed: then the certificate would not be looked at.
    let refused = refusal(&running.address, of_old).await;
    assert!(refused.contains("UnknownCA"), "{refused}");
    assert_serves(&stays).await;
}

#[tokio::test]
async fn a_client_s_certificate_is_replaced() {
    let world = World::new();
    let running = Running::over(world.mutual_server()).await;
    let files = Files::new(&world.authority.sign_between(&["h"], 2001, 2002), &world.authority);
    let tls = ClientTls::from_file(&files.authorities).unwrap();
    let tls = tls.identity_files(&files.certificate, &files.key).unwrap();
    let client = builder().tls(tls.clone()).connect_lazily(&running.address).unwrap();
    assert!(soon(client.echo(Bytes::new()).into_future()).await.is_err());
    files.write(&world.authority.sign(&["h"]));
    tls.reload().unwrap();
    assert_serves(&client).await;
}

#[tokio::test]
async fn settings_from_memory_are_replaced() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let server = server_tls(&old.sign(&HOSTS));
    let running = Running::over(server.clone()).await;
    let tls = trusting(&old);
    let client = builder().tls(tls.clone()).connect_lazily(&running.address).unwrap();
    server.replace(&server_tls(&new.sign(&HOSTS)));
    assert!(soon(client.echo(Bytes::new()).into_future()).await.is_err());
    tls.replace(&trusting(&new));
    assert_serves(&client).await;
}
