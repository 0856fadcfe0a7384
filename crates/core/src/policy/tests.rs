//! Texts as people write them, and what they are told.

use std::collections::BTreeMap;

use super::*;
use crate::ledger::{Bound, Wall};

pub(super) fn is_unseen(c: char) -> bool {
    c == '\u{200b}'
}

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn one(text: &str) -> Result<Read, Vec<Fault>> {
    read(&[source("policy.toml", text)], is_unseen)
}

fn faults(sources: &[Source]) -> String {
    let faults = read(sources, is_unseen).expect_err("it has faults");
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    lines.join("\n")
}

const WHOLE: &str = r#"
policy = 1
time_zone = "Europe/Berlin"

[[product]]
id = "cad"
name = "CAD 3D"
publisher = "Acme"
programs = ["path=/opt/cad/bin/*", "name=cad-helper,role=helper"]
mode = "enforce"
counting = "user-on-computer"
idle_seconds = "30m"
on_idle = "release"
grace_seconds = 60

[[entitlement]]
name = "cad-2026"
was = "E12"
product = "cad"
seats = 25
overdraft = 2
from = 2026-01-01
to = "2026-12-31"
price = { amount = 12000.50, currency = "EUR", per = "year" }
contract = "A-4711"
cost_centre = "4200"
notice_days = 90
note = "for the lab"

[[entitlement]]
name = "cad-trial"
product = "cad"
seats = 5
to = 2026-06-30T18:00:00+02:00
"#;

#[test]
fn a_text_is_read_with_what_it_does_not_say_as_usual() {
    let read = one(WHOLE).unwrap();
    let cad = &read.policy.products["cad"];
    assert_eq!(cad.text("counting"), "user_on_computer");
    assert_eq!(cad.get("idle_seconds"), Some(&Value::Number(1_800)));
    assert_eq!(cad.get("claim_seconds"), Some(&Value::Number(300)));
    assert_eq!(cad.get("enabled"), Some(&Value::Flag(true)));
    let owned = &read.policy.entitlements["cad-2026"];
    let day = |day: &str| Some(Bound::day(day.parse().unwrap(), "Europe/Berlin".into()));
    assert_eq!(
        (&owned.from, &owned.to),
        (&day("2026-01-01"), &day("2026-12-31"))
    );
    assert_eq!(owned.usable(), 27);
    let price = owned.price.as_ref().map(Price::to_string);
    assert_eq!(price.as_deref(), Some("12000.50 EUR/year"));
    let trial = &read.policy.entitlements["cad-trial"];
    assert_eq!(trial.to, Some(Bound::At(Wall(1_782_835_200_000))));
    assert_eq!(read.renamed["cad-2026"], "E12");
    assert_eq!(read.product_places["cad"], "policy.toml:5");
    assert_eq!(read.entitlement_places["cad-2026"], "policy.toml:16");
}

