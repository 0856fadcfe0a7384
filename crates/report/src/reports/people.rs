//! `people`: the people of a product, the products of a person.

use std::collections::BTreeSet;

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, GroupBy, LastUseState, Report, ReportName};

use crate::asked::Asked;
use crate::by_group;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::gathered::{OfGroup, UseOf};
use crate::plots;
use crate::words::{duration, many};

/// What `people` is made from.
#[derive(Debug, Clone, Default)]
pub struct PeopleInput {
    /// By person and product.
    pub uses: Vec<UseOf>,
    /// By group, if that was asked for.
    pub groups: PeopleGroups,
}

/// Which groups people are in.
#[derive(Debug, Clone, Default)]
pub struct PeopleGroups {
    /// Those of the person of each of the uses, in their order; at least one for each.
    pub of: Vec<Vec<OfGroup>>,
    /// Why it is not known of some people; empty: it is of all.
    pub why_not_known: String,
}

/// The people of each product, or the products of each person if a person was asked for.
pub fn people(asked: &Asked, input: PeopleInput) -> Report {
    let asks_for = &asked.parameters;
    let title = match (&asks_for.user, &asks_for.product) {
        (Some(user), _) => format!("Products of {user}"),
        (None, Some(product)) => format!("People of {product}"),
        (None, None) => "People".to_owned(),
    };
    let mut draft = Draft::new(ReportName::People, title);
    let columns = [
        ("product", "Product", Text),
        ("user", "User", Text),
        ("realm", "Realm", Text),
        ("sessions", "Sessions", Count),
        ("computers", "Computers", Count),
        ("open_seconds", "Open time", Seconds),
        ("active_seconds", "Active time", Seconds),
        ("seat_seconds", "Seat time", Seconds),
        ("last_use", "Use", State),
        ("last_used_at", "Last used", Time),
    ];
    let PeopleInput { mut uses, groups } = input;
    let is_by_group = asks_for.group_by == Some(GroupBy::Group);
    let of_groups = is_by_group.then(|| in_groups(&uses, &groups));
    uses.sort_by(|one, other| {
        let others = (&other.product, &other.of, &other.realm);
        (&one.product, &one.of, &one.realm).cmp(&others)
    });
    let mut table = Table::new("people", "People and products", &columns);
    for it in &uses {
        let [last_use, last_used_at] = cells::last_use(&it.last_use);
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.of),
            cells::text(it.realm.as_deref()),
            cells::count(it.sessions),
            cells::count(it.computers),
            cells::seconds(it.open_seconds),
            cells::active(it.active_seconds),
            cells::seconds(it.seat_seconds),
            last_use,
            last_used_at,
        ]);
    }
    let is_of_one = asks_for.user.is_some();
    let bars = uses.iter().map(|it| {
        let title = match (is_of_one, &asks_for.product) {
            (true, _) => it.product.clone(),
            (false, Some(_)) => it.of.clone(),
            (false, None) => format!("{}, {}", it.of, it.product),
        };
        plots::bar(title, "open time", it.open_seconds / 3_600.0)
    });
    let plot = plots::bars("hours", bars.collect());
    draft.add(table, summary(&uses), plot);
    if let Some((table, summary)) = of_groups {
        draft.add(table, summary, None);
        let in_several = groups.of.iter().any(|of| of.len() > 1);
        by_group::notes(&mut draft, in_several);
    }
    draft.note(
        "A person is an account in a realm. What a person used in a group of computers without a \
         directory counts for each computer's account.",
    );
    draft.report(asked)
}

fn summary(uses: &[UseOf]) -> String {
    let in_time = || uses.iter().filter(|it| it.sessions > 0);
    let people: BTreeSet<_> = in_time().map(|it| (&it.realm, &it.of)).collect();
    let products: BTreeSet<_> = in_time().map(|it| &it.product).collect();
    let not_known = uses
        .iter()
        .filter(|it| it.last_use.state == LastUseState::NotKnown)
        .count();
    let not_known = match not_known {
        0 => String::new(),
        of => format!("; of {} the last use is not known", many(of, "row")),
    };
    let most = in_time().max_by(|one, other| one.open_seconds.total_cmp(&other.open_seconds));
    match most {
        None => format!("Nobody used anything in this time, as far as is known{not_known}."),
        Some(most) => format!(
            "{} used {}; the longest open time is {}: {} with {}{not_known}.",
            many(people.len(), "person"),
            many(products.len(), "product"),
            duration(most.open_seconds),
            most.of,
            most.product,
        ),
    }
}

/// Each person in each of their groups.
fn in_groups(uses: &[UseOf], groups: &PeopleGroups) -> (Table, String) {
    let columns = by_group::columns(&[
        ("user", "User", Text),
        ("realm", "Realm", Text),
        ("product", "Product", Text),
        ("sessions", "Sessions", Count),
        ("open_seconds", "Open time", Seconds),
        ("seat_seconds", "Seat time", Seconds),
    ]);
    let each = uses.iter().zip(&groups.of);
    let each = each.flat_map(|(it, of)| of.iter().map(move |whose| (whose, it)));
    let mut rows: Vec<(&OfGroup, &UseOf)> = each.collect();
    rows.sort_by(|(whose, it), (other, another)| {
        let others = (other, &another.of, &another.realm, &another.product);
        (whose, &it.of, &it.realm, &it.product).cmp(&others)
    });
    let mut table = Table::new("groups", "By group", &columns);
    for (whose, it) in &rows {
        let [group, membership] = by_group::cells(whose, &groups.why_not_known);
        table.row(vec![
            group,
            membership,
            Cell::text(&it.of),
            cells::text(it.realm.as_deref()),
            Cell::text(&it.product),
            cells::count(it.sessions),
            cells::seconds(it.open_seconds),
            cells::seconds(it.seat_seconds),
        ]);
    }
    let people = |is: fn(&OfGroup) -> bool| {
        let of = rows.iter().filter(|(whose, _)| is(whose));
        let people: BTreeSet<_> = of.map(|(_, it)| (&it.realm, &it.of)).collect();
        many(people.len(), "person")
    };
    let named: BTreeSet<_> = rows
        .iter()
        .filter(|(whose, _)| matches!(whose, OfGroup::Group(_)))
        .map(|(whose, _)| whose)
        .collect();
    let summary = format!(
        "{} in {}; {} in no group; of {} it is not known.",
        people(|whose| matches!(whose, OfGroup::Group(_))),
        many(named.len(), "group"),
        people(|whose| *whose == OfGroup::InNone),
        people(|whose| *whose == OfGroup::NotKnown),
    );
    (table, summary)
}
