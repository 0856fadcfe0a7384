//! A small client of `/v1`, over TCP, TLS or an agent's local socket.
//!
//! It carries typed requests and answers and turns problem documents into [`ClientError::Problem`].
//! It repeats nothing by itself: who calls knows whether a request may be sent twice.

mod error;
#[cfg(unix)]
#[path = "client/unix.rs"]
mod local;
#[cfg(windows)]
#[path = "client/windows.rs"]
mod local;
mod slow;
mod url;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::slow::Slow;
use crate::unreached::{CONNECT_WITHIN, describe, why_no_answer};
use crate::{Health, Problem};

pub use error::ClientError;
pub use local::AGENT_SOCKET;
pub use url::{check_url, escaped, is_here};

/// The address of a server or of an agent's local socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `http://HOST:PORT` or `https://HOST:PORT`.
    Url(String),
    /// The path of a local socket: a file, on Windows `\\.\pipe\NAME`.
    Socket(PathBuf),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Endpoint::Url(url) => f.write_str(url),
            Endpoint::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A connection pool to one endpoint, with a token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    endpoint: Endpoint,
    /// Whether it trusts a named authority besides the system's own.
    names_authority: bool,
    /// Shared by all copies of a client, so that they use the same token after it was read again.
    token: Arc<RwLock<Option<String>>>,
    token_file: Option<Arc<Path>>,
    /// Whether a thread is reading the file now.
    reads_token: Arc<AtomicBool>,
    slow: Option<Slow>,
    /// The time limit of a call.
    within: Duration,
    /// The watched server that a manager is asked about.
    of_server: Option<Arc<str>>,
}

/// How long reading the token file may take.
const TOKEN_WITHIN: Duration = Duration::from_secs(5);

/// The default time limit of a call; a long poll adds its own wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(40);