#[test]
fn all_faults_are_told_at_once_each_with_its_line() {
    let text = r#"policy = 1
tmie_zone = "UTC"

[[product]]
id = "a b"
mode = "enforced"
max_ttl = "1h"
queue_limit = -1
claim_seconds = "2d"
programs = ["name=cad", "colour=red"]
enabled = "yes"

[[product]]
name = "nameless"

[[entitlement]]
name = "x"
product = "cda"
seats = "many"
from = 2026-12-31
to = 2026-01-01
price = { amount = -1, currency = "EUR", per = "year" }

[[entitlement]]
product = "a b"
to = 2026-01-01T00:00:00
time_zone = "Mars/Olympus"
metric = "core"
price = "12000"
notice_days = 4000
"#;
    insta::assert_snapshot!(faults(&[source("policy.toml", text)]), @r#"
    policy.toml:2: there is no key `tmie_zone` here: did you mean `time_zone`?
    policy.toml:5: the id "a b" has blanks or `/`, or no path can name it: write one such as acme-cad
    policy.toml:6: `mode` is "enforced": did you mean `enforce`?
    policy.toml:7: there is no key `max_ttl` here: did you mean `max_ttl_seconds`?
    policy.toml:8: `queue_limit` is out of range: give 0 to 100000
    policy.toml:9: `claim_seconds` is out of range: give 1s to 1d
    policy.toml:10: the rule "colour=red" cannot be used: there is no key "colour"; the keys are name, path, original-name, package, sha256, publisher
    policy.toml:11: `enabled` is a text: give true or false
    policy.toml:13: this product has no `id`
    policy.toml:18: there is no [[product]] with the id cda: the ids in these files cannot be used
    policy.toml:19: `seats` is a text: give a whole number
    policy.toml:21: it would end before it begins
    policy.toml:22: "-1" is not an amount: write a number from 0 to 100000000000 with at most four decimals, such as 1200.50
    policy.toml:24: this entitlement has no `name`
    policy.toml:24: this entitlement has no `seats`
    policy.toml:26: `to` is a date: give a day such as 2026-12-31, or an instant with its offset such as 2026-12-31T18:00:00Z
    policy.toml:27: "Mars/Olympus" is no time zone known here: give an IANA name such as Europe/Berlin
    policy.toml:28: `metric` is "core": it can be concurrent
    policy.toml:29: `price` is to be like { amount = 12000, currency = "EUR", per = "year" }
    policy.toml:30: `notice_days` is out of range: give 0 to 3650
    "#);
}

#[test]
fn what_is_wrong_beside_a_line_that_is_no_toml_is_told_too() {
    let text = r#"policy = 1

[[product]]
id = "cad"
mod = "track"

[[entitlement]]
name = "x"
product = "cad"
seats = 5 seats
from = 2026-02-30   # a day
price = { amount = 12.000,50, currency = "EUR", per = "year" }

[[entitlement]]
name = "y"
product = "cda"
seats = 1
price = { amount = 12.000, currency = "EURO", per = "week" }

[[entitlement]]
name = "z"
product = "cad"
seats = 1
price = { amount = "12.000,50", currency = "eur" }
"#;
    let told = faults(&[source("p", text)]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 9, "{told}");
    assert_eq!(
        lines[0],
        "p:5: there is no key `mod` here: did you mean `mode`?"
    );
    assert!(lines[1].starts_with("p:10: this is not TOML: "), "{told}");
    insta::assert_snapshot!(lines[2..].join("\n"), @r#"
    p:11: `from` is 2026-02-30: give a day that there is, such as 2026-12-31, or an instant with its offset such as 2026-12-31T18:00:00Z
    p:12: `amount` is 12.000,50: write a decimal point and no other sign, such as 12000.50, or put it in quotes
    p:16: there is no [[product]] with the id cda: did you mean `cad`?
    p:18: "12.000" can be read in two ways: write 12000 or 12.00
    p:18: "EURO" is not a currency: write its three capital letters, such as EUR
    p:18: `per` is "week": it can be year, month, once
    p:24: `price` has no `per`: write it like { amount = 12000, currency = "EUR", per = "year" }
    "#);
}

#[test]
fn texts_are_joined_and_what_stands_twice_names_both_places() {
    let products = "policy = 1\n[[product]]\nid = \"cad\"\n";
    let owned = |name: &str| {
        format!("policy = 1\n\n[[entitlement]]\nname = \"{name}\"\nproduct = \"cad\"\nseats = 1\n")
    };
    let both = [source("a.toml", products), source("b.toml", &owned("x"))];
    let read = read(&both, is_unseen).unwrap();
    assert_eq!(read.policy.entitlements["x"].product, "cad");
    let twice = [
        source("a.toml", products),
        source("b.toml", &owned("x")),
        source(
            "c.toml",
            &format!("{}\n[[product]]\nid = \"cad\"\n", owned("x")),
        ),
    ];
    insta::assert_snapshot!(faults(&twice), @r"
    c.toml:3: entitlement x stands here again: it stands in b.toml:3 already
    c.toml:8: product cad stands here again: it stands in a.toml:2 already
    ");
    // A file that cannot be read may have the product.
    let broken = [
        source("a.toml", "policy = 1\n[[product]\n"),
        source("b.toml", &owned("x")),
    ];
    insta::assert_snapshot!(faults(&broken), @"a.toml:2: this is not TOML: unclosed array table, expected `]`; nothing else in this file was looked at");
}

#[test]
fn a_text_says_which_form_it_has() {
    insta::assert_snapshot!(faults(&[source("p", "[[product]]\nid = \"cad\"\n")]), @"p:1: it does not say which format it has: write `policy = 1` first");
    insta::assert_snapshot!(faults(&[source("p", "\npolicy = 2\n")]), @"p:2: this version of Usher reads `policy = 1`: a file with another number is for another version");
    insta::assert_snapshot!(faults(&[source("p", "policy = 1\n[product]\nid = \"cad\"\n")]), @"p:2: `product` is a table: give [[product]] with two brackets for each");
}

#[test]
fn one_name_of_before_becomes_one_name() {
    let entitlement = |name: &str, was: &str| {
        format!(
            "[[entitlement]]\nname = \"{name}\"\nwas = \"{was}\"\nproduct = \"cad\"\nseats = 1\n"
        )
    };
    let text = |owned: &[(&str, &str)]| {
        let owned: String = owned
            .iter()
            .map(|(name, was)| entitlement(name, was))
            .collect();
        source(
            "p",
            &format!("policy = 1\n[[product]]\nid = \"cad\"\n{owned}"),
        )
    };
    insta::assert_snapshot!(faults(&[text(&[("a", "a")])]), @"p:6: `was` is its name: leave it out");
    insta::assert_snapshot!(faults(&[text(&[("a", "b"), ("b", "c")])]), @"p:6: b is an entitlement of its own, in p:9: a cannot have been it");
    insta::assert_snapshot!(faults(&[text(&[("a", "c"), ("b", "c")])]), @"p:11: c was a already: it can become one only");
}

#[test]
fn a_policy_is_written_with_headings_and_without_what_is_as_usual() {
    let read = one(WHOLE).unwrap();
    insta::assert_snapshot!(write::whole(&read.policy), @r#"
    # What is metered and owned. `usher policy diff` compares it with a server,
    # `usher policy apply` makes the server so. What is not said is as usual.
    policy = 1

    # cad: CAD 3D

    [[product]]
    id = "cad"
    name = "CAD 3D"
    publisher = "Acme"
    programs = [
      "path=/opt/cad/bin/*",
      "name=cad-helper,role=helper",
    ]
    mode = "enforce"
    idle_seconds = "30m"
    on_idle = "release"
    grace_seconds = "1m"

    [[entitlement]]
    name = "cad-2026"
    product = "cad"
    seats = 25
    overdraft = 2
    from = 2026-01-01
    to = 2026-12-31
    time_zone = "Europe/Berlin"
    price = { amount = 12000.50, currency = "EUR", per = "year" }
    contract = "A-4711"
    cost_centre = "4200"
    note = "for the lab"
    notice_days = 90

    [[entitlement]]
    name = "cad-trial"
    product = "cad"
    seats = 5
    to = 2026-06-30T16:00:00Z
    "#);
}

fn edited(edit: impl FnOnce(&mut Policy)) -> (Policy, Policy) {
    let have = one(WHOLE).unwrap().policy;
    let mut want = have.clone();
    edit(&mut want);
    (have, want)
}

fn said(have: &Policy, want: &Policy, renamed: &BTreeMap<String, String>) -> String {
    let difference = difference(have, want, renamed);
    let lines: Vec<String> = difference.changes.iter().map(Change::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_differs_is_said_in_sentences() {
    let (have, want) = edited(|policy| {
        let cad = policy.products.get_mut("cad").unwrap();
        cad.set("mode", Value::Text("track".into()));
        cad.set("publisher", Value::Text(String::new()));
        cad.set("idle_seconds", Value::Number(90));
        cad.set(
            "programs",
            Value::Texts(vec!["path=/opt/cad/bin/*".into(), "name=cadx".into()]),
        );
        policy.products.insert("cae".into(), Product::default());
        let mut terms = policy.entitlements.remove("cad-2026").unwrap();
        terms.seats = 30;
        terms.price = None;
        policy.entitlements.insert("cad-2027".into(), terms);
        policy.entitlements.remove("cad-trial");
        policy
            .entitlements
            .insert("cae".into(), Terms::of("cae", 1));
    });
    let renamed = BTreeMap::from([("cad-2027".to_owned(), "cad-2026".to_owned())]);
    insta::assert_snapshot!(said(&have, &want, &renamed), @r"
    change product cad: publisher from Acme to nothing; programs with name=cadx, without name=cad-helper,role=helper; mode from enforce to track; idle_seconds from 30m to 90s
    add product cae, tracked, with 0 program rules
    rename cad-2026 to cad-2027, and change seats from 25 to 30; price no longer 12000.50 EUR/year
    add cae: 1 seat of cae
    remove cad-trial: 5 seats of cad to 2026-06-30T16:00:00Z
    ");
    insta::assert_snapshot!(said(&want, &have, &BTreeMap::new()), @r"
    change product cad: publisher from nothing to Acme; programs with name=cad-helper,role=helper, without name=cadx; mode from track to enforce; idle_seconds from 90s to 30m
    add cad-2026: 25 seats of cad, and 2 of overdraft, from 2026-01-01 (Europe/Berlin) to 2026-12-31 (Europe/Berlin), 12000.50 EUR/year, contract A-4711, cost centre 4200, notice by 2026-10-02, for the lab
    add cad-trial: 5 seats of cad to 2026-06-30T16:00:00Z
    remove cad-2027: 30 seats of cad, and 2 of overdraft, from 2026-01-01 (Europe/Berlin) to 2026-12-31 (Europe/Berlin), contract A-4711, cost centre 4200, notice by 2026-10-02, for the lab
    remove cae: 1 seat of cae
    remove product cae, tracked, with 0 program rules
    ");
    // Without an end notice is due on no day.
    let (_, endless) = edited(|policy| {
        let terms = policy.entitlements.get_mut("cad-2026").unwrap();
        *terms = Terms {
            notice_days: Some(30),
            ..Terms::of("cad", 1)
        };
    });
    let told = said(&Policy::default(), &endless, &BTreeMap::new());
    let added = "add cad-2026: 1 seat of cad, notice 30 days before its end\n";
    assert!(told.contains(added), "{told}");
    // What has its new name already is not renamed once more.
    assert_eq!(said(&want, &want, &renamed), "");
}

#[test]
fn seats_are_told_by_date_where_they_differ() {
    let (have, want) = edited(|policy| {
        policy.entitlements.get_mut("cad-2026").unwrap().seats = 20;
        let next = Terms {
            from: Some(Bound::day("2027-01-01".parse().unwrap(), "UTC".into())),
            ..Terms::of("cad", 40)
        };
        policy.entitlements.insert("cad-2027".into(), next);
    });
    let at = |text: &str| Wall(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let now = at("2026-06-01T00:00:00Z");
    let told: Vec<_> = steps(&have, &want, now)
        .remove("cad")
        .unwrap()
        .into_iter()
        .map(|step| (step.from, step.before, step.after))
        .collect();
    let days: Vec<Option<String>> = steps(&have, &want, now)["cad"]
        .iter()
        .map(|step| step.day.as_ref().map(|(day, zone)| format!("{day} {zone}")))
        .collect();
    assert_eq!(
        days,
        [
            None,
            None,
            Some("2027-01-01 Europe/Berlin".to_owned()),
            Some("2027-01-01 UTC".to_owned())
        ],
        "as they were said"
    );
    let expected = [
        (None, 32, 27),
        (Some(at("2026-06-30T16:00:00Z")), 27, 22),
        (Some(at("2026-12-31T23:00:00Z")), 0, 0),
        (Some(at("2027-01-01T00:00:00Z")), 0, 40),
    ];
    assert_eq!(told, expected);
    assert!(steps(&have, &have, now).is_empty());
    let later = at("2028-01-01T00:00:00Z");
    let told = steps(&have, &want, later).remove("cad").unwrap();
    assert_eq!(told.len(), 1, "what is over is not told: {told:?}");
}

#[test]
fn the_names_that_servers_give_are_known() {
    for own in ["E1", "E12", "E0"] {
        assert!(is_servers_own(own), "{own}");
    }
    for other in ["E", "E01", "e1", "E1a", "cad", "F1", ""] {
        assert!(!is_servers_own(other), "{other}");
    }
}
