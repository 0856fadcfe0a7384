//! Forwards a request to a watched server, with the manager's token, on behalf of its sender.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use usher_api::{Code, ON_BEHALF_OF, Problem, Role};
use usher_http::{REQUEST_ID, RequestId};

use crate::app::App;
use crate::asker::Asker;
use crate::probe::role_in;
use crate::problem::Refusal;
use crate::reach::{innermost, whole};

/// The largest answer of a server, in bytes.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// A watched server, and the client for it.
#[derive(Debug, Clone)]
pub(in crate::routes) struct Asked {
    pub(in crate::routes) name: String,
    pub(in crate::routes) url: String,
    pub(in crate::routes) token: String,
}

/// The header by which a request may be repeated.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How many servers an error names if one has to be chosen.
const NAMED: usize = 5;

/// The request to a server.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Bytes,
    /// The idempotency key of the sender.
    pub(super) key: Option<HeaderValue>,
}

/// The idempotency key of a request, if it has one.
pub(super) fn key(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(IDEMPOTENCY_KEY).cloned()
}

impl Ask {
    /// The answer of the named server, or of the only one.
    pub(super) async fn of(
        self,
        app: &Arc<App>,
        server: Option<&str>,
        asker: &Asker,
        request: &RequestId,
    ) -> Result<Response, Refusal> {
        let server = the_one(app, server)?;
        let is_look = self.method == Method::GET;
        let url = format!("{}{}", server.url.trim_end_matches('/'), self.path);
        let http = app.tools.prober.http(&server.url);
        let mut asking = http
            .request(self.method, url)
            .bearer_auth(&server.token)
            .header(REQUEST_ID, request.to_string());
        if !is_look {
            // Whoever may look here may look there: a token of a viewer is enough for it.
            let other = format!("{} {}", asker.role.as_str(), asker.id);
            asking = asking.header(ON_BEHALF_OF, other);
        }
        if let Some(key) = self.key {
            asking = asking.header(IDEMPOTENCY_KEY, key);
        }
        if !self.body.is_empty() {
            asking = asking
                .header(CONTENT_TYPE, "application/json")
                .body(self.body);
        }
        let answer = asking.send().await;
        let answer = answer.map_err(|error| {
            let why = innermost(&error);
            unanswered(&server.name, &why, error.is_connect(), is_look)
        })?;
        passed_on(&server.name, answer, is_look).await
    }
}

/// The named server; if none is named, the only one that is watched.
fn the_one(app: &App, named: Option<&str>) -> Result<Asked, Refusal> {
    let mut all = servers(app);
    if named.is_none() {
        each_once(app, &mut all);
    }
    match named {
        Some(name) => {
            let found = all.iter().position(|server| server.name == name);
            found
                .map(|at| all.swap_remove(at))
                .ok_or_else(|| Refusal::unknown_server(name))
        }
        None if all.len() == 1 => Ok(all.swap_remove(0)),
        None if all.is_empty() => Err(Refusal::new(
            Code::UnknownServer,
            "no metering server is watched: `usher servers add` has one watched",
        )),
        None => Err(Refusal::invalid(format!(
            "{} metering servers are watched ({}): say which is meant by `?server=NAME`",
            all.len(),
            named_first(&all)
        ))),
    }
}

/// The names of the first servers, and how many more there are.
fn named_first(all: &[Asked]) -> String {
    let mut names: Vec<&str> = all.iter().map(|it| &*it.name).take(NAMED).collect();
    let more = all.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("{more} more"));
    names.extend(more.as_deref());
    names.join(", ")
}

/// Those that are watched, in the order of their names.
pub(in crate::routes) fn servers(app: &App) -> Vec<Asked> {
    let watches = app.watches();
    let asked = watches.values().map(|watch| Asked {
        name: watch.view.get().name,
        url: watch.view.get().url,
        token: watch.token.read(),
    });
    asked.collect()
}

/// Leaves out those that count under another name.
pub(super) fn each_once(app: &App, all: &mut Vec<Asked>) {
    all.retain(|server| app.tools.identities.counts(&server.name));
}

/// What a server answers to a look, or why it does not.
pub(in crate::routes) async fn look(
    app: &App,
    server: &Asked,
    path: &str,
) -> Result<Vec<u8>, String> {
    look_or(app, server, path).await.map_err(|not| not.why)
}

/// Why there is no answer to a look.
#[derive(Debug)]
pub(in crate::routes) struct NotSeen {
    /// The code of the server's refusal, if it refused.
    pub(in crate::routes) code: Option<String>,
    /// Why, in words.
    pub(in crate::routes) why: String,
}

impl From<String> for NotSeen {
    fn from(why: String) -> NotSeen {
        NotSeen { code: None, why }
    }
}

