//! Whose rows a request may see: everybody's, those of a computer, those of a person.
//!
//! A client's token may see the rows of its person, an agent's token those of its computer. An
//! agent can ask for one person of its computer by `realm` and `account`, as the kernel and the
//! name services there name the person: it may then see that person's leases and queues on all
//! computers.

use usher_api::Only;
use usher_core::people::{COMPUTER_REALM_PREFIX, LocalAccounts, Person, TOKEN_REALM};
use usher_store::Owner;

use crate::access::auth::Principal;
use crate::access::rights::Right;
use crate::wire::input;
use crate::wire::problem::Refusal;

/// Whose rows to show, and whether the sender may see more than these.
#[derive(Debug)]
pub(crate) struct Whose {
    /// Whether rows of others are hidden.
    pub(crate) owner: Owner,
    is_cut: bool,
}

impl Whose {
    /// What `caller` may see of what it asks for. Refused if it is bound to nobody and may not see
    /// others' data.
    pub(crate) fn of(
        caller: &Principal,
        realm: Option<&str>,
        account: Option<&str>,
        local: LocalAccounts,
    ) -> Result<Whose, Refusal> {
        let own = caller.own_person();
        let computer = caller.own_computer();
        if own.is_none() && computer.is_none() {
            // An owner without parts is everybody.
            caller.must(Right::SeePeople, "see what belongs to people and computers")?;
        }
        let asked = match (realm, account) {
            (None, None) => None,
            (Some(realm), Some(account)) => {
                let realm = input::name("realm", realm)?;
                let account = input::name("account", account)?;
                let person = Person::of(&realm, &account, local)
                    .map_err(|why| Refusal::invalid(format!("`realm`, `account`: {why}")))?;
                Some((person.realm, person.key))
            }
            _ => {
                return Err(Refusal::invalid(
                    "a person is a `realm` and an `account`: give both, or neither",
                ));
            }
        };
        if let (Some((realm, account)), Some(own)) = (&asked, own)
            && (realm.as_str(), account.as_str()) != own
        {
            return Err(Refusal::forbidden(format!(
                "this token shows what is of {} in the realm {} only: leave `realm` and `account` \
                 out",
                own.1, own.0
            )));
        }
        Ok(Whose {
            owner: Owner {
                person: own
                    .map(|(realm, account)| (realm.to_owned(), account.to_owned()))
                    .or(asked),
                computer: computer.map(str::to_owned),
            },
            is_cut: !caller.may(Right::SeePeople),
        })
    }

    /// The same on all computers, of a person whom an agent asks for: one person is one wherever
    /// they work. Not of a realm that is another computer's alone or that of tokens: no account
    /// that an agent finds on its own computer is of these.
    pub(crate) fn on_all_computers(mut self) -> Whose {
        let own = |id: &str| self.owner.computer.as_deref() == Some(id);
        let is_found_there = |realm: &str| match realm.strip_prefix(COMPUTER_REALM_PREFIX) {
            Some(id) => own(id),
            None => realm != TOKEN_REALM,
        };
        if let Some((realm, _)) = &self.owner.person
            && is_found_there(realm)
        {
            self.owner.computer = None;
        }
        self
    }

    /// What the answer says about it; none: nothing is hidden from the sender.
    pub(crate) fn only(&self) -> Option<Only> {
        self.is_cut.then(|| Only {
            realm: self.owner.person.as_ref().map(|(realm, _)| realm.clone()),
            account: self
                .owner
                .person
                .as_ref()
                .map(|(_, account)| account.clone()),
            computer: self.owner.computer.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use usher_store::TokenRow;

    use super::*;
    use crate::access::auth::TokenBook;
    use crate::secrets::secret::hash;

    const LOCAL: LocalAccounts = LocalAccounts::ByComputer;

    /// What a token of that role sees of what is asked for.
    fn seen(role: &str, asked: Option<(&str, &str)>) -> Result<Whose, Refusal> {
        let row = TokenRow {
            id: "t1".into(),
            hash: hash(b"usher_a"),
            role: role.into(),
            name: String::new(),
            user: Some("ann".into()),
            account: None,
            realm: None,
            computer: Some("pc1".into()),
            created_at: 0,
            expires_at: None,
            revoked_at: None,
        };
        let book = TokenBook::of(&[row], LOCAL);
        let caller = book.find(&hash(b"usher_a")).unwrap();
        Whose::of(&caller, asked.map(|it| it.0), asked.map(|it| it.1), LOCAL)
    }

    #[test]
    fn who_is_bound_to_nobody_and_sees_nothing_of_others_is_shown_nothing() {
        for asked in [None, Some(("usher", "ann"))] {
            let refused = seen("backup", asked).unwrap_err();
            assert_eq!(refused.status(), 403, "{asked:?}");
        }
    }

    #[test]
    fn each_role_is_shown_what_is_its_own() {
        let owner = |role| seen(role, None).unwrap().owner;
        let ann = Some(("usher".to_owned(), "ann".to_owned()));
        assert_eq!(
            (owner("client").person, owner("client").computer),
            (ann, None)
        );
        assert_eq!(owner("agent").computer.as_deref(), Some("pc1"));
        for role in ["viewer", "operator", "admin"] {
            assert_eq!(owner(role), Owner::default(), "{role}");
        }
        let everywhere = |realm| {
            let whose = seen("agent", Some((realm, "ann"))).unwrap();
            whose.on_all_computers().owner.computer.is_none()
        };
        assert!(everywhere("corp.example") && everywhere("computer:pc1"));
        assert!(!everywhere("computer:pc2") && !everywhere("usher"));
        let of_computer = seen("agent", None).unwrap().on_all_computers();
        assert_eq!(of_computer.owner.computer.as_deref(), Some("pc1"));
        let other = seen("client", Some(("usher", "bob"))).unwrap_err();
        assert_eq!(other.status(), 403);
    }
}
