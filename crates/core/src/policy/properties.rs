//! What always holds: of a policy and itself nothing differs, what differs turns one policy into
//! the other, and a policy that is written is read as it was.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::settings::{Kind, Range, SETTINGS};
use super::tests::is_unseen;
use super::*;
use crate::ledger::{Bound, Wall};

fn value(kind: Kind) -> BoxedStrategy<Value> {
    let within = |range: Range| {
        let zero = if range.or_zero { 0 } else { range.least };
        prop_oneof![
            Just(range.usual),
            Just(zero),
            range.least..=range.most.min(range.least.saturating_add(100_000)),
            Just(range.most),
        ]
        .prop_map(Value::Number)
        .boxed()
    };
    let rule = prop_oneof![
        Just("name=cad*".to_owned()),
        Just("path=/opt/\"a b\"/{x,y}\\[1\\],role=helper".to_owned()),
        "name=[a-z]{1,8}",
    ];
    match kind {
        Kind::Text => text().prop_map(Value::Text).boxed(),
        Kind::Word(words) => proptest::sample::select(words.to_vec())
            .prop_map(|word| Value::Text(word.to_owned()))
            .boxed(),
        Kind::Flag(_) => any::<bool>().prop_map(Value::Flag).boxed(),
        Kind::Count(range) | Kind::Seconds(range) => within(range),
        Kind::Rules => proptest::collection::vec(rule, 0..4)
            .prop_map(Value::Texts)
            .boxed(),
    }
}

/// A line as people write it, and as they do not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\\\"' # = [[x]] ünï 漢字".to_owned()),
        "[ -~]{0,12}",
    ]
}

fn product() -> impl Strategy<Value = Product> {
    let settings: Vec<_> = SETTINGS
        .iter()
        .map(|it| {
            let usual = Just(it.usual());
            prop_oneof![2 => usual.boxed(), 1 => value(it.kind)].prop_map(|value| (it.key, value))
        })
        .collect();
    settings.prop_map(|settings| {
        let mut product = Product::default();
        for (key, value) in settings {
            product.set(key, value);
        }
        product
    })
}

fn ends() -> impl Strategy<Value = (Option<Bound>, Option<Bound>)> {
    let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu"];
    let zone = proptest::sample::select(zones.to_vec());
    // Days since 2020, an end after its beginning, each now and then an instant or nothing.
    (zone, 0_i64..4_000, 1_i64..4_000, 0_u8..3, 0_u8..3).prop_map(
        |(zone, from, lasts, kind_of_from, kind_of_to)| {
            let end = |day: i64, kind: u8| {
                let at = jiff::Timestamp::from_second((18_262 + day) * 86_400 + 3_723).ok()?;
                match kind {
                    0 => None,
                    1 => Some(Bound::At(Wall(at.as_millisecond()))),
                    _ => Some(Bound::day(
                        at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
                        zone.into(),
                    )),
                }
            };
            (end(from, kind_of_from), end(from + lasts + 2, kind_of_to))
        },
    )
}

fn price() -> impl Strategy<Value = Price> {
    let per = proptest::sample::select(vec![Per::Year, Per::Month, Per::Once]);
    (0_u64..=1_000_000_000_000_000, per).prop_map(|(ten_thousandths, per)| Price {
        amount: Amount { ten_thousandths },
        currency: "EUR".into(),
        per,
    })
}

fn terms(product: String) -> impl Strategy<Value = Terms> {
    let line =
        || proptest::option::of(text().prop_filter("an empty one is none", |it| !it.is_empty()));
    (
        0_u32..=1_000_000_000,
        prop_oneof![Just(0), 0_u32..=1_000],
        ends(),
        proptest::option::of(price()),
        (line(), line(), line()),
        proptest::option::of(0_u32..=3_650),
    )
        .prop_map(
            move |(
                seats,
                overdraft,
                (from, to),
                price,
                (contract, cost_centre, note),
                notice_days,
            )| {
                Terms {
                    overdraft,
                    from,
                    to,
                    price,
                    contract,
                    cost_centre,
                    note,
                    notice_days,
                    ..Terms::of(&product, seats)
                }
            },
        )
}