impl Client {
    /// A client of `endpoint` that sends `token`. `ca_pem` is a certificate authority to trust
    /// besides the system's own.
    pub fn new(
        endpoint: Endpoint,
        token: Option<String>,
        ca_pem: Option<&[u8]>,
    ) -> Result<Self, ClientError> {
        // Another part of the process may have installed one already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let setup = |why: String| ClientError::Setup {
            endpoint: endpoint.to_string(),
            why,
        };
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(CALL_TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("usher/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = ca_pem {
            // An empty list is taken in silence, and then the server is not.
            usher_tls::authorities(pem)
                .map_err(|why| setup(format!("the file of --ca-file cannot be used: {why}")))?;
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| setup(describe(&error, false)))?;
            builder = builder.tls_certs_merge(certificates);
        }
        if !matches!(&endpoint, Endpoint::Url(url) if url.starts_with("https://")) {
            // Without TLS nobody's certificate is looked at: reading the system's own would only
            // make each start of a command slower.
            builder = builder.tls_certs_only(std::iter::empty());
        }
        let base = match &endpoint {
            Endpoint::Url(url) => url.trim_end_matches('/').to_owned(),
            Endpoint::Socket(path) => {
                builder = local::through(builder, path);
                "http://localhost".to_owned()
            }
        };
        let http = builder
            .build()
            .map_err(|error| setup(describe(&error, false)))?;
        Ok(Client {
            http,
            base,
            endpoint,
            names_authority: ca_pem.is_some(),
            token: Arc::new(RwLock::new(token)),
            token_file: None,
            reads_token: Arc::default(),
            slow: None,
            within: CALL_TIMEOUT,
            of_server: None,
        })
    }

    /// Asks a manager about the server that it watches under that name: each request says so in its
    /// query.
    #[must_use]
    pub fn of_server(mut self, name: &str) -> Self {
        self.of_server = Some(name.into());
        self
    }

    /// Calls `tell`, once for this client and its copies, if no answer begins within `after`; for a
    /// long poll, after its own wait.
    #[must_use]
    pub fn telling(mut self, after: Duration, tell: fn(&Endpoint)) -> Self {
        self.slow = Some(Slow::new(after, tell));
        self
    }

    /// A copy with the same connections that never calls `tell`.
    #[must_use]
    pub fn silent(&self) -> Self {
        Client {
            slow: None,
            ..self.clone()
        }
    }

    /// Sets the time limit of calls, instead of 40 s; a long poll adds its own wait.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Where its token was read: it is read there again when the server refuses the token, for
    /// whatever reason, and the request is sent once more if the file holds another by then.
    #[must_use]
    pub fn reading_again(mut self, token_file: PathBuf) -> Self {
        self.token_file = Some(token_file.into());
        self
    }

    /// Reads the token's file now, if it has one. True: that holds another token than the one shown
    /// so far, and it is shown from now on.
    pub async fn takes_another_token(&self) -> bool {
        let shown = {
            let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
            token.as_deref().and_then(bearer)
        };
        self.another_token(shown.as_ref()).await.is_some()
    }

    /// The file that its token is read from again; none if it was given the token itself.
    pub fn token_file(&self) -> Option<&Path> {
        self.token_file.as_deref()
    }

    /// The address that it asks.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// GET `path` (with its query).
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let body = self.asked(self.request(Method::GET, path)).await?;
        self.parse(body.as_ref())
    }

    /// GET `path` with the header `name`.
    pub async fn get_showing<T: DeserializeOwned>(
        &self,
        path: &str,
        name: &str,
        shown: &str,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::GET, path).header(name, shown);
        self.parse(self.asked(request).await?.as_ref())
    }

    /// GET `/v1/health`: what the server says about itself, also if that is that it cannot serve.
    pub async fn health(&self) -> Result<Health, ClientError> {
        let request = self.request(Method::GET, "/v1/health");
        let sent = slow::told(&self.slow, &self.endpoint, Duration::ZERO, request.send());
        let response = match sent.await {
            Ok(response) => response,
            Err(error) => return Err(self.unreachable(&error).await),
        };
        let status = response.status();
        if status.is_success() || status.as_u16() == 503 {
            return self.parse(self.body(response).await?.as_ref());
        }
        Err(self.not_understood(format!("HTTP status {status}")))
    }

    /// GET `path`, which the server may answer only after `wait` (a long poll).
    pub async fn get_waiting<T: DeserializeOwned>(
        &self,
        path: &str,
        wait: Duration,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::GET, path).timeout(self.within + wait);
        self.parse(self.asked_waiting(request, wait).await?.as_ref())
    }

    /// GET `path` as a stream, such as server-sent events or a backup: read it with `chunk()`.
    pub async fn get_stream(&self, path: &str) -> Result<Response, ClientError> {
        let request = self
            .request(Method::GET, path)
            .timeout(Duration::from_secs(7 * 86_400));
        self.send(request).await
    }

    /// POST `body` to `path`.
    pub async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::POST, path).json(body);
        self.parse(self.asked(request).await?.as_ref())
    }

    /// POST `body` to `path` under an idempotency key: it may then be repeated.
    pub async fn post_keyed<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let request = self
            .request(Method::POST, path)
            .header("Idempotency-Key", key)
            .json(body);
        self.parse(self.asked(request).await?.as_ref())
    }

    /// POST `body` to `path`; the answer has no body.
    pub async fn tell<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, path).json(body))
            .await
            .map(drop)
    }

    /// POST to `path` without a body.
    pub async fn post_empty<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let body = self.asked(self.request(Method::POST, path)).await?;
        self.parse(body.as_ref())
    }

    /// PUT `body` to `path`.
    pub async fn put<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::PUT, path).json(body);
        self.parse(self.asked(request).await?.as_ref())
    }

    /// PATCH `path` with a JSON body.
    pub async fn patch<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::PATCH, path).json(body);
        self.parse(self.asked(request).await?.as_ref())
    }

    /// DELETE `path`.
    pub async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, path))
            .await
            .map(drop)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut url = format!("{}{path}", self.base);
        if let Some(name) = &self.of_server {
            url.push(if path.contains('?') { '&' } else { '?' });
            url.push_str(&format!("server={}", escaped(name)));
        }
        let request = self.http.request(method, url).timeout(self.within);
        match &*self.token.read().unwrap_or_else(PoisonError::into_inner) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The token in the file, if it differs from the one that was `shown`.
    async fn another_token(&self, shown: Option<&HeaderValue>) -> Option<HeaderValue> {
        let file = self.token_file.clone()?;
        // Its disk may hang, and who asks here may be the only thread: one thread reads at most, and
        // nobody waits for it for long.
        if self.reads_token.swap(true, Ordering::AcqRel) {
            return None;
        }
        let is_read = self.reads_token.clone();
        let read = tokio::task::spawn_blocking(move || {
            let token = crate::secret_in(&file).ok();
            is_read.store(false, Ordering::Release);
            token
        });
        let token = tokio::time::timeout(TOKEN_WITHIN, read)
            .await
            .ok()?
            .ok()??;
        let bearer = bearer(&token)?;
        if shown == Some(&bearer) {
            return None;
        }
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Some(bearer)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, ClientError> {
        self.send_waiting(request, Duration::ZERO).await
    }

    /// Sends a request, which the server may answer only after `wait`.
    async fn send_waiting(
        &self,
        request: reqwest::RequestBuilder,
        wait: Duration,
    ) -> Result<Response, ClientError> {
        let request = request
            .build()
            .map_err(|error| self.no_answer(describe(&error, self.names_authority)))?;
        let shown = request.headers().get(AUTHORIZATION).cloned();
        let again = self.token_file.as_ref().and(request.try_clone());
        let sent = self.execute(request);
        let mut response = slow::told(&self.slow, &self.endpoint, wait, sent).await?;
        // Nothing was done for a token that is not taken, so that it may be sent again.
        if is_for_the_token(response.status().as_u16())
            && let Some(mut again) = again
            && let Some(bearer) = self.another_token(shown.as_ref()).await
        {
            again.headers_mut().insert(AUTHORIZATION, bearer);
            response = self.execute(again).await?;
        }
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let id = response.headers().get("x-request-id");
        let id = id.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let bytes = self.body(response).await?;
        match serde_json::from_slice::<Problem>(bytes.as_ref()) {
            Ok(mut problem) => {
                problem.request_id = problem.request_id.or(id);
                Err(ClientError::Problem(Box::new(problem)))
            }
            Err(_) => {
                let request = id.map_or_else(String::new, |id| format!(", request {id}"));
                Err(self.not_understood(format!("HTTP status {status}{request}")))
            }
        }
    }

    async fn asked(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<impl AsRef<[u8]>, ClientError> {
        self.asked_waiting(request, Duration::ZERO).await
    }

    /// Sends a request and reads the answer's body. It knows nothing of the type that is wanted, so
    /// it is compiled once instead of once for each such type.
    async fn asked_waiting(
        &self,
        request: reqwest::RequestBuilder,
        wait: Duration,
    ) -> Result<impl AsRef<[u8]>, ClientError> {
        let response = self.send_waiting(request, wait).await?;
        self.body(response).await
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|error| self.not_understood(error.to_string()))
    }

    async fn execute(&self, request: reqwest::Request) -> Result<Response, ClientError> {
        match self.http.execute(request).await {
            Ok(response) => Ok(response),
            Err(error) => Err(self.unreachable(&error).await),
        }
    }

    async fn body(&self, response: Response) -> Result<impl AsRef<[u8]>, ClientError> {
        match response.bytes().await {
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(self.unreachable(&error).await),
        }
    }

    async fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        self.no_answer(why_no_answer(error, self.names_authority).await)
    }

    fn no_answer(&self, why: String) -> ClientError {
        ClientError::Unreachable {
            endpoint: self.endpoint.to_string(),
            why,
        }
    }

    fn not_understood(&self, why: String) -> ClientError {
        ClientError::NotUnderstood {
            endpoint: self.endpoint.to_string(),
            why,
        }
    }
}

/// Whether a status may be due to the token: it is unknown, revoked or expired (401), another
/// computer's, or of a role without the right (403).
fn is_for_the_token(status: u16) -> bool {
    matches!(status, 401 | 403)
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}
