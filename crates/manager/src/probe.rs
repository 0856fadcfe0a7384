//! Asking a metering server how it is, and whether work moves.
//!
//! How a request fails says much: nobody listens, no way there, or somebody took the connection
//! and does not answer. These are told apart, never lumped together as "not running".

use std::time::{Duration, Instant};

use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode};
use serde::Deserialize;
use usher_api::{Code, GrantsNothing, Health, Listener, Role};
use usher_core::health::{ApiAnswer, PackWord, WorkSeen};
use usher_core::lifecycle::ServiceState;

use crate::reach::{self, ANSWER, CONNECT, NoAnswer, NotWhole};

/// The largest answer that is read, in bytes.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The HTTP clients with which servers are asked.
#[derive(Debug, Clone)]
pub(crate) struct Prober {
    plain: Client,
    /// For `https://`: the TLS handshake counts as the server's answer and not as part of
    /// connecting, so no connect timeout may end it.
    secure: Client,
    /// Whether it trusts a named authority besides the system's own.
    names_authority: bool,
}

/// The result of one poll.
pub(crate) struct Look {
    pub(crate) api: ApiAnswer,
    pub(crate) work: WorkSeen,
    /// Why the server answers but grants nothing; none: it grants.
    pub(crate) grants_nothing: Option<GrantsNothing>,
}

