//! Who is let in, who is not, and what both are told.

use rpcx::tls::rustls::version::{TLS12, TLS13};
use rpcx::tls::{ClientTls, TlsError};
use rpcx::{Bytes, Server};

use crate::world::{
    Authority, Clerk, HOSTS, Running, World, assert_serves, builder, call_lazily, connect,
    memory_address, reason, refusal, rustls_client, server_tls, soon,
};

#[tokio::test]
async fn a_server_is_called_by_the_address_or_the_name_in_its_certificate() {
    let world = World::new();
    let running = Running::over(world.server()).await;
    let by_name = running.address.replace("127.0.0.1", "localhost");
    for address in [&running.address, &by_name] {
        let client = connect(address, world.client()).await.unwrap();
        assert_serves(&client).await;
        let none = soon(client.identify("h".to_owned()).into_future()).await.unwrap();
        assert_eq!(none, (0, false));
    }
    let named = world.client().server_name("desk.internal").unwrap();
    assert_serves(&connect(&running.address, named).await.unwrap()).await;
}

#[tokio::test]
async fn every_kind_of_connection_is_encrypted() {
    let world = World::new();
    let socket = std::env::temp_dir().join(format!("rpcx-tls-{}.sock", std::process::id()));
    for address in [memory_address(), format!("unix@{}", socket.display())] {
        let server = Server::new().add(Clerk::service()).tls(world.server());
        let running = Running::at(&address, server).await;
        let expected = "TLS: the address names no host that a certificate could be for: give \
                        `ClientTls::server_name`";
        assert_eq!(connect(&running.address, world.client()).await.unwrap_err(), expected);
        let named = world.client().server_name("desk.internal").unwrap();
        assert_serves(&connect(&running.address, named).await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_handler_and_the_auth_hook_see_who_calls() {
    let world = World::new();
    let server = Server::new().add(Clerk::service()).tls(world.mutual_server());
    let server = server.auth(|request| async move {
        let known = request.peer_identity().is_some_and(|peer| peer.is_for("billing.internal"));
        if known { Ok(()) } else { Err("not you") }
    });
    let running = Running::at(crate::world::TCP, server).await;
    let billing = connect(&running.address, world.known_client("billing.internal")).await.unwrap();
    let shown = soon(billing.identify("billing.internal".to_owned()).into_future()).await.unwrap();
    assert_eq!(shown, (1, true));
    let shown = soon(billing.identify("shop.internal".to_owned()).into_future()).await.unwrap();
    assert_eq!(shown, (1, false));
    let shop = connect(&running.address, world.known_client("shop.internal")).await.unwrap();
    let refused = soon(shop.echo(Bytes::new()).into_future()).await.unwrap_err();
    assert_eq!(refused.to_string(), "not you");
}

#[tokio::test]
async fn a_session_that_is_resumed_has_the_identity_of_the_first() {
    let world = World::new();
    let running = Running::over(world.mutual_server()).await;
    let tls = world.known_client("billing.internal");
    for _ in 0..3 {
        let client = connect(&running.address, tls.clone()).await.unwrap();
        let call = client.identify("billing.internal".to_owned());
        assert_eq!(soon(call.into_future()).await.unwrap(), (1, true));
    }
}

#[tokio::test]
async fn certificates_of_clients_may_be_left_to_them() {
    let world = World::new();
    let optional = world.mutual_server().client_certificate_optional().unwrap();
    let running = Running::over(optional).await;
    for (tls, shown) in [(world.client(), 0), (world.known_client("h"), 1)] {
        let client = connect(&running.address, tls).await.unwrap();
        let call = client.identify("h".to_owned());
        assert_eq!(soon(call.into_future()).await.unwrap(), (shown, shown == 1));
    }
    let stranger = Authority::new("theirs").sign(&["h"]);
    let tls = world.client().identity(stranger.certificate, stranger.key).unwrap();
    let told = refusal(&running.address, tls).await;
    assert!(told.starts_with("TLS: the server refuses: UnknownCA"), "{told}");
    let missing = world.server().client_certificate_optional().unwrap_err();
    assert_eq!(missing.to_string(), "no authorities of clients are given");
}

/// Both ways to a connection fail, and say why.
async fn assert_refused(running: &Running, tls: ClientTls, expected: &str) {
    let told = refusal(&running.address, tls.clone()).await;
    assert!(told.starts_with(expected), "{told:?}, expected {expected:?}");
    assert_eq!(call_lazily(&running.address, tls).await.unwrap_err(), told);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_not_called() {
    let world = World::new();
    let theirs = Authority::new("theirs");
    let stranger = Running::over(server_tls(&theirs.sign(&HOSTS))).await;
    let unknown = "TLS: none of the given authorities signed the server's certificate";
    assert_refused(&stranger, world.client(), unknown).await;

    let elsewhere = Running::over(server_tls(&world.authority.sign(&["elsewhere.internal"]))).await;
    let name = "TLS: invalid peer certificate: certificate not valid for name \"127.0.0.1\"; \
                certificate is only valid for DnsName(\"elsewhere.internal\")";
    assert_refused(&elsewhere, world.client(), name).await;

    for (from, to, expected) in [
        (2001, 2002, "TLS: the server's certificate has expired"),
        (4000, 4001, "TLS: the server's certificate is not valid yet"),
    ] {
        let pair = world.authority.sign_between(&HOSTS, from, to);
        let running = Running::over(server_tls(&pair)).await;
        assert_refused(&running, world.client(), expected).await;
    }
}

#[tokio::test]
async fn a_client_that_is_not_trusted_is_told_why() {
    let world = World::new();
    let running = Running::over(world.mutual_server()).await;
    let with =
        |pair: crate::world::Pair| world.client().identity(pair.certificate, pair.key).unwrap();
    let missing = "TLS: the server refuses: CertificateRequired, it asks for a certificate, and \
                   none was shown";
    assert_refused(&running, world.client(), missing).await;
    let unknown = "TLS: the server refuses: UnknownCA, it does not know who signed the \
                   certificate that was shown";
    assert_refused(&running, with(Authority::new("theirs").sign(&["h"])), unknown).await;
    let expired = "TLS: the server refuses: CertificateExpired, the certificate that was shown \
                   has expired";
    let old = world.authority.sign_between(&["h"], 2001, 2002);
    assert_refused(&running, with(old), expired).await;
    // Still there for those that it knows.
    let known = connect(&running.address, world.known_client("h")).await.unwrap();
    assert_serves(&known).await;
}

#[tokio::test]
async fn configurations_of_the_program_s_own_are_used() {
    let world = World::new();
    let open = Running::over(world.server()).await;
    let mutual = Running::over(world.mutual_server()).await;
    for version in [&TLS12, &TLS13] {
        let own = || ClientTls::from(rustls_client(&world.authority, version));
        assert_serves(&connect(&open.address, own()).await.unwrap()).await;
        let refused = refusal(&mutual.address, own()).await;
        assert!(refused.starts_with("TLS: the server refuses: "), "{refused}");
        let identity = own().identity("", "").unwrap_err();
        let expected = "a rustls configuration says itself which certificate is shown";
        assert_eq!(identity.to_string(), expected);
        assert!(own().reload().is_err());
    }
    let theirs = rustls_client(&Authority::new("theirs"), &TLS13);
    let builder = builder().tls(theirs).connect_to(&open.address);
    let unknown = "TLS: none of the given authorities signed the server's certificate";
    assert_eq!(soon(builder).await.map_err(reason).unwrap_err(), unknown);
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    let world = World::new();
    let (pair, other) = (world.authority.sign(&["h"]), world.authority.sign(&["h"]));
    let text = |error: TlsError| error.to_string();
    let server = |certificate: &str, key: &str| {
        rpcx::tls::ServerTls::new(certificate, key).map(drop).unwrap_err().to_string()
    };
    let mismatch = "the server's certificate or key: keys may not be consistent: KeyMismatch";
    assert_eq!(server(&pair.certificate, &other.key), mismatch);
    let expected = "the server's certificate: no certificate in PEM is there";
    assert_eq!(server(&pair.key, &pair.key), expected);
    let expected = "the server's key is no private key in PEM";
    assert_eq!(server(&pair.certificate, &pair.certificate), expected);
    let none = world.server().client_authorities("").unwrap_err();
    assert_eq!(text(none), "the authorities of clients: no certificate in PEM is there");
    let none = ClientTls::new("").unwrap_err();
    assert_eq!(text(none), "the authorities: no certificate in PEM is there");
    let mismatch = "the client's certificate or key: keys may not be consistent: KeyMismatch";
    let wrong = world.client().identity(&pair.certificate, &other.key).unwrap_err();
    assert_eq!(text(wrong), mismatch);
    let wrong = world.client().server_name("no name").unwrap_err();
    let expected = "`no name` is no DNS name or IP address that a certificate could be for";
    assert_eq!(text(wrong), expected);
    let missing = ClientTls::from_file("/nowhere/ca.pem").unwrap_err();
    let expected = "the authorities, `/nowhere/ca.pem`: ";
    assert!(missing.to_string().starts_with(expected), "{missing}");
}

#[test]
fn nothing_shows_a_key() {
    let world = World::new();
    let pair = world.authority.sign(&["h"]);
    let client = world.client().identity(&pair.certificate, &pair.key).unwrap();
    let shown = [
        format!("{:?}", world.mutual_server()),
        format!("{client:?}"),
        format!("{:?}", builder().tls(client)),
        format!("{:?}", Server::new().tls(world.mutual_server())),
    ];
    for text in &shown {
        assert!(text.contains("Bytes") && text.len() < 2000, "{text}");
        assert!(!text.contains("PRIVATE"), "{text}");
    }
}
