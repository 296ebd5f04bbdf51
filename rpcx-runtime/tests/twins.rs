//! What stands in for an implementation of a service: pointers to any, and mocks.
#![cfg(feature = "macros")]

mod support;

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use rpcx::{Context, Error, Result, Server};

use support::{Running, soon};

/// A method of each shape.
#[rpcx::service(dyn, mock)]
trait Store {
    async fn get(&self, context: &Context, key: &str) -> Result<String>;
    async fn put(&self, key: String, values: &[i64]) -> Result<i64>;
    async fn count(&self) -> Result<u64> {
        Ok(17)
    }
}

struct Memory;

impl Store for Memory {
    async fn get(&self, context: &Context, key: &str) -> Result<String> {
        tokio::task::yield_now().await;
        Ok(format!("{key} {}", context.metadata().get("trace").unwrap_or_default()))
    }

    async fn put(&self, _key: String, values: &[i64]) -> Result<i64> {
        Ok(values.iter().sum())
    }

    async fn count(&self) -> Result<u64> {
        Ok(1)
    }
}

async fn serve<T: Store + 'static>(store: T) -> (Running, StoreClient) {
    let server = Running::in_memory(Server::new().add(StoreServer::new(store))).await;
    let client = StoreClient::connect_to(server.address()).await.unwrap();
    (server, client)
}

#[tokio::test(start_paused = true)]
async fn pointers_to_a_service_are_served() {
    let boxed: Box<dyn DynStore> = Box::new(Memory);
    let shared: Arc<dyn DynStore> = Arc::new(boxed);
    let (_server, client) = serve(shared).await;
    let text = soon(client.get("a").metadata("trace", "t").into_future()).await.unwrap();
    assert_eq!(text, "a t");
    assert_eq!(soon(client.put("a", &[1, 2]).into_future()).await.unwrap(), 3);
    assert_eq!(soon(client.count().into_future()).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_behind_a_pointer_is_a_service() {
    let (_server, client) = serve(Memory).await;
    let (_proxy, client) = serve(Box::new(client) as Box<dyn DynStore>).await;
    assert_eq!(soon(client.put("a", &[1, 2]).into_future()).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_mock_is_served_and_tells_what_was_called() {
    let mock = StoreMock::new()
        .on_get(|context, key| Ok(format!("{key} {}", context.metadata().len())))
        .on_put_async(|key, values| {
            let sum = values.iter().sum();
            async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                if key == "full" { Err(Error::service("full")) } else { Ok(sum) }
            }
        });
    let (_server, client) = serve(mock.clone()).await;
    let text = soon(client.get("a").metadata("trace", "t").into_future()).await.unwrap();
    assert_eq!(text, "a 1");
    assert_eq!(soon(client.put("a", &[1, 2]).into_future()).await.unwrap(), 3);
    let error = soon(client.put("full", &[]).into_future()).await.unwrap_err();
    assert_eq!(error.to_string(), "full");
    assert_eq!(soon(client.count().into_future()).await.unwrap(), 17);
    assert_eq!(mock.calls(), ["get", "put", "put", "count"]);
}

#[tokio::test(start_paused = true)]
async fn a_mock_without_an_answer_says_so_to_the_caller() {
    let (_server, client) = serve(StoreMock::new()).await;
    let error = soon(client.put("a", &[]).into_future()).await.unwrap_err();
    assert_eq!(error.to_string(), "StoreMock has no answer for `put`: give it one with `on_put`");
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_panicked_answers_the_next_call() {
    let mut first = true;
    let mock = StoreMock::new().on_put(move |_, _| {
        assert!(!std::mem::take(&mut first), "boom");
        Ok(7)
    });
    let (_server, client) = serve(mock).await;
    assert!(soon(client.put("a", &[]).into_future()).await.is_err());
    assert_eq!(soon(client.put("a", &[]).into_future()).await.unwrap(), 7);
}
