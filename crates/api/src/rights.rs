//! What each role may do: a role is a set of rights, and each route of a server asks for a right.
//!
//! This table and that of a server's routes are the only places that say it: a server holds to it,
//! and a command says by it which role suffices. `docs/roles.md` tells it to people, and a test of
//! the server holds the page to the tables.

use crate::Role;

/// What a route may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See one's own leases, sessions and waits, and the products that one can ask for.
    SeeSelf,
    /// See counts, entitlements and the state of the server, without people.
    SeeCounts,
    /// See what belongs to others: who holds seats, waits, was refused, used what.
    SeePeople,
    /// Ask for seats, renew them and give them back, for the person that the token is bound to.
    AskForSelf,
    /// Report for a computer, and ask for seats for the people on it.
    ReportAgent,
    /// Control the server, and act on the leases and tickets of others.
    Operate,
    /// Change entitlements.
    Own,
    /// Change products, their rules and terms.
    ChangePolicy,
    /// Manage tokens.
    Administer,
    /// See who changed what. No route of this version asks for it.
    Audit,
    /// Take backups.
    BackUp,
    /// Acknowledge how much of the history a site has collected.
    Collect,
    /// Bring in what other licence servers know. Only routes of a manager ask for it.
    Import,
}

/// All rights, in the order of `docs/roles.md`.
pub const RIGHTS: &[Right] = &[
    Right::SeeSelf,
    Right::SeeCounts,
    Right::SeePeople,
    Right::AskForSelf,
    Right::ReportAgent,
    Right::Operate,
    Right::Own,
    Right::ChangePolicy,
    Right::Administer,
    Right::Audit,
    Right::BackUp,
    Right::Collect,
    Right::Import,
];

impl Right {
    /// The name of the right in `docs/roles.md`.
    pub fn word(self) -> &'static str {
        match self {
            Right::SeeSelf => "self",
            Right::SeeCounts => "see_counts",
            Right::SeePeople => "see_people",
            Right::AskForSelf => "ask_for_self",
            Right::ReportAgent => "report_agent",
            Right::Operate => "operate",
            Right::Own => "own",
            Right::ChangePolicy => "change_policy",
            Right::Administer => "administer",
            Right::Audit => "audit",
            Right::BackUp => "back_up",
            Right::Collect => "collect",
            Right::Import => "import",
        }
    }
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(u16);

impl Rights {
    /// The set of these rights.
    pub const fn of(rights: &[Right]) -> Rights {
        let mut bits = 0;
        let mut rest = rights;
        while let [right, others @ ..] = rest {
            bits |= 1 << *right as u16;
            rest = others;
        }
        Rights(bits)
    }

    /// The rights that both sets have.
    pub const fn and(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }

    /// Whether the set has all rights of the other.
    pub const fn has_all(self, others: Rights) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether the set has the right.
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }
}

/// Whom a token of a role is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Nobody: its rights apply to everybody's data.
    Nobody,
    /// One person.
    Person,
    /// One computer.
    Computer,
}

/// A role: whom its tokens are bound to, and which rights they have.
#[derive(Debug)]
pub struct RoleRights {
    /// The role.
    pub role: Role,
    /// Whom its tokens are bound to.
    pub bound: Bound,
    /// The rights of its tokens.
    pub rights: Rights,
    /// The rights that its tokens have on behalf of somebody else who has them, too.
    pub for_others: Rights,
}

const fn role(role: Role, bound: Bound, rights: &[Right]) -> RoleRights {
    RoleRights {
        role,
        bound,
        rights: Rights::of(rights),
        for_others: Rights::of(&[]),
    }
}

impl RoleRights {
    const fn for_others(self, rights: &[Right]) -> RoleRights {
        RoleRights {
            for_others: Rights::of(rights),
            ..self
        }
    }
}

/// All roles. A new role is a row here, and a word on the wire.
pub const ROLES: &[RoleRights] = {
    use Right::*;
    &[
        role(Role::Client, Bound::Person, &[SeeSelf, AskForSelf]),
        role(
            Role::Agent,
            Bound::Computer,
            &[SeeSelf, AskForSelf, ReportAgent],
        ),
        role(Role::Backup, Bound::Nobody, &[BackUp]),
        role(
            Role::Manager,
            Bound::Nobody,
            &[SeeSelf, SeeCounts, SeePeople, Collect],
        )
        .for_others(FOR_OTHERS),
        role(
            Role::Viewer,
            Bound::Nobody,
            &[SeeSelf, SeeCounts, SeePeople],
        ),
        role(
            Role::Operator,
            Bound::Nobody,
            &[
                SeeSelf,
                SeeCounts,
                SeePeople,
                AskForSelf,
                ReportAgent,
                Operate,
                Collect,
                Import,
            ],
        ),
        role(
            Role::Admin,
            Bound::Nobody,
            &[
                SeeSelf,
                SeeCounts,
                SeePeople,
                AskForSelf,
                ReportAgent,
                Operate,
                Own,
                ChangePolicy,
                Administer,
                Audit,
                BackUp,
                Collect,
                Import,
            ],
        )
        .for_others(FOR_OTHERS),
    ]
};

