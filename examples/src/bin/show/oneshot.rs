//! Calls that nobody waits for. Go's `Oneshot`, and its `Call` without a reply.

use rpcx::Server;
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};
use tokio::sync::mpsc;

use crate::servers::{ARGS, Outcome, ensure, start_server};

#[rpcx::service]
trait Notes {
    /// A method that is declared one-way is always called like this.
    #[rpcx(oneway)]
    async fn note(&self, text: String) -> rpcx::Result<()>;
}

/// Shows what arrives.
struct Desk(mpsc::UnboundedSender<String>);

impl Notes for Desk {
    async fn note(&self, text: String) -> rpcx::Result<()> {
        self.0.send(text).map_err(|error| rpcx::Error::service(error.to_string()))
    }
}

impl Arith for Desk {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        let _ = self.0.send(format!("{} * {}", args.a, args.b));
        Err(rpcx::Error::service("nobody reads this"))
    }
}

pub(crate) async fn run() -> Outcome {
    let (sender, mut arrived) = mpsc::unbounded_channel();
    let server = Server::new().add(NotesServer::new(Desk(sender.clone())));
    start_server(server.add(ArithServer::new(Desk(sender))), "memory@desk").await?;

    let notes = NotesClient::connect_to("memory@desk").await?;
    // Ready once the socket has taken it. Servers are chosen, and failures to connect are dealt with, as
    // for other calls.
    notes.note("tea at four").await?;
    let note = arrived.recv().await.ok_or("the desk is gone")?;
    println!("the server was told: {note}");
    ensure(note == "tea at four", "the note arrives")?;

    // Any call can be made one-way. Whether the method succeeds is never known: this one did not.
    let arith = ArithClient::connect_to("memory@desk").await?;
    arith.mul(ARGS).oneway().await?;
    let task = arrived.recv().await.ok_or("the desk is gone")?;
    println!("the server was told: {task}");
    ensure(task == "10 * 20", "the call arrives")
}
