//! Errors that are shown to people: what was tried, why it failed, what to do next, and the exit
//! code.

pub(crate) mod absent;
pub(crate) mod answered;
mod api_text;
mod asker;
mod needed;
mod older;

use std::fmt;
use std::io::{self, Write};

use usher_server::ServerError;

pub(crate) use self::answered::{is_absence, is_of_tls, may_wait};
pub(crate) use self::asker::Asker;
pub(crate) use self::needed::Needed;

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
    /// A server answers, but cannot decide now: it is busy, paused, holding after a restore, or
    /// cannot write.
    pub(crate) const NOT_NOW: u8 = 75;
    /// Refused.
    pub(crate) const REFUSED: u8 = 77;
    /// The command exists but cannot be started.
    pub(crate) const CANNOT_START: u8 = 126;
    /// There is no such command.
    pub(crate) const NO_COMMAND: u8 = 127;
}

/// Why a command ends before it has done what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Everything has been printed already, or nobody reads it any more.
    Quiet(u8),
    /// There is a text for the user.
    Said {
        /// The exit code.
        code: u8,
        /// What failed, and why.
        message: String,
        /// What to do about it.
        next: Option<String>,
        /// What it is about, if the next step depends on how the request was made.
        about: About,
        /// The id of the refused request, for scripts; people see it only with unexpected errors.
        request: Option<String>,
    },
    /// A text of the command line's parser: an error or a help text.
    Usage(Box<clap::Error>),
}

/// What a failure is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// Nothing on which the next step depends.
    Anything,
    /// No token was shown, or one that is not accepted.
    Token,
    /// A token was shown whose role does not suffice.
    Role,
    /// There is no product of that id.
    Product(String),
    /// The path does not exist at the server that answered.
    Route,
    /// Nobody answers.
    Silence {
        /// The URL that was asked.
        endpoint: String,
        /// What the system said.
        why: String,
    },
}

impl Failure {
    /// A failure that ends with `code`.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Failure::Said {
            code,
            message: message.into(),
            next: None,
            about: About::Anything,
            request: None,
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

    /// Adds the next step, which does not depend on how the request was made.
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        if let Failure::Said { next, about, .. } = &mut self {
            *next = Some(step.into());
            *about = About::Anything;
        }
        self
    }

    /// Sets what it is about.
    fn about(mut self, what: About) -> Self {
        if let Failure::Said { about, .. } = &mut self {
            *about = what;
        }
        self
    }

    /// Adds a step on a line of its own, before those that are there.
    pub(crate) fn first(mut self, step: &str) -> Self {
        if let Failure::Said { next, .. } = &mut self {
            *next = Some(match next.take() {
                Some(next) => format!("{step}\n  {next}"),
                None => step.to_owned(),
            });
        }
        self
    }

    /// The same, with the id of the request.
    fn of(mut self, id: Option<String>) -> Self {
        if let Failure::Said { request, .. } = &mut self {
            *request = id;
        }
        self
    }

    /// Adds a further fact.
    pub(crate) fn and(mut self, also: &str) -> Self {
        if let Failure::Said { message, .. } = &mut self {
            *message = format!("{message}; {also}");
        }
        self
    }

    /// Says that an administrator has to do the next step, as it takes a token.
    pub(crate) fn for_an_administrator(mut self) -> Self {
        if let Failure::Said {
            next: Some(step), ..
        } = &mut self
        {
            *step = format!("For an administrator: {step}");
        }
        self
    }

    /// The id of the product that was asked for and does not exist.
    pub(crate) fn unknown_product(&self) -> Option<&str> {
        match self {
            Failure::Said {
                about: About::Product(id),
                ..
            } => Some(id),
            _ => None,
        }
    }

    /// What it is about, if that is set.
    pub(crate) fn about_what(&self) -> Option<&About> {
        match self {
            Failure::Said { about, .. } => Some(about),
            Failure::Quiet(_) | Failure::Usage(_) => None,
        }
    }

    /// What failed, and why.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Failure::Said { message, .. } => Some(message),
            Failure::Quiet(_) | Failure::Usage(_) => None,
        }
    }

    /// The exit code that goes with it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Quiet(code) | Failure::Said { code, .. } => *code,
            Failure::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(exit::USAGE),
        }
    }

    /// The failure as a part of another one.
    pub(crate) fn reason(&self) -> String {
        let text = self.to_string();
        text.strip_prefix("usher: ").unwrap_or(&text).to_owned()
    }

    /// The id of the refused request, if the text does not name it.
    fn unnamed_request(&self) -> Option<&str> {
        match self {
            Failure::Said {
                request, message, ..
            } => request.as_deref().filter(|id| !message.contains(id)),
            Failure::Quiet(_) | Failure::Usage(_) => None,
        }
    }

    /// As [`Failure::report`], for `--json`: scripts get the id of each refused request.
    pub(crate) fn report_with_request(self) -> u8 {
        let request = self.unnamed_request().map(str::to_owned);
        let code = self.report();
        if let Some(id) = request {
            drop(writeln!(io::stderr(), "  request {id}"));
        }
        code
    }

    /// Prints it on stderr (help goes to stdout) and returns the exit code.
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

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Usage(why) => Failure::usage(why),
            ServerError::Failed(why) => Failure::failed(why),
        }
    }
}
