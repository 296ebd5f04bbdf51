//! The rule about calls: what programs notice of a registry that is away.

use std::sync::Arc;

use rpcx::registry::{RegistrationState, Registry};
use rpcx::server::Registrations;
use rpcx::{Client as _, Result, Server};

use super::{Bench, PrivateServer, Settings, soon};

/// Tells who answers.
#[rpcx::service(name = "Arith")]
trait Who {
    async fn who(&self) -> Result<String>;
}

struct Named(&'static str);

impl Who for Named {
    async fn who(&self) -> Result<String> {
        Ok(self.0.to_owned())
    }
}

/// Clients and servers that run go on, those that are started meanwhile come in when it is back.
pub(crate) async fn calls_go_on_and_programs_start_while_the_registry_is_away<B: Bench>(
    server: &PrivateServer,
) {
    let first = serve::<B>(server, "first").await;
    until(&first, |state| matches!(state, RegistrationState::Registered)).await;
    let client = client::<B>(server).await;
    assert_eq!(who(&client).await, "first");
    server.kill();
    until(&first, |state| matches!(state, RegistrationState::Lost { .. })).await;
    for _ in 0..100 {
        assert_eq!(who(&client).await, "first");
    }
    let second = serve::<B>(server, "second").await;
    until(&second, |state| matches!(state, RegistrationState::Pending { error: Some(_) })).await;
    // It has no list yet, and its call waits for one.
    let late = self::client::<B>(server).await;
    assert!(late.channel().servers().is_empty());
    let waiting = late.who().start();
    server.start_again();
    until(&first, |state| matches!(state, RegistrationState::Registered)).await;
    until(&second, |state| matches!(state, RegistrationState::Registered)).await;
    soon("the waiting call", waiting).await.expect("there are servers");
    for client in [&client, &late] {
        for name in ["first", "second"] {
            soon(name, async { while who(client).await != name {} }).await;
        }
    }
}

async fn serve<B: Bench>(server: &PrivateServer, name: &'static str) -> Registrations {
    let bound = Server::new().registry(registry::<B>(server)).add(WhoServer::new(Named(name)));
    let bound = bound.bind("tcp@127.0.0.1:0").await.expect("a free port");
    let registrations = bound.registrations();
    tokio::spawn(bound.serve());
    registrations
}

async fn client<B: Bench>(server: &PrivateServer) -> WhoClient {
    let builder = WhoClient::builder().registry(registry::<B>(server));
    let connecting = builder.wait_for_server(super::SAFETY).connect();
    soon("a client", connecting).await.expect("settings that are right")
}

async fn who(client: &WhoClient) -> String {
    soon("a call", client.who().into_future()).await.expect("a server that runs")
}

async fn until(registrations: &Registrations, is: impl FnMut(&RegistrationState) -> bool) {
    let begun = async {
        loop {
            match registrations.watch("Arith") {
                Some(state) => return state,
                // It begins to register when it begins to serve.
                None => tokio::task::yield_now().await,
            }
        }
    };
    let mut state = soon("an entry", begun).await;
    soon("a state", state.wait_for(is)).await.expect("the entry is tended");
}

fn registry<B: Bench>(server: &PrivateServer) -> Arc<dyn Registry> {
    B::registry(server.address(), Settings::of::<B>())
}
