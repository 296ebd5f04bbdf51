//! Multicast DNS: servers of several processes find each other, and lose each other.
//!
//! The network is the machine's own and others use it too: each test has services of its own.
#![cfg(feature = "mdns")]

#[path = "support/mdns/mod.rs"]
mod mdns;

use std::time::{Duration, Instant};

use rpcx::registry::{Discover, Mdns, Reach, Register, RegistrationState};
use simple_dns::TYPE;

use mdns::{CRASHED, Follower, Network, Process, announcement, possible, soon, tell, unique};

/// What a test starts a second process of.
#[test]
fn another_process() {
    mdns::run_as_another_process();
}

fn start(servers: &[String], go_compatible: bool) -> Process {
    if go_compatible { Process::announce(servers) } else { Process::announce_without_go(servers) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_process_is_found_with_what_it_says_of_itself() {
    if !possible("a_server_of_another_process_is_found_with_what_it_says_of_itself") {
        return;
    }
    let service = unique("Arith");
    let mut list = Follower::new(&Mdns::new(), &service);
    let server = format!("{service}|tcp@127.0.0.1:1?weight=5&group=a b");
    let _process = Process::announce(&[server]);
    let found = "tcp@127.0.0.1:1?calls=0.00&connections=0.00&group=a b&weight=5";
    tell("finding a server that has just started", list.until(&[found]).await);

    let mut late = Follower::new(&Mdns::new(), &service);
    tell("finding a server that was there before", late.until(&[found]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_withdraws_is_gone() {
    if !possible("a_server_that_withdraws_is_gone") {
        return;
    }
    for go_compatible in [true, false] {
        let service = unique("Leave");
        let registry = Mdns::new().go_compatible(go_compatible);
        let mut list = Follower::new(&registry, &service);
        let servers = [format!("{service}|tcp@127.0.0.1:1")];
        let mut process = start(&servers, go_compatible);
        list.until_there_are(1).await;
        let since = Instant::now();
        process.order("withdraw");
        list.until(&[]).await;
        let gone = since.elapsed();
        tell(&format!("losing a server that withdrew (Go too: {go_compatible})"), gone);
        assert!(gone < Duration::from_secs(2), "{gone:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_is_gone_within_5_seconds() {
    if !possible("a_server_that_crashes_is_gone_within_5_seconds") {
        return;
    }
    for go_compatible in [true, false] {
        let service = unique("Crash");
        let registry = Mdns::new().go_compatible(go_compatible);
        let mut list = Follower::new(&registry, &service);
        let servers = [format!("{service}|tcp@127.0.0.1:1")];
        let process = start(&servers, go_compatible);
        list.until_there_are(1).await;
        process.crash();
        let gone = list.until(&[]).await;
        tell(&format!("losing a server that was killed (Go too: {go_compatible})"), gone);
        assert!(gone < CRASHED, "{gone:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_of_a_host_announce_three_services_each() {
    if !possible("two_processes_of_a_host_announce_three_services_each") {
        return;
    }
    let services = ["Arith", "Echo", "Time"].map(unique);
    let registry = Mdns::new();
    let mut lists = services.each_ref().map(|service| Follower::new(&registry, service));
    let of = |port: u16| services.each_ref().map(|one| format!("{one}|tcp@127.0.0.1:{port}"));
    let [first, second] = [1, 2].map(|port| Process::announce(&of(port)));
    let figures = "calls=0.00&connections=0.00";
    let both = [1, 2].map(|port| format!("tcp@127.0.0.1:{port}?{figures}"));
    for list in &mut lists {
        list.until(&[&both[0], &both[1]]).await;
    }
    first.crash();
    for list in &mut lists {
        list.until(&[&both[1]]).await;
    }
    drop(second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_servers_of_the_service_are_listed() {
    if !possible("only_servers_of_the_service_are_listed") {
        return;
    }
    let (wanted, other) = (unique("Wanted"), unique("Other"));
    let longer = format!("{wanted}2");
    let registry = Mdns::new();
    let mut list = Follower::new(&registry, &wanted);
    let servers = [(&other, 1), (&longer, 2), (&wanted, 3)];
    let servers = servers.map(|(service, port)| format!("{service}|tcp@127.0.0.1:{port}"));
    let _process = Process::announce(&servers);
    // The process announces them in this order.
    list.until(&["tcp@127.0.0.1:3?calls=0.00&connections=0.00"]).await;
    // Nobody is on this list, and that is known after a time.
    Follower::new(&registry, &unique("Nobody")).until(&[]).await;
    list.until(&["tcp@127.0.0.1:3?calls=0.00&connections=0.00"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_figures_is_seen() {
    if !possible("a_change_of_the_figures_is_seen") {
        return;
    }
    for go_compatible in [true, false] {
        let service = unique("Work");
        let registry = Mdns::new().go_compatible(go_compatible);
        let mut list = Follower::new(&registry, &service);
        let servers = [format!("{service}|tcp@127.0.0.1:1")];
        let mut process = start(&servers, go_compatible);
        list.until(&["tcp@127.0.0.1:1?calls=0.00&connections=0.00"]).await;
        process.order("work");
        let seen = list.until(&["tcp@127.0.0.1:1?calls=7.00&connections=0.00"]).await;
        tell(&format!("seeing new figures (Go too: {go_compatible})"), seen);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_sees_its_own_servers() {
    if !possible("a_process_sees_its_own_servers") {
        return;
    }
    let service = unique("Own");
    let registry = Mdns::new();
    let mut list = Follower::new(&registry, &service);
    let mut elsewhere = Follower::new(&Mdns::new(), &service);
    let first = registry.register(&service, announcement("tcp@127.0.0.1:1?weight=5"));
    let second = registry.clone().register(&service, announcement("tcp@127.0.0.1:2"));
    let both = ["tcp@127.0.0.1:1?weight=5", "tcp@127.0.0.1:2"];
    list.until(&both).await;
    elsewhere.until(&both).await;
    soon("registration", first.registered()).await.expect("the entry is taken");
    soon("registration", second.registered()).await.expect("the entry is taken");
    first.withdraw().await;
    list.until(&both[1..]).await;
    elsewhere.until(&both[1..]).await;
    drop(second);
    list.until(&[]).await;
    elsewhere.until(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_again_is_listed_as_it_is_now() {
    if !possible("a_server_that_starts_again_is_listed_as_it_is_now") {
        return;
    }
    let service = unique("Again");
    let mut list = Follower::new(&Mdns::new(), &service);
    let figures = "calls=0.00&connections=0.00";
    let first = Process::announce(&[format!("{service}|tcp@127.0.0.1:1?weight=1")]);
    list.until(&[&format!("tcp@127.0.0.1:1?{figures}&weight=1")]).await;
    first.crash();
    let _second = Process::announce(&[format!("{service}|tcp@127.0.0.1:1?weight=2")]);
    list.until(&[&format!("tcp@127.0.0.1:1?{figures}&weight=2")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_question_gets_a_whole_answer_for_each_service() {
    if !possible("gos_question_gets_a_whole_answer_for_each_service") {
        return;
    }
    let network = Network::open().expect("the network is there");
    let services = ["Arith", "Echo", "Time"].map(unique);
    let registry = Mdns::new();
    let registrations = services
        .each_ref()
        .map(|one| registry.register(one, announcement("tcp@127.0.0.1:1?weight=5&group=a b")));
    for registration in &registrations {
        soon("registration", registration.registered()).await.expect("the entry is taken");
    }
    for service in &services {
        network.ask().await.expect("the network is there");
        let expected = format!(
            r#"[{{"service":"{service}","meta":"group=a+b&weight=5","service_address":"tcp@127.0.0.1:1"}}]"#
        );
        let records = soon("an answer", network.hear(|text| text == expected)).await;
        let records = records.expect("the network is there");
        // Go's client takes nothing less, and panics over an answer without the text.
        assert_eq!(records, [TYPE::PTR, TYPE::SRV, TYPE::TXT, TYPE::A]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_go_are_listed() {
    if !possible("servers_of_go_are_listed") {
        return;
    }
    let network = Network::open().expect("the network is there");
    let (arith, echo) = (unique("Arith"), unique("Echo"));
    let registry = Mdns::new();
    let mut ariths = Follower::new(&registry, &arith);
    let mut echoes = Follower::new(&registry, &echo);
    // All Go processes of a host have the same instance name.
    let first = [(&*arith, "tcp@127.0.0.1:1", "weight=5&group=b"), (&*echo, "tcp@127.0.0.1:1", "")];
    let second = [(&*arith, "tcp@127.0.0.1:2", ""), (&*arith, "kcp@127.0.0.1:3", "")];
    // A list is heard of from the moment when it is followed; the socket may take another.
    let listed = async {
        let both = ["tcp@127.0.0.1:1?weight=5&group=b", "tcp@127.0.0.1:2"];
        tokio::join!(ariths.until(&both), echoes.until(&["tcp@127.0.0.1:1"]));
    };
    let announcing = async {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tick.tick().await;
            for services in [&first, &second] {
                network.announce("host", services, 3200).await.expect("the network is there");
            }
        }
    };
    tokio::select! {
        () = listed => {}
        () = announcing => {}
    }
    // Go takes leave of nothing, since it unregistered its services before.
    network.announce("host", &[], 0).await.expect("the network is there");
    let (gone, ()) = tokio::join!(echoes.until(&[]), async {
        network.announce("host", &second, 3200).await.expect("the network is there");
        ariths.until(&["tcp@127.0.0.1:2"]).await;
    });
    tell("losing a Go server that stopped", gone);
    assert!(gone < Duration::from_secs(2), "{gone:?}");
    // The other is silent from now on.
    let gone = ariths.until(&[]).await;
    tell("losing a Go server that fell silent", gone);
    assert!(gone < CRASHED, "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_packets_do_no_harm() {
    if !possible("broken_packets_do_no_harm") {
        return;
    }
    let network = Network::open().expect("the network is there");
    let service = unique("Broken");
    let registry = Mdns::new();
    let mut list = Follower::new(&registry, &service);
    let registration = registry.register(&service, announcement("tcp@127.0.0.1:1"));
    soon("registration", registration.registered()).await.expect("the entry is taken");
    let promises_much = [0, 0, 0x84, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let points_at_itself = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 12, 0, 1];
    for packet in [&promises_much[..], &points_at_itself, &[], &[0; 8000]] {
        network.send_bytes(packet).await.expect("the network is there");
    }
    network.ask().await.expect("the network is there");
    let answer = network.hear(|text| text.contains(&service));
    soon("an answer", answer).await.expect("the network is there");
    list.until(&["tcp@127.0.0.1:1"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_announced_is_refused_at_once() {
    let registry = Mdns::new();
    let long = format!("tcp@127.0.0.1:1?note={}", "x".repeat(200));
    let cases = [
        (
            registry.register("Arith", announcement(&long)),
            "`Arith` needs 320 bytes in multicast DNS, an entry has room for 255: shorten its name, \
             its metadata or its address",
        ),
        (
            registry.register("Arith", announcement("unix@/run/arith.sock")),
            "multicast DNS announces TCP addresses, `unix@/run/arith.sock` is none",
        ),
        (registry.register("", announcement("tcp@127.0.0.1:1")), "the service has no name"),
        (
            Mdns::new()
                .update_interval(Duration::ZERO)
                .register("Arith", announcement("tcp@127.0.0.1:1")),
            "update_interval is zero",
        ),
    ];
    for (registration, expected) in cases {
        let RegistrationState::Refused { error } = registration.state() else {
            panic!("not refused: {:?}", registration.state());
        };
        assert_eq!(&*error, expected);
        registration.withdraw().await;
    }
    let list = Mdns::new().timeout(Duration::ZERO).discover("Arith");
    let Reach::Lost { error, .. } = list.borrow().reach().clone() else { panic!("not lost") };
    assert_eq!(&*error, "timeout is zero");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_running() {
    if !possible("nothing_is_left_running") {
        return;
    }
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let service = unique("Idle");
    let registry = Mdns::new();
    let registration = registry.register(&service, announcement("tcp@127.0.0.1:1"));
    let mut list = Follower::new(&registry, &service);
    list.until(&["tcp@127.0.0.1:1"]).await;
    drop(registration);
    list.until(&[]).await;
    drop(list);
    let ended = async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    soon("the task's end", ended).await;

    // It starts again when there is something to do again.
    let _registration = registry.register(&service, announcement("tcp@127.0.0.1:2"));
    Follower::new(&Mdns::new(), &service).until(&["tcp@127.0.0.1:2"]).await;
}
