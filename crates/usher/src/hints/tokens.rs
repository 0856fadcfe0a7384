//! Hints if `usher token create` lacks the user or computer that the token is bound to.

use super::Hint;

/// What a missing required option of `usher token create` is for, and where to find its value.
pub(super) fn bound(name: &str, missing: &str) -> Option<Hint> {
    if name != "token create" {
        return None;
    }
    if missing.contains("--computer") {
        return Hint::new(
            "a token of role agent is for the agent of one computer, and --computer is missing",
            "It is the id that `usher agent status` shows on that computer, or, before an agent \
             runs there, `usher agent --print-computer-id --data DIR`, DIR being the data \
             directory that the agent is to have.",
        );
    }
    if missing.contains("--user") {
        return Hint::new(
            "a token of role client is for one person, and --user is missing",
            "Such as: usher token create --role client --user anna",
        );
    }
    None
}
