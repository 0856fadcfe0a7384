//! Asking a metering server how it is, and whether work moves.
//!
//! How a request fails says much: nobody listens, no way there, or somebody took the connection
//! and does not answer. These are told apart, never lumped together as "not running".

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use usher_api::{Code, GrantsNothing, Health, Role};
use usher_core::health::{ApiAnswer, PackWord, WorkSeen};
use usher_core::lifecycle::ServiceState;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// More of an answer is not read.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// A way to ask servers.
#[derive(Debug, Clone)]
pub(crate) struct Prober {
    http: Client,
}

/// What is found at one look.
pub(crate) struct Look {
    pub(crate) api: ApiAnswer,
    pub(crate) work: WorkSeen,
    /// Why nothing is granted, though the server answers.
    pub(crate) grants_nothing: Option<GrantsNothing>,
}

impl Look {
    /// There was no answer of the kind that tells more.
    fn at_nothing_but(api: ApiAnswer) -> Look {
        Look {
            api,
            work: WorkSeen::NotTried,
            grants_nothing: None,
        }
    }
}

#[derive(Deserialize)]
struct Service {
    state: String,
}

#[derive(Deserialize)]
struct Pack {
    state: String,
    #[serde(default)]
    progress: f64,
}

#[derive(Deserialize)]
struct Canary {
    seated: bool,
    why: Option<String>,
    took_seconds: f64,
}

#[derive(Deserialize)]
struct ProblemText {
    code: Option<String>,
    detail: Option<String>,
}

/// An answer, or how there was none.
enum Reply {
    Said(StatusCode, Vec<u8>),
    None(ApiAnswer),
    /// Something took the connection and broke it off, or spoke no HTTP.
    Odd(ApiAnswer),
}

impl Prober {
    /// Trusts the system's certificate authorities and the one given.
    pub(crate) fn new(authority: Option<&[u8]>) -> Result<Self, String> {
        // Another part of the process may have installed one already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .no_proxy()
            // A frozen server keeps its connections: each look takes a new one.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("usher-manager/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = authority {
            usher_tls::authorities(pem)
                .map_err(|why| format!("the file of --ca-file cannot be used: {why}"))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(pem).map_err(|error| error.to_string())?;
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| error.to_string())?;
        Ok(Prober { http })
    }

    /// The client behind it.
    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// Looks at a server: what its API says, and whether a canary is seated.
    pub(crate) async fn look(&self, url: &str, token: &str) -> Look {
        let url = url.trim_end_matches('/');
        let health = match send(self.http.get(format!("{url}/v1/health"))).await {
            Reply::None(answer) => return Look::at_nothing_but(answer),
            Reply::Odd(answer) => return Look::at_nothing_but(self.or_tls(url, answer).await),
            Reply::Said(status, body) => match serde_json::from_slice::<Health>(&body) {
                Ok(health) if status.is_success() || status.as_u16() == 503 => health,
                _ => {
                    let what = format!("{status} where an Usher server tells its health");
                    let answer = self.or_tls(url, ApiAnswer::Strange(what)).await;
                    return Look::at_nothing_but(answer);
                }
            },
        };
        let (state, pack, work) = tokio::join!(
            self.state(url, token),
            self.pack(url, token),
            self.canary(url, token)
        );
        let work = match work {
            Ok(work) => work,
            Err(answer) => return Look::at_nothing_but(answer),
        };
        let why = || {
            let why = health.why.clone();
            why.unwrap_or_else(|| "it does not say why".to_owned())
        };
        let api = match health.status.as_str() {
            "ok" => ApiAnswer::Well { state, pack },
            "degraded" => ApiAnswer::Withholds { state, why: why() },
            _ => ApiAnswer::Unwell { state, why: why() },
        };
        Look {
            api,
            work,
            grants_nothing: health.grants_nothing,
        }
    }

    /// What to say of an answer that is none of an Usher server's: it may speak TLS.
    async fn or_tls(&self, url: &str, answer: ApiAnswer) -> ApiAnswer {
        let Some(rest) = url.strip_prefix("http://") else {
            return answer;
        };
        let secure = format!("https://{rest}");
        let speaks_tls = match self.http.get(format!("{secure}/v1/health")).send().await {
            Ok(_) => true,
            Err(error) => usher_tls::is_spoken(&error),
        };
        match speaks_tls {
            true => ApiAnswer::Declines(format!(
                "it speaks TLS, and its URL here begins with http://: `usher servers edit NAME \
                 --url {secure}` changes that"
            )),
            false => answer,
        }
    }

    /// What a server answers there; none if it answers something else, too much, or nothing.
    pub(crate) async fn fetch<T: serde::de::DeserializeOwned>(
        &self,
        url: &str,
        path: &str,
        token: &str,
        limit_bytes: usize,
    ) -> Option<T> {
        let url = url.trim_end_matches('/');
        let request = self.http.get(format!("{url}{path}")).bearer_auth(token);
        match send_within(request, limit_bytes).await {
            Reply::Said(StatusCode::OK, body) => serde_json::from_slice(&body).ok(),
            _ => None,
        }
    }

    /// The state that it reports of itself. A server that answers and tells none runs.
    async fn state(&self, url: &str, token: &str) -> ServiceState {
        let request = self
            .http
            .get(format!("{url}/v1/service"))
            .bearer_auth(token);
        let told = match send(request).await {
            Reply::Said(StatusCode::OK, body) => serde_json::from_slice::<Service>(&body).ok(),
            _ => None,
        };
        let known = told.and_then(|service| {
            ServiceState::ALL
                .into_iter()
                .find(|state| state.name() == service.state)
        });
        known.unwrap_or(ServiceState::Running)
    }

    async fn pack(&self, url: &str, token: &str) -> Option<PackWord> {
        let request = self.http.get(format!("{url}/v1/pack")).bearer_auth(token);
        let Reply::Said(StatusCode::OK, body) = send(request).await else {
            return None;
        };
        let pack = serde_json::from_slice::<Pack>(&body).ok()?;
        (pack.state == "running").then(|| PackWord {
            percent: (pack.progress.clamp(0.0, 1.0) * 100.0) as u8,
        })
    }

    async fn canary(&self, url: &str, token: &str) -> Result<WorkSeen, ApiAnswer> {
        let request = self
            .http
            .post(format!("{url}/v1/canary"))
            .bearer_auth(token)
            .body("");
        let asked = Instant::now();
        let (status, body) = match send(request).await {
            Reply::Said(status, body) => (status, body),
            Reply::None(ApiAnswer::Silent(waited)) => return Ok(WorkSeen::StandsStill(waited)),
            Reply::None(answer) | Reply::Odd(answer) => return Err(answer),
        };
        if status == StatusCode::OK {
            return Ok(match serde_json::from_slice::<Canary>(&body) {
                Ok(canary) if canary.seated => WorkSeen::Moves(
                    Duration::try_from_secs_f64(canary.took_seconds).unwrap_or_default(),
                ),
                Ok(canary) => WorkSeen::Refused(canary.why.unwrap_or_default()),
                Err(_) => WorkSeen::Refused("an answer that is not understood".to_owned()),
            });
        }
        let told = serde_json::from_slice::<ProblemText>(&body).ok();
        let code = told.as_ref().and_then(|told| told.code.as_deref());
        let detail = told.as_ref().and_then(|told| told.detail.as_deref());
        let what = format!(
            "{} {}",
            status.as_u16(),
            code.or(detail).unwrap_or("without a reason")
        );
        match status.as_u16() {
            401 | 403 => Err(ApiAnswer::Declines(refused(&what, detail))),
            404 | 405 => Err(ApiAnswer::Strange(format!(
                "it knows no canary, as before version 0.2 ({what})"
            ))),
            // Nothing was taken for so long that what waits is given back.
            _ if code == Some(Code::Busy.as_str()) => Ok(WorkSeen::StandsStill(asked.elapsed())),
            _ => Ok(WorkSeen::Refused(what)),
        }
    }
}

