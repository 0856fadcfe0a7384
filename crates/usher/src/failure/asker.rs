//! What to do about a failure, for who asked: it depends on whom they asked, and by what.

use std::path::Path;

use super::absent::no_agent;
use super::answered::{GIVE_MANAGERS_TOKEN, GIVE_TOKEN, OTHER_TOKEN, unreachable_manager};
use super::{About, Failure, Needed, exit};

/// Who asked whom.
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
            other => return other,
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
            about => Failure::Said {
                code,
                message,
                next: next.or_else(|| (about == About::Token).then(|| asker.with_role(GIVE_TOKEN))),
                about,
                request: None,
            },
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

    /// Says that a command was not started, if its own end could have the same exit code.
    fn not_started(self, starts: Option<&str>) -> Self {
        match (starts, self.code()) {
            (Some(name), exit::FAILED | exit::USAGE | exit::NO_SERVER) => {
                self.and(&format!("{name} was not started"))
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use usher_api::client::ClientError;
    use usher_api::{Code, Problem};

    use super::*;

    fn not_taken() -> Failure {
        let detail =
            "the token is not known here, or was revoked: make one with `usher token create`";
        ClientError::Problem(Box::new(Problem::new(Code::Unauthorized, detail))).into()
    }

    #[test]
    fn a_token_that_is_not_taken_is_told_with_the_file_that_it_came_from() {
        let file = Path::new("/var/lib/usher/admin.token");
        let asker = Asker {
            shows_token: true,
            token_file: Some(file),
            ..Asker::default()
        };
        insta::assert_snapshot!(not_taken().for_asker(asker), @r"
        usher: the token is not known here, or was revoked
          The token came from /var/lib/usher/admin.token, and may be that of another server or manager: give one of this server with --token or USHER_TOKEN, or name its data directory with --data.
          An administrator makes another with `usher token create`.
        ");
        let given = Asker {
            token_file: None,
            ..asker
        };
        assert!(
            !not_taken()
                .for_asker(given)
                .to_string()
                .contains("admin.token")
        );
        let of_manager = Asker {
            of_manager: true,
            ..asker
        };
        let said = not_taken().for_asker(of_manager).to_string();
        assert!(
            said.contains("admin.token") && said.contains("of this manager"),
            "{said}"
        );
    }

    #[test]
    fn a_command_that_was_not_started_is_said_not_to_be_where_its_own_end_could_look_the_same() {
        let asker = Asker {
            starts: Some("cad"),
            ..Asker::default()
        };
        let said = |code| Failure::new(code, "so it is").for_asker(asker).to_string();
        for own in [exit::FAILED, exit::USAGE, exit::NO_SERVER] {
            assert_eq!(said(own), "usher: so it is; cad was not started");
        }
        for other in [exit::REFUSED, exit::WAITED, exit::CANNOT_START] {
            assert_eq!(said(other), "usher: so it is");
        }
        let nothing = Failure::failed("so it is").for_asker(Asker::default());
        assert_eq!(nothing.to_string(), "usher: so it is");
    }
}
