//! Consul's HTTP interface at one endpoint: requests out, bounded answers in.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::options::ConsulOptions;
use crate::registry::backend::BackendError;
#[cfg(feature = "tls")]
use crate::registry::tls::trusting_nobody;
#[cfg(feature = "tls")]
use crate::tls::meaning;

/// Makes the client that all endpoints share.
pub(super) fn client(options: &ConsulOptions) -> Result<Client, BackendError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &options.token {
        headers.insert(HeaderName::from_static("x-consul-token"), token.header()?);
    }
    // A proxy meant for the world outside must not catch a registry, often on 127.0.0.1. Keep-alive
    // probes find a machine that died during a blocking query.
    let client = Client::builder()
        .no_proxy()
        .default_headers(headers)
        .connect_timeout(CONNECT)
        .tcp_keepalive(PROBE)
        .tcp_keepalive_interval(PROBE)
        .tcp_keepalive_retries(3);
    #[cfg(feature = "tls")]
    let client = match &options.tls {
        Some(tls) => client.tls_backend_preconfigured(tls.config()).https_only(true),
        None => client.tls_backend_preconfigured(trusting_nobody()),
    };
    Ok(client.build()?)
}

/// Consul's HTTP interface at one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Api {
    client: Client,
    endpoint: Url,
}

/// Where a request goes: the path below `/v1`, and its query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Segments, which may have any characters; a `/` inside stays one.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
}

/// What Consul said.
#[derive(Debug)]
pub(super) struct Answer {
    /// From the header `X-Consul-Index`.
    pub(super) index: Option<u64>,
    pub(super) body: Vec<u8>,
}

impl Api {
    pub(super) fn new(client: Client, endpoint: Url) -> Self {
        Self { client, endpoint }
    }

    /// Checks that the endpoint belongs to a cluster with a leader.
    pub(super) async fn check(&self) -> Result<(), ApiError> {
        let answer = self.get(Place { path: &["status", "leader"], query: &[] }, CHECK).await?;
        match answer.read::<String>()?.as_str() {
            "" => Err(self.error(Problem::NoLeader)),
            _ => Ok(()),
        }
    }

    /// Reads; a place where nothing is gives an answer without a body.
    pub(super) async fn get(&self, from: Place<'_>, time: Duration) -> Result<Answer, ApiError> {
        let request = self.request(Method::GET, from).timeout(time);
        match self.send(request).await {
            Err(ApiError { problem: Problem::Status { status, index, .. }, .. })
                if status == StatusCode::NOT_FOUND =>
            {
                Ok(Answer { index, body: Vec::new() })
            }
            result => result,
        }
    }

    /// Writes a text.
    pub(super) async fn put(&self, to: Place<'_>, body: &str) -> Result<Answer, ApiError> {
        self.send(self.request(Method::PUT, to).timeout(REQUEST).body(body.to_owned())).await
    }

    /// Writes a JSON value.
    pub(super) async fn put_json(
        &self,
        to: Place<'_>,
        body: &impl Serialize,
    ) -> Result<Answer, ApiError> {
        self.send(self.request(Method::PUT, to).timeout(REQUEST).json(body)).await
    }

    /// Deletes.
    pub(super) async fn delete(&self, at: Place<'_>) -> Result<Answer, ApiError> {
        self.send(self.request(Method::DELETE, at).timeout(REQUEST)).await
    }

    fn request(&self, method: Method, place: Place<'_>) -> RequestBuilder {
        let mut url = self.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().push("v1").extend(place.path);
        }
        if !place.query.is_empty() {
            url.query_pairs_mut().extend_pairs(place.query);
        }
        self.client.request(method, url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ApiError> {
        let error = |problem| self.error(problem);
        let response = request.send().await.map_err(|e| error(Problem::Transport(e)))?;
        let status = response.status();
        let index = response.headers().get("x-consul-index");
        let index = index.and_then(|index| index.to_str().ok()?.parse().ok());
        let body = read_body(response).await.map_err(error)?;
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body);
            let text = text.trim().chars().take(LONGEST_TEXT).collect();
            return Err(error(Problem::Status { status, text, index }));
        }
        Ok(Answer { index, body })
    }

    fn error(&self, problem: Problem) -> ApiError {
        let host = self.endpoint.host_str().unwrap_or_default();
        let port = self.endpoint.port_or_known_default().unwrap_or_default();
        ApiError { endpoint: format!("{host}:{port}"), problem }
    }
}

/// Reads a body of bounded length.
async fn read_body(mut response: Response) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Problem::Transport)? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Err(Problem::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl Answer {
    /// Reads the body as JSON.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Tells whether Consul did what it was asked to do on a condition.
    pub(super) fn is_true(&self) -> bool {
        self.body.trim_ascii() == b"true"
    }
}

/// Why a request failed.
#[derive(Debug)]
pub(super) struct ApiError {
    endpoint: String,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Transport(reqwest::Error),
    Status { status: StatusCode, text: String, index: Option<u64> },
    Json(serde_json::Error),
    TooLong,
    NoLeader,
}

impl ApiError {
    /// Gives Consul's words, if the request arrived and was refused.
    pub(super) fn refusal(&self) -> Option<&str> {
        match &self.problem {
            Problem::Status { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Tells whether Consul knows nothing of what the request named.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.problem, Problem::Status { status: StatusCode::NOT_FOUND, .. })
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self { endpoint: "Consul".to_owned(), problem: Problem::Json(error) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.endpoint)?;
        match &self.problem {
            // The cause says more than reqwest's own text, which is mostly the URL.
            Problem::Transport(error) => {
                f.write_str(&meaning(error).unwrap_or_else(|| innermost(error)))
            }
            Problem::Status { status, text, .. } if text.is_empty() => write!(f, "{status}"),
            Problem::Status { status, text, .. } => write!(f, "{status}: {text}"),
            Problem::Json(error) => write!(f, "an answer is not as expected: {error}"),
            Problem::TooLong => write!(f, "an answer has more than {LONGEST_BODY} bytes"),
            Problem::NoLeader => f.write_str("the cluster has no leader"),
        }
    }
}

/// Without TLS there are no errors of TLS.
#[cfg(not(feature = "tls"))]
fn meaning(_: &dyn Error) -> Option<String> {
    None
}

fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Transport(error) => Some(error),
            Problem::Json(error) => Some(error),
            _ => None,
        }
    }
}

/// How long an ordinary request may take; the supervisor allows no more.
pub(super) const REQUEST: Duration = Duration::from_secs(3);
/// How long an endpoint that is tried may take; the next one is to have time, too.
const CHECK: Duration = Duration::from_secs(2);
/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a silent connection is trusted, three times over.
const PROBE: Duration = Duration::from_secs(5);
/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 16 * 1024 * 1024;
/// How much of a refusal goes into a message, in characters.
const LONGEST_TEXT: usize = 300;
