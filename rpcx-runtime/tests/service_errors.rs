//! Errors with `derive(ServiceError)`: what is sent, and what arrives.
#![cfg(all(feature = "macros", feature = "json"))]

mod support;

use std::collections::BTreeMap;
use std::future::IntoFuture as _;
use std::time::Duration;

use rpcx::{Error, Executed, Server, ServiceError};
use serde::{Deserialize, Serialize};

use support::{Running, soon};

/// Each kind of variant.
#[derive(Debug, Serialize, Deserialize, ServiceError)]
enum StockError {
    SoldOut,
    Missing(String),
    Below(u32, u32),
    Refused {
        code: i32,
        msg: String,
    },
    /// Has no JSON form: keys are strings there.
    Odd(BTreeMap<(i32, i32), i32>),
    #[service_error(other)]
    #[serde(skip)]
    Other(Error),
}

/// An error struct of Go's, and errors of a service behind this one.
#[derive(Debug, Serialize, Deserialize, ServiceError)]
#[serde(untagged)]
enum GoError {
    Known {
        code: i32,
        msg: String,
    },
    #[service_error(other)]
    #[serde(skip)]
    Behind(StockError),
}

#[rpcx::service]
trait Stock {
    async fn take(&self, case: u8) -> Result<u8, StockError>;
}

/// The same service as a peer without these types has it, such as one in Go.
#[rpcx::service(name = "Stock")]
trait Plain {
    async fn take(&self, case: u8) -> rpcx::Result<u8>;
}

/// The same service with another error type.
#[rpcx::service(name = "Stock")]
trait GoStock {
    async fn take(&self, case: u8) -> Result<u8, GoError>;
}

struct Typed;

impl Stock for Typed {
    async fn take(&self, case: u8) -> Result<u8, StockError> {
        Err(match case {
            0 => StockError::SoldOut,
            1 => StockError::Missing("bolts".to_owned()),
            2 => StockError::Below(1, 2),
            3 => StockError::Refused { code: 100, msg: "boom".to_owned() },
            4 => StockError::Odd([((1, 2), 3)].into()),
            5 => StockError::Other(Error::service("out of order")),
            _ => std::future::pending().await,
        })
    }
}

/// Answers with this text.
struct Says(&'static str);

impl Plain for Says {
    async fn take(&self, _case: u8) -> rpcx::Result<u8> {
        Err(Error::service(self.0))
    }
}

async fn says(text: &'static str) -> Running {
    Running::in_memory(Server::new().add(PlainServer::new(Says(text)))).await
}

async fn typed() -> Running {
    Running::in_memory(Server::new().add(StockServer::new(Typed))).await
}

async fn take(server: &Running, case: u8) -> StockError {
    let client = StockClient::connect_to(server.address()).await.unwrap();
    soon(client.take(case).into_future()).await.unwrap_err()
}

async fn take_as_go(server: &Running) -> GoError {
    let client = GoStockClient::connect_to(server.address()).await.unwrap();
    soon(client.take(0).into_future()).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn variants_come_back_as_they_were() {
    let server = typed().await;
    assert!(matches!(take(&server, 0).await, StockError::SoldOut));
    assert!(matches!(take(&server, 1).await, StockError::Missing(item) if item == "bolts"));
    assert!(matches!(take(&server, 2).await, StockError::Below(1, 2)));
    let refused = take(&server, 3).await;
    assert!(matches!(refused, StockError::Refused { code: 100, msg } if msg == "boom"));
}

#[tokio::test(start_paused = true)]
async fn a_peer_without_the_type_sees_json() {
    let server = typed().await;
    let client = PlainClient::connect_to(server.address()).await.unwrap();
    let mut texts = Vec::new();
    for case in 0..6 {
        texts.push(soon(client.take(case).into_future()).await.unwrap_err().to_string());
    }
    assert_eq!(
        texts,
        [
            r#""SoldOut""#,
            r#"{"Missing":"bolts"}"#,
            r#"{"Below":[1,2]}"#,
            r#"{"Refused":{"code":100,"msg":"boom"}}"#,
            "the error has no JSON form: key must be a string",
            "out of order",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn texts_of_others_arrive_in_the_variant_for_them() {
    for text in [
        "out of order",
        "",
        "SoldOut",
        "\"Unheard\"",
        "{\"code\":100,\"msg\":\"boom\"}",
        "\"SoldOut\" and more",
        "rpcx: can't find method Take",
    ] {
        let server = says(text).await;
        let error = take(&server, 0).await;
        assert!(
            matches!(&error, StockError::Other(Error::Service(seen)) if seen == text),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_struct_of_go_is_read_and_written() {
    const GO: &str = r#"{"code":100,"msg":"boom"}"#;
    let error = take_as_go(&says(GO).await).await;
    assert!(matches!(&error, GoError::Known { code: 100, msg } if msg == "boom"), "{error:?}");
    assert_eq!(error.to_wire(), GO);
}

#[tokio::test(start_paused = true)]
async fn the_variant_for_others_may_hold_an_error_type() {
    let error = take_as_go(&typed().await).await;
    assert!(matches!(error, GoError::Behind(StockError::SoldOut)), "{error:?}");
    assert_eq!(error.to_wire(), r#""SoldOut""#);
    let error = take_as_go(&says("out of order").await).await;
    let GoError::Behind(StockError::Other(Error::Service(text))) = error else {
        panic!("{error:?}");
    };
    assert_eq!(text, "out of order");
}

#[tokio::test(start_paused = true)]
async fn what_keeps_the_reply_from_coming_arrives_too() {
    let server = typed().await;
    let client = StockClient::connect_to(server.address()).await.unwrap();
    let error = client.take(9).timeout(Duration::from_millis(10)).await.unwrap_err();
    let StockError::Other(Error::Timeout { after, executed: Executed::Maybe }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(after, Duration::from_millis(10));
    server.abort().await;
    let error = soon(client.take(0).into_future()).await.unwrap_err();
    assert!(
        matches!(error, StockError::Other(Error::Connect { .. } | Error::ConnectionLost { .. })),
        "{error:?}"
    );
}

#[test]
fn what_came_from_elsewhere_is_passed_on_as_it_came() {
    let error = StockError::from_wire(Error::service("out of order"));
    assert_eq!(error.to_wire(), "out of order");
    let error = StockError::from_wire(Error::NoServer { why: "none is registered".to_owned() });
    assert_eq!(error.to_wire(), "no server: none is registered");
}
