//! Which rights at a server a command needs as a whole. Its first request may need fewer: if that
//! is refused, the failure names the roles that suffice for the whole command.

use usher_api::rights::{self, Right, Rights};

/// What a command needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed {
    rights: Rights,
    /// What it does, as the end of "may not ...".
    what: &'static str,
}

impl Needed {
    /// All of these rights, to do that.
    pub(crate) const fn of(rights: &[Right], what: &'static str) -> Needed {
        Needed {
            rights: Rights::of(rights),
            what,
        }
    }

    /// The failure for a token whose role does not suffice, with the roles that do. Other failures
    /// stay as they are.
    pub(super) fn refused(self, message: &str) -> String {
        let role = message
            .strip_prefix("a token of role ")
            .and_then(|rest| rest.split_once(" may not "))
            .map(|(role, _)| role);
        match role {
            Some(role) => format!(
                "a token of role {role} may not {}: use one of role {}",
                self.what,
                rights::who_may_all(self.rights)
            ),
            None => message.to_owned(),
        }
    }

    /// Advice to make a token, with the role that suffices.
    pub(super) fn with_role(self, advice: &str) -> String {
        const MAKE: &str = "`usher token create`";
        match rights::least(self.rights) {
            Some(role) => {
                let make = format!("`usher token create --role {}`", role.as_str());
                advice.replace(MAKE, &make)
            }
            None => advice.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Needed = Needed::of(&[Right::Own], "change what is owned");

    #[test]
    fn a_refusal_of_the_first_request_names_the_role_that_suffices_in_the_end() {
        let first =
            "a token of role client may not see what is owned: use one of role viewer or admin";
        assert_eq!(
            OWN.refused(first),
            "a token of role client may not change what is owned: use one of role admin"
        );
        let other = "a manager's token of role viewer may not do this: use one of role admin";
        assert_eq!(OWN.refused(other), other);
    }

    #[test]
    fn advice_to_make_a_token_says_of_which_role() {
        assert_eq!(
            OWN.with_role("an administrator makes one with `usher token create`."),
            "an administrator makes one with `usher token create --role admin`."
        );
    }
}
