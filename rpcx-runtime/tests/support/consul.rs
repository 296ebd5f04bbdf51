//! Consul's HTTP interface, as an operator uses it.
#![allow(dead_code, reason = "each test file is a crate and uses some of it")]

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// Gives Consul something to do; gives the body of the answer, or `None` for what is not there.
pub(crate) async fn ask(
    server: &str,
    method: Method,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> Option<String> {
    let client = Client::builder().no_proxy().build().expect("the client has no odd settings");
    let request = client.request(method, format!("http://{server}/v1/{path}")).body(body);
    let response = request.send().await.expect("Consul answers");
    if response.status() == StatusCode::NOT_FOUND {
        return None;
    }
    assert!(response.status().is_success(), "{path}: {response:?}");
    Some(response.text().await.expect("the body is text"))
}

pub(crate) async fn get(server: &str, path: &str) -> Option<Value> {
    let body = ask(server, Method::GET, path, "").await?;
    Some(serde_json::from_str(&body).expect("the body is JSON"))
}

pub(crate) async fn put(server: &str, path: &str, body: impl Into<reqwest::Body>) {
    ask(server, Method::PUT, path, body).await;
}

/// Gives the one element of a list.
pub(crate) fn only(list: &Value) -> &Value {
    match list.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => panic!("one element expected: {list}"),
    }
}
