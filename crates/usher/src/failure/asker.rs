//! What to do about a failure, for who asked: it depends on whom they asked, and by what.

use std::path::Path;

use super::absent::{holds_no_start, no_agent};
use super::answered::{GIVE_MANAGERS_TOKEN, GIVE_TOKEN, OTHER_TOKEN, unreachable_manager};
use super::{About, Failure, Needed, exit};

/// With which token a command asked, and whom.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asker<'a> {
    /// Whether a token was shown.
    pub(crate) shows_token: bool,
    /// The file that it was read from, if nobody gave it.
    pub(crate) token_file: Option<&'a Path>,
    /// Whether an agent was looked for, through which no token is needed, and none answered.
    pub(crate) misses_agent: bool,
    /// Whether a manager is asked, and no metering server.
    pub(crate) of_manager: bool,
    /// What was to be started.
    pub(crate) starts: Option<&'a str>,
    /// What the whole command needs of a server.
    pub(crate) needs: Option<Needed>,
}

impl Asker<'_> {
    /// Advice to make a token, with its role if that is known.
    fn with_role(&self, advice: &str) -> String {
        self.needs
            .map_or_else(|| advice.to_owned(), |needs| needs.with_role(advice))
    }
}

impl Failure {
    /// The same, with what to do for who asked: the last that is done with it.
    pub(crate) fn for_asker(self, asker: Asker<'_>) -> Self {
        let (code, message, next, about, request) = match self {
            Failure::Said {
                code,
                message,
                next,
                about,
                request,
            } => (code, message, next, about, request),
            other => return other.not_started(asker.starts),
        };
        let said = match about {
            About::Role => Failure::Said {
                code,
                message: asker
                    .needs
                    .map_or(message.clone(), |it| it.refused(&message)),
                next,
                about,
                request: None,
            },
            About::Token if asker.of_manager => Failure::new(code, message)
                .next(next.unwrap_or_else(|| GIVE_MANAGERS_TOKEN.to_owned()))
                .of_file(asker.token_file, "manager"),
            About::Token if asker.shows_token => Failure::new(code, message)
                .next(next.unwrap_or_else(|| asker.with_role(OTHER_TOKEN)))
                .of_file(asker.token_file, "server"),
            // Through an agent no token is needed for what is one's own.
            About::Token if asker.misses_agent => no_agent(asker.starts),
            About::Silence { endpoint, why } if asker.of_manager => {
                unreachable_manager(&endpoint, &why)
            }
            about => {
                let is_silent = matches!(about, About::Silence { .. });
                let said = Failure::Said {
                    code,
                    message,
                    next: next
                        .or_else(|| (about == About::Token).then(|| asker.with_role(GIVE_TOKEN))),
                    about,
                    request: None,
                };
                match asker.starts.filter(|_| is_silent && asker.misses_agent) {
                    Some(name) => said.first(&holds_no_start(name)),
                    None => said,
                }
            }
        };
        said.not_started(asker.starts).of(request)
    }

    /// Names the file of a token that nobody gave, and that is not taken.
    fn of_file(self, file: Option<&Path>, asked: &str) -> Self {
        match file {
            Some(file) => self.first(&format!(
                "The token came from {}, and may be that of another server or manager: give one of \
                 this {asked} with --token or USHER_TOKEN, or name its data directory with --data.",
                file.display()
            )),
            None => self,
        }
    }

    /// Says that a command was not started: its own end could have any exit code.
    fn not_started(self, starts: Option<&str>) -> Self {
        let code = self.code();
        let Some(name) = starts.filter(|_| code != exit::DONE) else {
            return self;
        };
        let said = match self {
            said @ Failure::Said { .. } => said,
            // Nothing is quiet that ends before the command begins but a signal to end.
            Failure::Quiet(code) => Failure::new(code, "told to end before there was a seat"),
            Failure::Usage(error) => wrong_line(code, &error.to_string()),
        };
        said.and(&format!("{name} was not started"))
    }
}

/// What the reader of the command line says, in the form of all failures.
fn wrong_line(code: u8, text: &str) -> Failure {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let failure = Failure::new(code, lines.next().unwrap_or_default());
    let rest: Vec<&str> = lines.collect();
    match rest.is_empty() {
        true => failure,
        false => failure.next(rest.join("\n  ")),
    }
}

#[cfg(test)]
mod tests;
