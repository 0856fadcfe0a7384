//! Why an exchange with the metering server failed, in words with the cure.

use usher_api::Code;
use usher_api::client::ClientError;

/// Why there is no connection, and what to do about it. `computer` is the id that this agent has.
pub(crate) fn why(error: &ClientError, computer: &str) -> String {
    let ClientError::Problem(problem) = error else {
        return error.to_string();
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
    fn what_else_a_server_says_and_that_none_answers_is_told_as_it_is() {
        assert_eq!(
            refused(Code::Busy, "it is busy"),
            "the server refuses: it is busy"
        );
        let away = ClientError::Unreachable {
            endpoint: "http://127.0.0.1:9".to_owned(),
            why: "Connection refused (os error 111)".to_owned(),
        };
        assert_eq!(why(&away, "c-1"), away.to_string());
    }
}
