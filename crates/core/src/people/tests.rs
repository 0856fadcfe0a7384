//! Tests of who is one person.

use super::LocalAccounts::{ByComputer, ByName};
use super::*;

fn person(realm: &str, account: &str) -> (String, String) {
    let person = Person::of(realm, account, ByComputer).unwrap();
    (person.realm, person.key)
}

#[track_caller]
fn same(one: (&str, &str), other: (&str, &str)) {
    assert_eq!(person(one.0, one.1), person(other.0, other.1));
}

#[track_caller]
fn different(one: (&str, &str), other: (&str, &str)) {
    assert_ne!(person(one.0, one.1), person(other.0, other.1));
}

#[test]
fn a_directory_compares_realm_and_account_without_case() {
    same(("corp.example", "Jörg"), ("CORP.EXAMPLE", "JÖRG"));
    same(("corp.example", "σίσυφος"), ("corp.example", "ΣΊΣΥΦΟΣ"));
    different(("corp.example", "ann"), ("lab.example", "ann"));
    let ann = Person::of("corp.example", "Ann", ByComputer).unwrap();
    assert_eq!(ann.account, "Ann", "it is shown as it was written");
}

#[test]
fn a_person_is_the_same_however_accents_are_written() {
    same(("computer:c-1", "Zoe\u{308}"), ("computer:c-1", "Zo\u{eb}"));
    same(
        ("mu\u{308}nchen.example", "ann"),
        ("M\u{dc}NCHEN.example", "ann"),
    );
    // The capital is two characters in any form, the small letter is one.
    same(
        ("corp.example", "J\u{30c}im"),
        ("corp.example", "\u{1f0}im"),
    );
    same(
        ("mu\u{308}nchen.example", "ann@M\u{fc}nchen.example"),
        ("m\u{fc}nchen.example", "ann"),
    );
    let shown = Person::of("usher", "Zoe\u{308}", ByComputer).unwrap();
    assert_eq!(shown.account, "Zo\u{eb}");
}

#[test]
fn other_realms_compare_accounts_exactly() {
    for realm in ["computer:c-1", "usher", "local"] {
        different((realm, "ann"), (realm, "Ann"));
        same((realm, "ann"), (realm, "ann"));
    }
    different(("computer:c-1", "ann"), ("computer:c-2", "ann"));
}

#[test]
fn where_own_accounts_count_by_name_all_computers_are_one_realm() {
    let person = |realm, account| Person::of(realm, account, ByName).unwrap();
    assert_eq!(
        person("computer:c-1", "ann").realm,
        person("computer:c-2", "ann").realm
    );
    assert_ne!(person("computer:c-1", "ann"), person("usher", "ann"));
    assert_eq!(person("corp.example", "ann").realm, "corp.example");
}

#[test]
fn a_name_is_split_only_where_its_domain_is_known() {
    let known = |domain: &str| {
        let domain = domain.to_lowercase();
        ["corp", "corp.example"]
            .contains(&domain.as_str())
            .then_some("corp.example")
    };
    for (name, account) in [
        (r"CORP\ann", "ann"),
        ("ann@corp.example", "ann"),
        ("ann@home@CORP.example", "ann@home"),
        (r"corp\ann\b", r"ann\b"),
        (r"corp\ann@elsewhere", "ann@elsewhere"),
        (r"other\ann@corp", r"other\ann"),
    ] {
        assert_eq!(
            split(name, known),
            Some(("corp.example", account)),
            "{name}"
        );
    }
    for whole in [
        "ann", "ann@home", r"lab\ann", "@corp", r"corp\", r"\ann", "ann@",
    ] {
        assert_eq!(split(whole, known), None, "{whole}");
    }
}

#[test]
fn a_directory_whose_own_name_stands_in_the_account_names_the_same_person() {
    same(
        ("corp.example", "ann@CORP.example"),
        ("corp.example", "ann"),
    );
    same(
        ("corp.example", r"corp.example\ann"),
        ("corp.example", "ann"),
    );
    different(("corp.example", "ann@lab.example"), ("corp.example", "ann"));
    different(
        ("computer:c-1", "ann@computer:c-1"),
        ("computer:c-1", "ann"),
    );
}

#[test]
fn no_spelling_of_a_directory_is_the_realm_of_tokens_or_of_a_computer() {
    for realm in ["Usher", "LOCAL", "Computer:c-1"] {
        let refused = Person::of(realm, "ann", ByComputer);
        assert!(
            matches!(refused, Err(NotAPerson::Disguised(..))),
            "{realm}: {refused:?}"
        );
    }
    assert_eq!(person("local.example", "ann").0, "local.example");
    assert_eq!(person("computers", "ann").0, "computers");
}

#[test]
fn an_account_has_one_to_255_bytes() {
    let of = |account: &str| Person::of("corp.example", account, ByComputer);
    assert!(of(&"a".repeat(255)).is_ok());
    assert!(of(&format!("{}@corp.example", "a".repeat(255))).is_ok());
    assert_eq!(of(&"a".repeat(256)), Err(NotAPerson::TooLong(256)));
    assert_eq!(of(""), Err(NotAPerson::NoAccount));
    assert_eq!(Person::of("", "ann", ByComputer), Err(NotAPerson::NoRealm));
}
