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
    let client = Client::builder().no_proxy();
    // Otherwise reqwest panics, for the process has no crypto provider; none is installed, so that it
    // shows whether the registry does without.
    #[cfg(feature = "tls")]
    let client = client.tls_backend_preconfigured(tls());
    let client = client.build().expect("the client has no odd settings");
    let request = client.request(method, format!("http://{server}/v1/{path}")).body(body);
    let response = request.send().await.expect("Consul answers");
    if response.status() == StatusCode::NOT_FOUND {
        return None;
    }
    assert!(response.status().is_success(), "{path}: {response:?}");
    Some(response.text().await.expect("the body is text"))
}

#[cfg(feature = "tls")]
fn tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
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