impl Look {
    /// A result with only the API's answer.
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

/// An answer, or the way in which there was none.
enum Reply {
    Said(StatusCode, Vec<u8>),
    No(NoAnswer),
}

impl Prober {
    /// A probe that trusts the system's certificate authorities and the given one.
    pub(crate) fn new(authority: Option<&[u8]>) -> Result<Self, String> {
        // Another part of the process may have installed one already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Prober {
            plain: client(authority, |builder| builder.connect_timeout(CONNECT))?,
            secure: client(authority, |builder| builder)?,
            names_authority: authority.is_some(),
        })
    }

    /// The client for a URL.
    pub(crate) fn http(&self, url: &str) -> &Client {
        match url.starts_with("https://") {
            true => &self.secure,
            false => &self.plain,
        }
    }

    /// A client whose connections may take as long as the request itself.
    pub(crate) fn patient(&self) -> &Client {
        &self.secure
    }

    /// Polls a server: asks its API, and whether a canary gets a seat. `name` is its name in
    /// advice.
    pub(crate) async fn look(&self, name: &str, url: &str, token: &str) -> Look {
        let url = url.trim_end_matches('/');
        let http = self.http(url);
        let health = match self.send(http.get(format!("{url}/v1/health"))).await {
            Reply::No(NoAnswer::None(answer)) => return Look::at_nothing_but(answer),
            Reply::No(NoAnswer::Odd(answer)) => {
                return Look::at_nothing_but(self.or_tls(name, url, answer).await);
            }
            Reply::Said(status, body) => match serde_json::from_slice::<Health>(&body) {
                Ok(health) if status.is_success() || status.as_u16() == 503 => health,
                _ => {
                    let what = format!("{status} where an Usher server tells its health");
                    let answer = self.or_tls(name, url, ApiAnswer::Strange(what)).await;
                    return Look::at_nothing_but(answer);
                }
            },
        };
        if health.is_of(Listener::Manager) == Some(true) {
            return Look::at_nothing_but(ApiAnswer::Declines(a_manager(name)));
        }
        let (state, pack, work) = tokio::join!(
            self.state(url, token),
            self.pack(url, token),
            self.canary(name, url, token)
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

    /// What an answer that is not from an Usher server means: the server may speak TLS.
    async fn or_tls(&self, name: &str, url: &str, answer: ApiAnswer) -> ApiAnswer {
        let Some(rest) = url.strip_prefix("http://") else {
            return answer;
        };
        let secure = format!("https://{rest}");
        let asked = self.secure.get(format!("{secure}/v1/health")).send();
        let speaks_tls = match asked.await {
            Ok(_) => true,
            Err(error) => usher_tls::is_spoken(&error),
        };
        match speaks_tls {
            true => ApiAnswer::Declines(format!(
                "it speaks TLS, and its URL here begins with http://: `usher servers edit {name} \
                 --url {secure}` changes that"
            )),
            false => answer,
        }
    }

    /// Whether a manager, not a metering server, answers at a URL, as far as it says so.
    pub(crate) async fn is_manager(&self, url: &str) -> bool {
        let health: Option<Health> = self.fetch(url, "/v1/health", "", BODY_LIMIT_BYTES).await;
        health.and_then(|it| it.is_of(Listener::Manager)) == Some(true)
    }

    /// Why the server at a URL does not accept a token; none: it does, or does not say.
    pub(crate) async fn declines(&self, name: &str, url: &str, token: &str) -> Option<String> {
        match self.canary(name, url.trim_end_matches('/'), token).await {
            Err(ApiAnswer::Declines(why)) => Some(why),
            _ => None,
        }
    }

    /// The answer of a server; none: it answers something else, too much, or nothing.
    pub(crate) async fn fetch<T: serde::de::DeserializeOwned>(
        &self,
        url: &str,
        path: &str,
        token: &str,
        limit_bytes: usize,
    ) -> Option<T> {
        let url = url.trim_end_matches('/');
        let request = self.http(url).get(format!("{url}{path}"));
        let request = request.bearer_auth(token);
        match self.send_within(request, limit_bytes).await {
            Reply::Said(StatusCode::OK, body) => serde_json::from_slice(&body).ok(),
            _ => None,
        }
    }

    /// The state that a server reports. A server that answers and reports none is running.
    async fn state(&self, url: &str, token: &str) -> ServiceState {
        let request = self
            .http(url)
            .get(format!("{url}/v1/service"))
            .bearer_auth(token);
        let told = match self.send(request).await {
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
        let request = self.http(url).get(format!("{url}/v1/pack"));
        let request = request.bearer_auth(token);
        let Reply::Said(StatusCode::OK, body) = self.send(request).await else {
            return None;
        };
        let pack = serde_json::from_slice::<Pack>(&body).ok()?;
        (pack.state == "running").then(|| PackWord {
            percent: (pack.progress.clamp(0.0, 1.0) * 100.0) as u8,
        })
    }

    async fn canary(&self, name: &str, url: &str, token: &str) -> Result<WorkSeen, ApiAnswer> {
        let request = self
            .http(url)
            .post(format!("{url}/v1/canary"))
            .bearer_auth(token)
            .body("");
        let asked = Instant::now();
        let (status, body) = match self.send(request).await {
            Reply::Said(status, body) => (status, body),
            Reply::No(NoAnswer::None(ApiAnswer::Silent(waited))) => {
                return Ok(WorkSeen::StandsStill(waited));
            }
            Reply::No(NoAnswer::None(answer) | NoAnswer::Odd(answer)) => return Err(answer),
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
            401 | 403 => Err(ApiAnswer::Declines(refused(name, &what, detail))),
            404 | 405 => Err(ApiAnswer::Strange(format!(
                "it knows no canary, as before version 0.2 ({what})"
            ))),
            // Nothing was taken for so long that what waits is given back.
            _ if code == Some(Code::Busy.as_str()) => Ok(WorkSeen::StandsStill(asked.elapsed())),
            _ => Ok(WorkSeen::Refused(what)),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Reply {
        self.send_within(request, BODY_LIMIT_BYTES).await
    }

    async fn send_within(&self, request: RequestBuilder, limit_bytes: usize) -> Reply {
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Reply::No(reach::no_answer(&error, self.names_authority).await),
        };
        let status = response.status();
        match reach::whole(&mut response, limit_bytes).await {
            Ok(body) => Reply::Said(status, body),
            Err(NotWhole::Cut(error)) => {
                Reply::No(reach::no_answer(&error, self.names_authority).await)
            }
            Err(endless) => Reply::No(NoAnswer::None(ApiAnswer::Strange(endless.to_string()))),
        }
    }
}

/// A client for servers, configured by `set`.
fn client(
    authority: Option<&[u8]>,
    set: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, String> {
    let mut builder = Client::builder()
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
    set(builder).build().map_err(|error| error.to_string())
}

/// What to report if a manager answers instead of a metering server.
pub(crate) fn a_manager(name: &str) -> String {
    format!(
        "what answers there is a manager, not a metering server, whose port is usually 8470: \
         `usher servers edit {name} --url URL` names the server's"
    )
}

/// What to report if a server does not accept the manager's token.
fn refused(name: &str, what: &str, detail: Option<&str>) -> String {
    // Its own words, of any version: no token of a server opens it.
    if detail.is_some_and(|detail| detail.contains("--at-manager")) {
        return a_manager(name);
    }
    if let Some(role) = detail.and_then(role_in) {
        return format!(
            "its token here is of role {}, and a manager needs one of role manager, viewer, \
             operator or admin: `usher token create --role manager` on that server makes one, and \
             `usher servers edit {name} --token-file FILE` gives it to the manager",
            role.as_str()
        );
    }
    // What else it says is how to make one.
    let why = detail.and_then(|detail| detail.split(':').next());
    format!(
        "it does not accept the manager's token ({what}: {}): `usher token create --role manager` on \
         that server makes one, and `usher servers edit {name} --token-file FILE` gives it to the \
         manager",
        why.unwrap_or("it does not say why")
    )
}

/// The role of a token that a server refuses because of its role.
pub(crate) fn role_in(detail: &str) -> Option<Role> {
    let (_, rest) = detail.split_once("a token of role ")?;
    let word = rest.split(' ').next()?;
    let roles = [
        Role::Client,
        Role::Agent,
        Role::Backup,
        Role::Manager,
        Role::Viewer,
        Role::Operator,
        Role::Admin,
    ];
    roles.into_iter().find(|role| role.as_str() == word)
}