/// Every entitlement is of a product that there is.
fn policy() -> impl Strategy<Value = Policy> {
    let id = proptest::sample::select(vec!["cad", "cae", "solver", "größer"]);
    let products = proptest::collection::btree_map(id.prop_map(str::to_owned), product(), 1..4);
    products.prop_flat_map(|products| {
        let ids: Vec<String> = products.keys().cloned().collect();
        let name = proptest::sample::select(vec!["a", "b 2026", "E12", "\"c\"", "d"]);
        let of_one = proptest::sample::select(ids).prop_flat_map(terms);
        let owned = proptest::collection::btree_map(name.prop_map(str::to_owned), of_one, 0..5);
        owned.prop_map(move |entitlements| Policy {
            products: products.clone(),
            entitlements,
        })
    })
}

proptest! {
    #[test]
    fn nothing_differs_between_a_policy_and_itself(policy in policy()) {
        let same = difference(&policy, &policy, &BTreeMap::new());
        prop_assert_eq!(same, Difference::default());
    }

    #[test]
    fn what_differs_turns_the_one_policy_into_the_other(
        have in policy(),
        want in policy(),
        was in proptest::sample::select(vec!["a", "b 2026", "E12", "no such"]),
    ) {
        // Each of the other policy's names may be a new one for the same old one.
        let renamed: BTreeMap<String, String> = want
            .entitlements
            .keys()
            .map(|name| (name.clone(), was.to_owned()))
            .collect();
        let difference = difference(&have, &want, &renamed);
        prop_assert_eq!(difference.applied_to(&have), want.clone());
        let again = super::difference(&want, &want, &renamed);
        prop_assert!(again.is_empty(), "applied twice it changes nothing");
        prop_assert_eq!(difference.is_empty(), have == want);
        let (kept, removals) = difference.clone().without_removals();
        prop_assert!(removals.iter().all(Change::is_removal));
        prop_assert!(!kept.changes.iter().any(Change::is_removal));
        for change in &difference.changes {
            prop_assert!(!change.to_string().is_empty());
        }
    }

    #[test]
    fn a_policy_that_is_written_is_read_as_it_was(policy in policy()) {
        let source = Source {
            name: "policy.toml".to_owned(),
            text: write::whole(&policy),
        };
        let read = read(std::slice::from_ref(&source), is_unseen);
        let read = read.map_err(|faults| {
            TestCaseError::fail(format!("{faults:?}\n{}", source.text))
        })?;
        prop_assert_eq!(read.policy, policy);
    }

    #[test]
    fn whatever_a_text_holds_it_is_read_or_has_faults(text in "(\\PC|[\n=\"\\[\\]{},]){0,200}") {
        let source = Source { name: "x".to_owned(), text };
        if let Err(faults) = read(&[source], is_unseen) {
            prop_assert!(!faults.is_empty());
        }
    }

    #[test]
    fn seats_by_date_end_where_each_policy_ends(have in policy(), want in policy()) {
        let never = Wall(i64::MAX);
        let last = |policy: &Policy, product: &str| -> u64 {
            let of_it = policy.entitlements.values().filter(|it| it.product == product);
            of_it.filter(|it| it.to.is_none()).map(Terms::usable).sum()
        };
        for (product, steps) in steps(&have, &want, Wall(1_577_836_800_000)) {
            let end = steps.last().cloned();
            let end = end.map(|step| (step.before, step.after));
            prop_assert_eq!(end, Some((last(&have, &product), last(&want, &product))));
            prop_assert!(steps.iter().all(|step| step.from < Some(never)));
            let changes = steps.windows(2).all(|two| {
                (two[0].before, two[0].after) != (two[1].before, two[1].after)
            });
            prop_assert!(changes, "each step is a change");
        }
    }
}