/// What a manager may do on behalf of the person who asks it: read, and change products and
/// entitlements.
const FOR_OTHERS: &[Right] = {
    use Right::*;
    &[SeeSelf, SeeCounts, SeePeople, Own, ChangePolicy]
};

/// The row of a role. A role without a row has no rights.
pub fn of(role: Role) -> &'static RoleRights {
    const NONE: RoleRights = self::role(Role::Client, Bound::Person, &[]);
    ROLES.iter().find(|row| row.role == role).unwrap_or(&NONE)
}

/// The row of the role with that word on the wire, if there is one.
pub fn named(word: &str) -> Option<&'static RoleRights> {
    ROLES.iter().find(|row| row.role.as_str() == word)
}

/// The roles whose tokens are bound in this way, in words.
pub fn bound_to(bound: Bound) -> String {
    either(ROLES.iter().filter(|row| row.bound == bound))
}

/// The roles that have a right, in words: `viewer, operator or admin`.
pub fn who_may(right: Right) -> String {
    who_may_all(Rights::of(&[right]))
}

/// The roles that have all of these rights, in words.
pub fn who_may_all(rights: Rights) -> String {
    either(ROLES.iter().filter(|row| row.rights.has_all(rights)))
}

/// The role with the fewest rights that has all of these and whose tokens are bound to nobody. The
/// role `manager` is left out, because no person is given it.
pub fn least(rights: Rights) -> Option<Role> {
    let for_people = |row: &&RoleRights| row.bound == Bound::Nobody && row.role != Role::Manager;
    let rows = ROLES.iter().filter(for_people);
    rows.filter(|row| row.rights.has_all(rights))
        .min_by_key(|row| row.rights.0.count_ones())
        .map(|row| row.role)
}

fn either(rows: impl Iterator<Item = &'static RoleRights>) -> String {
    let words: Vec<&str> = rows.map(|row| row.role.as_str()).collect();
    match words.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_the_rights_of_its_row_and_no_others() {
        let viewer = of(Role::Viewer);
        assert!(viewer.rights.has(Right::SeePeople) && !viewer.rights.has(Right::AskForSelf));
        assert_eq!(
            who_may(Right::SeePeople),
            "manager, viewer, operator or admin"
        );
        assert_eq!(who_may(Right::BackUp), "backup or admin");
        assert_eq!(who_may(Right::Own), "admin");
        let both = Rights::of(&[Right::Operate, Right::BackUp]);
        assert_eq!(who_may_all(both), "admin");
        for row in ROLES {
            assert_eq!(named(row.role.as_str()).unwrap().role, row.role);
        }
        assert!(named("king").is_none());
    }

    #[test]
    fn the_least_role_that_suffices_is_one_for_people() {
        let least_of = |right| least(Rights::of(&[right])).map(Role::as_str);
        assert_eq!(least_of(Right::SeeCounts), Some("viewer"));
        assert_eq!(least_of(Right::Operate), Some("operator"));
        assert_eq!(least_of(Right::BackUp), Some("backup"));
        assert_eq!(least_of(Right::Own), Some("admin"));
        assert_eq!(least_of(Right::Import), Some("operator"));
    }

    #[test]
    fn the_roles_that_are_to_come_can_be_said_in_a_row() {
        use Right::*;
        // Without people; with people and without acting; what is one's own alone.
        let licence_manager = Rights::of(&[SeeSelf, SeeCounts, Own, Import]);
        let auditor = Rights::of(&[SeeSelf, SeeCounts, SeePeople, Audit]);
        let own = Rights::of(&[SeeSelf]);
        assert!(licence_manager.has(Own) && !licence_manager.has(SeePeople));
        assert!(auditor.has(Audit) && !auditor.has(Operate));
        assert!(own.has(SeeSelf) && !own.has(AskForSelf));
    }
}
