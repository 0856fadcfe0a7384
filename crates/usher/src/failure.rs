//! Errors that reach people: what was tried, why it failed, what to do next, and the exit code.

mod words;

use std::fmt;
use std::io::{self, Write};

use usher_api::client::ClientError;
use usher_api::{Code, Problem};
use usher_server::ServerError;

use self::words::own_words;

/// Exit codes of the public contract.
pub(crate) mod exit {
    /// Done.
    pub(crate) const DONE: u8 = 0;
    /// Failed.
    pub(crate) const FAILED: u8 = 1;
    /// Wrong usage.
    pub(crate) const USAGE: u8 = 2;
    /// No server, and the policy says no.
    pub(crate) const NO_SERVER: u8 = 69;
    /// Waited as long as asked.
    pub(crate) const WAITED: u8 = NOT_NOW;
    /// A server answers, and not now: it is busy, paused, holding after a restore, or cannot write.
    pub(crate) const NOT_NOW: u8 = 75;
    /// Refused.
    pub(crate) const REFUSED: u8 = 77;
    /// The command is there but cannot be started.
    pub(crate) const CANNOT_START: u8 = 126;
    /// There is no such command.
    pub(crate) const NO_COMMAND: u8 = 127;
}

/// Why a command ends before it has done what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Everything has been said already, or nobody reads it any more.
    Quiet(u8),
    /// Something to say to who called.
    Said {
        /// The exit code.
        code: u8,
        /// The thing and the reason.
        message: String,
        /// What to do about it.
        next: Option<String>,
    },
    /// What the command line's own reader says: errors, but help texts too.
    Usage(Box<clap::Error>),
}

impl Failure {
    /// A failure that ends with `code`.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Failure::Said {
            code,
            message: message.into(),
            next: None,
        }
    }

    /// A plain failure: exit code 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Failure::new(exit::FAILED, message)
    }

    /// Wrong usage: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::new(exit::USAGE, message)
    }

    /// Adds the next step.
    pub(crate) fn next(self, step: impl Into<String>) -> Self {
        match self {
            Failure::Said { code, message, .. } => Failure::Said {
                code,
                message,
                next: Some(step.into()),
            },
            other => other,
        }
    }

    /// Adds something that is true at the same time.
    pub(crate) fn and(self, also: &str) -> Self {
        match self {
            Failure::Said {
                code,
                message,
                next,
            } => Failure::Said {
                code,
                message: format!("{message}; {also}"),
                next,
            },
            other => other,
        }
    }

    /// The same, where who called may not do the next step: it takes a token.
    pub(crate) fn for_an_administrator(self) -> Self {
        match self {
            Failure::Said {
                code,
                message,
                next: Some(step),
            } => Failure::Said {
                code,
                message,
                next: Some(format!("For an administrator: {step}")),
            },
            other => other,
        }
    }

    /// The same, where no token was shown: who was not let in for want of one was not refused.
    pub(crate) fn without_token(self) -> Self {
        match self {
            Failure::Said {
                message,
                next: Some(next),
                ..
            } if next == GIVE_TOKEN => Failure::failed(message).next(next),
            other => other,
        }
    }

    /// The exit code that goes with it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Quiet(code) | Failure::Said { code, .. } => *code,
            Failure::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(exit::USAGE),
        }
    }

    /// Says it on stderr (help goes to stdout) and returns the exit code.
    pub(crate) fn report(self) -> u8 {
        match &self {
            Failure::Quiet(_) => {}
            // Nobody can be told that stderr is closed.
            Failure::Said { .. } => drop(writeln!(io::stderr(), "{self}")),
            Failure::Usage(error) => drop(error.print()),
        }
        self.code()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Quiet(_) => Ok(()),
            Failure::Usage(error) => write!(f, "{error}"),
            Failure::Said { message, next, .. } => {
                write!(f, "usher: {message}")?;
                match next {
                    Some(step) => write!(f, "\n  {step}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Writing to stdout failed. A closed pipe (`usher leases | head`) is no failure: its reader has
/// what it wanted.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::Quiet(exit::DONE);
        }
        Failure::failed(format!("cannot write the output: {error}"))
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Failure::Usage(Box::new(error))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => refused(&problem),
            ClientError::Unreachable { endpoint, why } => unreachable_server(&endpoint, &why),
            ClientError::NotUnderstood { .. } => Failure::failed(error.to_string())
                .next("Is it an Usher server, of this version? `usher doctor` looks closer."),
            ClientError::Setup { .. } => Failure::usage(error.to_string()),
        }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Usage(why) => Failure::usage(why),
            ServerError::Failed(why) => Failure::failed(why),
        }
    }
}

