//! What an answer of a server or manager means for the user of a command, and what a missing answer
//! means.

use usher_api::client::ClientError;
pub(crate) use usher_api::is_of_tls;
use usher_api::{Code, Listener, Problem};

use super::api_text::{self, own_words};
use super::{About, Failure, exit, older};

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => refused(&problem).of(problem.request_id),
            ClientError::Unreachable { endpoint, why } => unreachable_server(&endpoint, &why),
            ClientError::NotUnderstood { .. } => Failure::failed(error.to_string())
                .next("Is it an Usher server of this version? `usher doctor` looks closer."),
            ClientError::Setup { .. } => Failure::usage(error.to_string()),
        }
    }
}

/// No server answers at `endpoint`.
fn unreachable_server(endpoint: &str, why: &str) -> Failure {
    // An agent that was there when it was looked for.
    if endpoint.starts_with('/') {
        return silent_agent(endpoint, why);
    }
    let (endpoint, why) = (endpoint.to_owned(), why.to_owned());
    unreachable(Listener::Server, &endpoint, &why).about(About::Silence { endpoint, why })
}

/// The agent at `socket` accepted the request and did not answer in time.
fn silent_agent(socket: &str, why: &str) -> Failure {
    Failure::new(
        exit::NO_SERVER,
        format!("the agent of this computer ({socket}) gave no answer: {why}"),
    )
    .next("`usher agent status` says whether it reaches its server.")
}

/// No manager answers at `endpoint`.
pub(super) fn unreachable_manager(endpoint: &str, why: &str) -> Failure {
    unreachable(Listener::Manager, endpoint, why)
}

fn unreachable(listener: Listener, endpoint: &str, why: &str) -> Failure {
    let name = listener.name();
    match is_of_tls(why) {
        true => Failure::new(
            exit::NO_SERVER,
            format!("cannot talk to the {name} at {endpoint}: {why}"),
        ),
        false => Failure::new(
            exit::NO_SERVER,
            format!("no Usher {name} answers at {endpoint}: {why}"),
        )
        .next(find(listener, endpoint, why)),
    }
}

/// The next step if no server answers at `url`.
pub(crate) fn find_server(url: &str, why: &str) -> String {
    find(Listener::Server, url, why)
}

/// The next step if nobody answers at `url`. Only if that is this computer, the text suggests to
/// start a server to try Usher out.
fn find(listener: Listener, url: &str, why: &str) -> String {
    let check = usher_api::what_to_check_of(listener, why).unwrap_or_default();
    let check = match check.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}. ", first.to_uppercase()),
        None => String::new(),
    };
    let try_out = match usher_api::client::is_here(url) {
        true => " To try Usher out on one computer, `usher up` starts all of it.",
        false => "",
    };
    let name = listener.name();
    format!(
        "{check}The {name} is named with --{name} URL or USHER_{}; whoever administers it knows \
         the URL.{try_out}",
        name.to_uppercase()
    )
}

/// The next step if a token is missing.
pub(super) const GIVE_TOKEN: &str = "Give a token with --token or USHER_TOKEN; an administrator makes one with `usher token create`.";
/// The next step if a token was shown that is not accepted.
pub(super) const OTHER_TOKEN: &str = "An administrator makes another with `usher token create`.";
/// The next step if a manager wants a token.
pub(super) const GIVE_MANAGERS_TOKEN: &str = "Give a token of the manager with --token or USHER_TOKEN; its administrator makes one with `usher token create --at-manager`.";

/// The server refused the request.
fn refused(problem: &Problem) -> Failure {
    if let Some(failure) = older::failure(problem) {
        // A manager, too, has no such route: whoever knows the address looks.
        return match problem.is(Code::NotFound) {
            true => failure.about(About::Route),
            false => failure,
        };
    }
    let mut message = own_words(&problem.detail);
    if let Some(id) = problem
        .request_id
        .as_ref()
        .filter(|_| is_unexpected(problem))
    {
        message.push_str(&format!(" (request {id} in the server's log)"));
    }
    let failure = Failure::new(exit_code(problem), message);
    if let Some(id) = &problem.decision_id {
        return failure.next(format!(
            "`usher why {id}` tells how the seats were held, and what would help."
        ));
    }
    if problem.is(Code::Unauthorized) {
        return not_let_in(problem);
    }
    if problem.is(Code::Forbidden) {
        return failure
            .next("An administrator can make a token that may, or do it for you.")
            .about(About::Role);
    }
    if problem.is(Code::RestoreHold) {
        return failure.next("`usher doctor` says until when, and how to end it before.");
    }
    // What says itself what to do is not told again.
    if problem.is(Code::NotLeading) {
        return failure;
    }
    if problem.status == 503 && own_words(&problem.detail).contains("try again") {
        return failure;
    }
    if problem.status == 503 {
        return failure.next("Try again in a moment; `usher doctor` looks at what may be wrong.");
    }
    if problem.is(Code::UnknownProduct) {
        let id = unknown_id(
            &problem.detail,
            &["there is no product ", "the agent knows no product "],
        );
        return failure
            .next("`usher product list` shows the products that there are.")
            .about(id.map_or(About::Anything, About::Product));
    }
    if problem.is(Code::UnknownDecision) {
        return unknown_decision(problem);
    }
    if problem.is(Code::UnknownEntitlement) {
        return failure.next("`usher entitlement list` shows what is owned.");
    }
    if problem.is(Code::DangerousRule) {
        return failure.next("--force takes it all the same.");
    }
    if problem.is(Code::NameTaken) {
        return failure.next("`usher entitlement list` shows which has which name.");
    }
    if problem.is(Code::ProductExists) {
        return failure.next("`usher product edit` changes it; or choose another id.");
    }
    failure
}