async fn send(request: RequestBuilder) -> Reply {
    send_within(request, BODY_LIMIT_BYTES).await
}

async fn send_within(request: RequestBuilder, limit_bytes: usize) -> Reply {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return absent(&error),
    };
    let status = response.status();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() <= limit_bytes => {
                body.extend_from_slice(&piece);
            }
            Ok(Some(_)) => {
                return Reply::None(ApiAnswer::Strange("an answer without an end".to_owned()));
            }
            Ok(None) => return Reply::Said(status, body),
            Err(error) => return absent(&error),
        }
    }
}

/// How a server that does not take the manager's token is told of.
fn refused(what: &str, detail: Option<&str>) -> String {
    if let Some(role) = detail.and_then(role_in) {
        return format!(
            "its token here is of role {}, and a manager needs one of role viewer, operator or \
             admin: `usher token create --role viewer` on that server makes one, and `usher servers \
             edit NAME --token-file FILE` gives it to the manager",
            role.as_str()
        );
    }
    // What else it says is how to make one.
    let why = detail.and_then(|detail| detail.split(':').next());
    format!(
        "it does not take the manager's token ({what}: {}): `usher token create --role viewer` on \
         that server makes one, and `usher servers edit NAME --token-file FILE` gives it to the \
         manager",
        why.unwrap_or("it does not say why")
    )
}

/// The role of the token that a server refuses for it.
fn role_in(detail: &str) -> Option<Role> {
    let (_, rest) = detail.split_once("a token of role ")?;
    let word = rest.split(' ').next()?;
    let roles = [
        Role::Client,
        Role::Agent,
        Role::Backup,
        Role::Viewer,
        Role::Operator,
        Role::Admin,
    ];
    roles.into_iter().find(|role| role.as_str() == word)
}

/// What it means that there is no answer.
fn absent(error: &reqwest::Error) -> Reply {
    let kind = io_kind(error);
    if error.is_connect() {
        return Reply::None(match kind {
            Some(io::ErrorKind::ConnectionRefused) => ApiAnswer::Refused,
            _ if error.is_timeout() => {
                ApiAnswer::NoConnection(format!("none came about in {} s", CONNECT.as_secs()))
            }
            _ => ApiAnswer::NoConnection(innermost(error)),
        });
    }
    if error.is_timeout() {
        return Reply::None(ApiAnswer::Silent(ANSWER));
    }
    if speaks_no_http(error) {
        return Reply::Odd(ApiAnswer::Strange("it speaks no HTTP".to_owned()));
    }
    Reply::Odd(match kind {
        // It went away in the middle of the answer: nobody is there any more.
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => ApiAnswer::Refused,
        _ if error.is_request() => ApiAnswer::Refused,
        _ => ApiAnswer::Strange(innermost(error)),
    })
}

/// Whether what came back is no HTTP, such as the alert with which a server of TLS refuses it.
fn speaks_no_http(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        let of_http = error.downcast_ref::<hyper::Error>();
        if of_http.is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

/// What went wrong at bottom; of TLS in words, with what helps.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if let Some(told) = usher_tls::told(error) {
        return told.to_string();
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