/// The same, with the code of a refusal.
pub(in crate::routes) async fn look_or(
    app: &App,
    server: &Asked,
    path: &str,
) -> Result<Vec<u8>, NotSeen> {
    let url = format!("{}{path}", server.url.trim_end_matches('/'));
    let http = app.tools.prober.http(&server.url);
    let asking = http.get(url).bearer_auth(&server.token);
    let mut answer = asking.send().await.map_err(|error| innermost(&error))?;
    let status = answer.status();
    let body = whole(&mut answer, ANSWER_BYTES).await;
    let body = body.map_err(|why| why.to_string())?;
    match status {
        StatusCode::OK => Ok(body),
        _ => Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => NotSeen {
                code: Some(problem.code),
                why: problem.detail,
            },
            Err(_) => format!("it answers {status}").into(),
        }),
    }
}

/// The refusal if a server has not answered. Only for a GET request, or without a connection, is it
/// known that nothing was changed.
fn unanswered(name: &str, why: &str, never_asked: bool, is_look: bool) -> Refusal {
    match is_look || never_asked {
        true => Refusal::new(
            Code::ServerUnreachable,
            format!("the metering server {name} does not answer ({why}); nothing was changed"),
        ),
        false => Refusal::new(
            Code::OutcomeUnknown,
            format!(
                "the metering server {name} has not answered whether it was done ({why}): see \
                 there how it is before it is asked again"
            ),
        ),
    }
}

async fn passed_on(
    name: &str,
    mut answer: reqwest::Response,
    is_look: bool,
) -> Result<Response, Refusal> {
    let status = answer.status();
    if status == StatusCode::UNAUTHORIZED {
        return Err(Refusal::new(
            Code::Forbidden,
            format!(
                "the metering server {name} does not accept the manager's token: `usher token \
                 create --role manager` makes one there, and `usher servers edit {name} \
                 --token-file FILE` gives it to the manager"
            ),
        ));
    }
    let body = whole(&mut answer, ANSWER_BYTES)
        .await
        .map_err(|why| unanswered(name, &why.to_string(), false, is_look))?;
    if let Some(refusal) = acts_for_nobody(name, status, &body) {
        return Err(refusal);
    }
    let mut response = Response::builder().status(status);
    for header in [CONTENT_TYPE, LOCATION] {
        if let Some(value) = answer.headers().get(&header) {
            response = response.header(header, value);
        }
    }
    response
        .body(Body::from(with_server(body, name)))
        .map_err(|error| Refusal::new(Code::Internal, error.to_string()))
}

/// The refusal if the server accepts the manager's token but lets it act for nobody else; the
/// sender does not know that the manager forwards the request.
fn acts_for_nobody(name: &str, status: StatusCode, body: &[u8]) -> Option<Refusal> {
    let problem: Problem = serde_json::from_slice(body).ok()?;
    if status != StatusCode::FORBIDDEN || !problem.detail.contains(ON_BEHALF_OF) {
        return None;
    }
    let role = role_in(&problem.detail).map_or("another role", Role::as_str);
    Some(Refusal::new(
        Code::Forbidden,
        format!(
            "the manager's token of the metering server {name} is of role {role}, and one of role \
             manager changes what is owned there: `usher token create --role manager` on that \
             server makes one, and `usher servers edit {name} --token-file FILE` gives it to the \
             manager"
        ),
    ))
}

/// The answer with `server` added; an answer that is not an object stays unchanged.
fn with_server(body: Vec<u8>, name: &str) -> Vec<u8> {
    match serde_json::from_slice(&body) {
        Ok(Value::Object(mut object)) => {
            object.insert("server".to_owned(), name.into());
            Value::Object(object).to_string().into_bytes()
        }
        _ => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_a_manager_whose_token_changes_nothing_is_told_what_the_manager_lacks() {
        let refused = |detail: &str| {
            let problem = Problem::new(Code::Forbidden, detail);
            let body = serde_json::to_vec(&problem).unwrap();
            acts_for_nobody("beta", StatusCode::FORBIDDEN, &body).map(|it| format!("{it:?}"))
        };
        let said = refused(
            "a token of role viewer acts on nobody else's behalf: leave usher-on-behalf-of out, or \
             use a token of role manager",
        );
        let said = said.unwrap();
        for word in [
            "of role viewer",
            "servers edit beta --token-file",
            "--role manager",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("usher-on-behalf-of"), "{said}");
        assert_eq!(
            refused("an operator may not do this: use one of role admin"),
            None
        );
    }

    #[test]
    fn of_many_servers_the_first_are_named_where_one_is_to_be_chosen() {
        let asked = |name: &str| Asked {
            name: name.to_owned(),
            url: String::new(),
            token: String::new(),
        };
        let all: Vec<Asked> = ["a", "b", "c", "d", "e", "f", "g"].map(asked).into();
        assert_eq!(named_first(&all), "a, b, c, d, e, 2 more");
        assert_eq!(named_first(&all[..2]), "a, b");
    }

    #[test]
    fn an_answer_says_whose_it_is_and_what_is_no_object_stays_as_it_is() {
        let with = |body: &str| String::from_utf8(with_server(body.into(), "alpha")).unwrap();
        assert_eq!(
            with("{\"id\":\"cad\"}"),
            "{\"id\":\"cad\",\"server\":\"alpha\"}"
        );
        for other in ["", "[1]", "no JSON"] {
            assert_eq!(with(other), other);
        }
    }
}