/// The id that an answer says is unknown.
fn unknown_id(detail: &str, starts: &[&str]) -> Option<String> {
    let mut rests = starts.iter().filter_map(|start| detail.strip_prefix(start));
    let word = rests.next()?.split([' ', ',', ';']).next()?;
    let id = word.trim_matches([':', '"', '`']);
    (!id.is_empty()).then(|| id.to_owned())
}

/// `usher why` was given an id of no decision that the user may see; the id's first letters say
/// what it is of.
fn unknown_decision(problem: &Problem) -> Failure {
    let id = unknown_id(&problem.detail, &["there is no decision "]);
    let of = |kind| id.as_deref().filter(|id| id.starts_with(kind));
    let (message, next) = match (of('L'), of('T')) {
        (Some(lease), _) => (
            format!("there is no lease {lease} that you may see"),
            "It may be mistyped, or somebody else's: `usher leases` lists yours, `usher usage` \
             those that have ended.",
        ),
        (_, Some(ticket)) => (
            format!("{ticket} is a place in the queue, and no decision"),
            "`usher queue` lists those that you have; `usher why` explains refusals and leases.",
        ),
        _ => (
            match &id {
                Some(id) => format!("there is no decision {id} that you may see"),
                None => own_words(&problem.detail),
            },
            "It may be mistyped, or somebody else's: `usher denials` lists yours.",
        ),
    };
    Failure::new(exit_code(problem), message).next(next)
}

/// The server wants a token, or another one. The next step replaces the server's hint, which is for
/// programs; a manager's text about its own tokens stays.
fn not_let_in(problem: &Problem) -> Failure {
    let code = exit_code(problem);
    match problem.detail.split_once(". ") {
        Some((message, next)) => Failure::new(code, message).next(next),
        None => {
            let message = problem.detail.split(": ").next().unwrap_or_default();
            Failure::new(code, message)
        }
    }
    .about(About::Token)
}

/// Whether the server's administrator should look at its log, rather than that the server is only
/// busy.
fn is_unexpected(problem: &Problem) -> bool {
    const NOT_NOW: [Code; 6] = [
        Code::Busy,
        Code::NotLeading,
        Code::RestoreHold,
        Code::ServerUnreachable,
        Code::ServicePaused,
        Code::Stopping,
    ];
    problem.status >= 500 && !NOT_NOW.iter().any(|code| problem.is(*code))
}

fn exit_code(problem: &Problem) -> u8 {
    match problem.status {
        400 | 413 | 415 | 422 => exit::USAGE,
        401 | 403 => exit::REFUSED,
        // What an agent says for a server that it cannot reach.
        503 if problem.is(Code::ServerUnreachable) => exit::NO_SERVER,
        503 => exit::NOT_NOW,
        _ => exit::FAILED,
    }
}

/// Whether a seat was refused that the user may wait for.
pub(crate) fn may_wait(error: &ClientError) -> bool {
    let problem = error.problem();
    problem.is_some_and(|problem| problem.is(Code::Denied) && api_text::may_wait(&problem.detail))
}

/// Whether no server answers at all, rather than one that cannot decide just now.
pub(crate) fn is_silence(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Problem(problem) => problem.is(Code::ServerUnreachable),
        ClientError::NotUnderstood { .. } | ClientError::Setup { .. } => false,
    }
}

/// Whether this means that no server can decide just now, rather than that one has decided.
pub(crate) fn is_absence(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Problem(problem) => problem.status == 503,
        ClientError::NotUnderstood { .. } | ClientError::Setup { .. } => false,
    }
}

#[cfg(test)]
mod tests;
