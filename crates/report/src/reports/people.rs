//! `people`: the people of a product, the products of a person.

use std::collections::BTreeSet;

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, LastUseState, Report, ReportName};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::gathered::UseOf;
use crate::plots;
use crate::words::{duration, many};

/// What `people` is made from.
#[derive(Debug, Clone, Default)]
pub struct PeopleInput {
    /// By person and product.
    pub uses: Vec<UseOf>,
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
    let mut uses = input.uses;
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
