//! An answer of a server, manager or agent of an earlier version: it does not know a part of the
//! request.

use usher_api::{Code, Problem};

use super::{Failure, exit};

/// How each role says that it does not know a part of a request; the part's name follows in quotes.
const UNKNOWN: [&str; 3] = ["unknown field `", "unknown variant `", "the query: \""];

/// What the refusal means; `None`: it has another reason.
pub(super) fn failure(problem: &Problem) -> Option<Failure> {
    let part = unknown_part(problem)?;
    let version = env!("CARGO_PKG_VERSION");
    Some(
        Failure::new(
            exit::FAILED,
            format!(
                "what answered does not know {part}: its version is older than that of this \
                 `usher`, {version}"
            ),
        )
        .next(
            "`usher doctor` tells the version of the server, `usher agent status` that of the \
             agent. Bring it to this version (`usher upgrade` on its computer), or use an `usher` \
             of its version. A manager has a URL of its own (--manager).",
        ),
    )
}

/// The part of a request that is not known.
fn unknown_part(problem: &Problem) -> Option<String> {
    let detail = &problem.detail;
    if problem.is(Code::NotFound) || problem.is(Code::MethodNotAllowed) {
        let route = detail.strip_prefix("nothing is at ");
        let route = route.and_then(|rest| rest.split(": ").next());
        let method = detail.split_once(" does not take ");
        return match (route, method) {
            (Some(route), _) => Some(route.to_owned()),
            (None, Some((path, method))) => {
                let method = method.split([':', ' ']).next().unwrap_or_default();
                Some(format!("{method} {path}"))
            }
            (None, None) => detail
                .starts_with("an agent's local socket has no such route")
                .then(|| "this request to the computer's agent".to_owned()),
        };
    }
    if !problem.is(Code::InvalidRequest) {
        return None;
    }
    let rest = UNKNOWN.iter().find_map(|start| {
        let (_, rest) = detail.split_once(start)?;
        Some(rest)
    })?;
    let name = rest.split(['`', '"']).next()?;
    // An agent says the same of a query that it does take.
    let is_unknown = !detail.starts_with("the query: ") || rest.contains(" is none of ");
    (is_unknown && !name.is_empty()).then(|| format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(code: Code, detail: &str) -> Option<String> {
        unknown_part(&Problem::new(code, detail))
    }

    #[test]
    fn what_an_older_role_does_not_know_is_named() {
        for (code, detail, named) in [
            (
                Code::InvalidRequest,
                "the query cannot be read: unknown field `owned`, expected one of `product`, `since`",
                "`owned`",
            ),
            (
                Code::InvalidRequest,
                "the body cannot be read: unknown variant `user`, expected `process` at line 1",
                "`user`",
            ),
            (
                Code::InvalidRequest,
                "the query: \"owned\" is none of product, user",
                "`owned`",
            ),
            (
                Code::NotFound,
                "nothing is at /v1/waits: GET /openapi.json lists what there is",
                "/v1/waits",
            ),
            (
                Code::MethodNotAllowed,
                "/v1/pack does not take DELETE: use GET",
                "DELETE /v1/pack",
            ),
            (
                Code::NotFound,
                "an agent's local socket has no such route; ask the server",
                "this request to the computer's agent",
            ),
        ] {
            assert_eq!(part(code, detail).as_deref(), Some(named), "{detail}");
        }
        for (code, detail) in [
            (Code::InvalidRequest, "`limit` is 0: give 1 to 1000"),
            (Code::InvalidRequest, "the query: it is not UTF-8"),
            (Code::NotFound, "no such server is watched"),
            (Code::UnknownProduct, "there is no product cad"),
        ] {
            assert_eq!(part(code, detail), None, "{detail}");
        }
    }

    #[test]
    fn who_asks_an_older_server_is_told_so_and_what_to_do() {
        let detail = "the query cannot be read: unknown field `owned`, expected `product`";
        let told = failure(&Problem::new(Code::InvalidRequest, detail)).unwrap();
        assert_eq!(told.code(), exit::FAILED, "it is no wrong usage");
        let text = told.to_string();
        assert!(
            text.starts_with("usher: what answered does not know `owned`: its version is older"),
            "{text}"
        );
        assert!(text.contains("`usher upgrade`"), "{text}");
    }
}
