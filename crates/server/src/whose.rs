//! Whose rows who asks is shown: everybody's, those of a computer, those of a person.
//!
//! A client's token shows what is its person's, an agent's what is of its computer. An agent asks
//! for one person of its computer by `realm` and `account`, as the kernel and the name services
//! there say who asks it.

use usher_api::Only;
use usher_cache::Owner;
use usher_core::people::{LocalAccounts, Person};

use crate::auth::Principal;
use crate::input;
use crate::problem::Refusal;

/// Whose rows are asked for, and whether more than these may be seen.
#[derive(Debug)]
pub(crate) struct Whose {
    /// Rows of others are none.
    pub(crate) owner: Owner,
    is_cut: bool,
}

impl Whose {
    /// What `caller` may see of what it asks for.
    pub(crate) fn of(
        caller: &Principal,
        realm: Option<&str>,
        account: Option<&str>,
        local: LocalAccounts,
    ) -> Result<Whose, Refusal> {
        let asked = match (realm, account) {
            (None, None) => None,
            (Some(realm), Some(account)) => {
                input::name("realm", realm)?;
                input::name("account", account)?;
                let person = Person::of(realm, account, local)
                    .map_err(|why| Refusal::invalid(format!("`realm`, `account`: {why}")))?;
                Some((person.realm, person.key))
            }
            _ => {
                return Err(Refusal::invalid(
                    "a person is a `realm` and an `account`: give both, or neither",
                ));
            }
        };
        let own = caller.own_person();
        if let (Some(asked), Some(own)) = (&asked, &own)
            && asked != own
        {
            return Err(Refusal::forbidden(format!(
                "this token shows what is of {} in the realm {} only: leave `realm` and `account` \
                 out",
                own.1, own.0
            )));
        }
        Ok(Whose {
            owner: Owner {
                person: own.or(asked),
                computer: caller.own_computer().map(str::to_owned),
            },
            is_cut: !caller.sees_all(),
        })
    }

    /// What an answer says of it; none if nothing is kept back from who asks.
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
