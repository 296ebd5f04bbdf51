//! A token with every call. Go's `Auth` and `AuthFunc`.

use rpcx::{Error, Server};
use rpcx_examples::arith::{ArithClient, ArithServer, Calculator};

use crate::servers::{ARGS, Outcome, ensure, start_server};

pub(crate) async fn run() -> Outcome {
    // The server asks about every call before it looks at its payload. Compare in constant time in earnest.
    let server = Server::new().add(ArithServer::new(Calculator)).auth(|request| async move {
        if request.token() == "bearer tGzv3JOkF0XG5Qx2TlKWIA" {
            Ok(())
        } else {
            Err("invalid token")
        }
    });
    start_server(server, "memory@guarded").await?;

    let builder = ArithClient::builder().auth("bearer tGzv3JOkF0XG5Qx2TlKWIA");
    let reply = builder.connect_to("memory@guarded").await?.mul(ARGS).await?;
    println!("with the token: {}", reply.c);
    ensure(reply.c == 200, "the token is accepted")?;

    // The refusal is the server's answer, and no reason to try again.
    let clients = [("without a token", None), ("with another one", Some("bearer of bad news"))];
    for (who, token) in clients {
        let mut builder = ArithClient::builder();
        if let Some(token) = token {
            builder = builder.auth(token);
        }
        match builder.connect_to("memory@guarded").await?.mul(ARGS).await {
            Err(Error::Service(text)) => println!("{who}: {text}"),
            other => return Err(format!("the token is wrong, and still {other:?}").into()),
        }
    }
    Ok(())
}
