//! Why an exchange with the metering server failed, in words with the cure.

use usher_api::Code;
use usher_api::client::ClientError;

/// Why there is no connection, and what to do about it. `computer` is the id that this agent has.
pub(crate) fn why(error: &ClientError, computer: &str) -> String {
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
    if problem.is(Code::Unauthorized) || problem.is(Code::Forbidden) {
        return format!(
            "the server does not take the agent's token: {detail}; \
             `usher token create --role agent --computer {computer}` makes one there: write it to \
             the agent's token file and restart the agent"
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
        assert!(refused(Code::Forbidden, "of another computer").contains("of another computer"));
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
            let told = why(&away, "c-1");
            assert!(told.starts_with(&away.to_string()), "{told}");
            assert!(told.contains(check), "{told}");
        }
    }
}
