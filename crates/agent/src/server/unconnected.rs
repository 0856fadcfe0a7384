//! Why an exchange with the metering server failed, and what to do about it.

use std::path::Path;

use usher_api::Code;
use usher_api::client::ClientError;

/// Why there is no connection, and what to do about it. `computer` is this agent's id, `token_file`
/// the file that its token is read from; `None` if it was given the token itself.
pub(crate) fn why(error: &ClientError, computer: &str, token_file: Option<&Path>) -> String {
    let problem = match error {
        ClientError::Problem(problem) => problem,
        ClientError::Unreachable { why, .. } => {
            return match usher_api::what_to_check(why) {
                Some(check) => format!("{error}; {check}"),
                None => error.to_string(),
            };
        }
        ClientError::NotUnderstood { .. } => {
            return format!("{error}; check that an Usher server listens at that URL");
        }
        ClientError::Setup { .. } => return error.to_string(),
    };
    let detail = &problem.detail;
    // The manager's own words: no token of a server opens it.
    if problem.is(Code::Unauthorized) && detail.contains("--at-manager") {
        return "that is the port of a manager, and not of a metering server: name the server's URL \
                with --server, whose port is usually 8470"
            .to_owned();
    }
    if problem.is(Code::Unauthorized) || problem.is(Code::Forbidden) {
        // What the server advises is for anybody; what is said here is for this agent.
        let reason = match detail.split_once(": ") {
            Some((reason, advice)) if advice.contains("usher token create") => reason,
            _ => detail,
        };
        let next = match token_file {
            Some(file) => format!("write it to {}, which is read again", file.display()),
            None => "restart the agent with it".to_owned(),
        };
        return format!(
            "the server does not accept the agent's token: {reason}; \
             `usher token create --role agent --computer {computer}` makes one there: {next}"
        );
    }
    format!("the server refuses: {detail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::Problem;

    fn refused(code: Code, detail: &str) -> String {
        why(
            &ClientError::Problem(Box::new(Problem::new(code, detail))),
            "c-1",
            Some(Path::new("/etc/usher/agent.token")),
        )
    }

    #[test]
    fn a_token_that_is_not_taken_is_told_with_the_command_that_makes_another() {
        let said = refused(Code::Unauthorized, "the token is not valid");
        assert!(
            said.contains(
                "the token is not valid; `usher token create --role agent --computer c-1`"
            )
        );
        let said = refused(
            Code::Unauthorized,
            "the token was revoked: make one with `usher token create`",
        );
        assert_eq!(said.matches("usher token create").count(), 1, "{said}");
        assert!(
            said.ends_with("write it to /etc/usher/agent.token, which is read again"),
            "{said}"
        );
        let at_a_manager = "the token is not known: the manager takes tokens of its own; `usher token \
                            create --role viewer --at-manager` makes others";
        let said = refused(Code::Unauthorized, at_a_manager);
        assert!(
            said.contains("8470") && !said.contains("token create"),
            "{said}"
        );
        assert!(refused(Code::Forbidden, "of another computer").contains("of another computer"));
    }

    #[test]
    fn an_agent_whose_token_is_in_no_file_is_restarted_with_another() {
        let gone = Problem::new(Code::Unauthorized, "the token was revoked");
        let said = why(&ClientError::Problem(Box::new(gone)), "c-1", None);
        assert!(said.ends_with("restart the agent with it"), "{said}");
    }

    #[test]
    fn what_else_a_server_says_is_told_as_it_is_and_where_none_answers_what_to_check() {
        assert_eq!(
            refused(Code::Busy, "it is busy"),
            "the server refuses: it is busy"
        );
        for (reason, check) in [
            ("Connection refused (os error 111)", "check the port"),
            ("dns error: Name or service not known", "getent hosts"),
        ] {
            let away = ClientError::Unreachable {
                endpoint: "http://licences:9".to_owned(),
                why: reason.to_owned(),
            };
            let told = why(&away, "c-1", None);
            assert!(told.starts_with(&away.to_string()), "{told}");
            assert!(told.contains(check), "{told}");
        }
    }
}