/// Nobody answers at `endpoint`.
pub(crate) fn unreachable_server(endpoint: &str, why: &str) -> Failure {
    if is_of_tls(why) {
        return Failure::new(
            exit::NO_SERVER,
            format!("no word with the server at {endpoint}: {why}"),
        );
    }
    Failure::new(
        exit::NO_SERVER,
        format!("no Usher server answers at {endpoint}: {why}"),
    )
    .next(find_server(endpoint, why))
}

/// The next step where nobody answers at `url`. Only on this computer a server may be started to try
/// Usher out.
pub(crate) fn find_server(url: &str, why: &str) -> String {
    let check = usher_api::what_to_check(why).unwrap_or_default();
    let check = match check.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}. ", first.to_uppercase()),
        None => String::new(),
    };
    let try_out = match usher_api::client::is_here(url) {
        true => " To try Usher out on one computer, `usher up` starts all of it.",
        false => "",
    };
    format!(
        "{check}The server is named with --server URL or USHER_SERVER; whoever administers it knows \
         the URL.{try_out}"
    )
}

/// Whether somebody answers with whom no word can be had: what is said of that says what to do, too.
pub(crate) fn is_of_tls(why: &str) -> bool {
    ["certificate", "TLS", "https://"]
        .iter()
        .any(|word| why.contains(word))
}

/// The next step where a token is missing or not taken.
const GIVE_TOKEN: &str = "Give a token with --token or USHER_TOKEN; an administrator makes one with `usher token create`.";

/// The server answered, and said no.
fn refused(problem: &Problem) -> Failure {
    let failure = Failure::new(exit_code(problem), own_words(&problem.detail));
    if let Some(id) = &problem.decision_id {
        return failure.next(format!(
            "`usher why {id}` tells who holds the seats and what would help."
        ));
    }
    if problem.is(Code::Unauthorized) {
        return failure.next(GIVE_TOKEN);
    }
    if problem.is(Code::Forbidden) {
        return failure.next("An administrator can make a token that may, or do it for you.");
    }
    if problem.is(Code::RestoreHold) {
        return failure.next("`usher doctor` says until when, and how to end it before.");
    }
    if problem.status == 503 {
        return failure.next("Try again in a moment; `usher doctor` looks at what may be wrong.");
    }
    if problem.is(Code::UnknownProduct) {
        return failure.next("`usher product list` shows the products that there are.");
    }
    if problem.is(Code::UnknownEntitlement) {
        return failure.next("`usher entitlement list` shows what is owned.");
    }
    if problem.is(Code::DangerousRule) {
        return failure.next("--force takes it all the same.");
    }
    if problem.is(Code::NameTaken) {
        return failure.next("`usher entitlement list` shows the names; choose another.");
    }
    if problem.is(Code::ProductExists) {
        return failure.next("`usher product edit` changes it; or choose another id.");
    }
    failure
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
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_trusted_is_not_taken_for_an_absent_server() {
        let why = "its certificate is of an authority that is not trusted here: name it";
        let failure = unreachable_server("https://a:1", why);
        insta::assert_snapshot!(failure, @"usher: no word with the server at https://a:1: its certificate is of an authority that is not trusted here: name it");
    }

    #[test]
    fn a_refusal_has_the_exit_code_and_the_next_step_of_its_kind() {
        let say = |code: Code| {
            let failure = refused(&Problem::new(code, "it is so"));
            (failure.code(), failure.to_string())
        };
        assert_eq!(say(Code::InvalidRequest).0, 2);
        assert_eq!(say(Code::Denied).0, 77);
        assert_eq!(say(Code::UnknownLease), (1, "usher: it is so".to_owned()));
        for not_now in [
            Code::RestoreHold,
            Code::ServicePaused,
            Code::Busy,
            Code::StorageFailed,
        ] {
            assert_eq!(say(not_now).0, 75, "{not_now:?}");
        }
        let held = say(Code::RestoreHold).1;
        assert!(!held.contains("in a moment"), "it may be a day: {held}");
        assert_eq!(say(Code::ServerUnreachable).0, 69);
        let nobody = unreachable_server("http://a:1", "connection refused");
        assert_eq!(nobody.code(), 69);
        let (code, text) = say(Code::Unauthorized);
        assert_eq!(code, 77);
        let without = refused(&Problem::new(Code::Unauthorized, "none")).without_token();
        assert_eq!(without.code(), 1);
        let denied = refused(&Problem::new(Code::Denied, "none")).without_token();
        assert_eq!(denied.code(), 77);
        assert!(text.contains("usher token create"), "{text}");
    }
}
