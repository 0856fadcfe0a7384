//! `unused`: what is owned and was never used, not used in the time, or of which that is not known.

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, CountedBy, LastUse, LastUseState, Price, Report, ReportName};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::money::prices;
use crate::words::{many, names};

/// What `unused` is made from.
#[derive(Debug, Clone, Default)]
pub struct UnusedInput {
    /// Each product that is owned, or that something is known of.
    pub products: Vec<ProductUse>,
}

/// A product, what is owned of it, and when it was used.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductUse {
    /// Product id.
    pub product: String,
    /// Its title, for people; the id if it has none.
    pub name: String,
    /// Who counts it.
    pub counted: CountedBy,
    /// Seats owned now, over all servers; none if that is not known.
    pub owned: Option<u64>,
    /// What is paid for it now: a sum for each currency and period.
    pub prices: Vec<Price>,
    /// Sessions within the time.
    pub sessions: u64,
    /// For how long of the time nobody looked.
    pub unobserved_seconds: f64,
    /// The last use, also before the time.
    pub last_use: LastUse,
}

/// How a product was used, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    InTime,
    Before,
    Never,
    NotKnown,
}

impl Use {
    const ALL: [Use; 4] = [Use::InTime, Use::Before, Use::Never, Use::NotKnown];

    fn of(asked: &Asked, it: &ProductUse) -> Use {
        match it.last_use.state {
            _ if it.sessions > 0 => Use::InTime,
            LastUseState::Never => Use::Never,
            LastUseState::NotKnown => Use::NotKnown,
            LastUseState::Used => match it.last_use.at {
                Some(at) if at >= asked.from => Use::InTime,
                // It was used before, and again perhaps while nobody looked.
                _ if it.unobserved_seconds > 0.0 => Use::NotKnown,
                _ => Use::Before,
            },
        }
    }
}

/// What may be cancelled: owned and never used, or not used in the time; and what nobody knows.
pub fn unused(asked: &Asked, input: UnusedInput) -> Report {
    let mut draft = Draft::new(ReportName::Unused, "Never used, and not known");
    let mut products = input.products;
    products.sort_by(|one, other| one.product.cmp(&other.product));
    let products: Vec<(Use, &ProductUse)> =
        products.iter().map(|it| (Use::of(asked, it), it)).collect();
    let lists = [
        (Use::Never, "never", "Owned and never used"),
        (
            Use::Before,
            "not_in_time",
            "Owned and not used in this time",
        ),
        (
            Use::NotKnown,
            "not_known",
            "Owned, and nobody knows whether it was used",
        ),
    ];
    for (found, key, title) in lists {
        let is_owned = |it: &ProductUse| it.owned != Some(0);
        let of: Vec<&ProductUse> = products
            .iter()
            .filter(|(use_of_it, it)| *use_of_it == found && is_owned(it))
            .map(|(_, it)| *it)
            .collect();
        let ids: Vec<&str> = of.iter().map(|it| &*it.product).collect();
        let summary = match of.len() {
            0 => "No product.".to_owned(),
            all => format!("{}: {}.", many(all, "product"), names(&ids)),
        };
        draft.add(list(key, title, &of), summary, None);
    }
    let (table, summary) = two_ways(&products);
    draft.add(table, summary, None);
    draft.note(
        "Never is said only of a product that was observed all the time. Not known: nobody looked \
         for a part of the time, or what was recorded was removed after its retention.",
    );
    draft.report(asked)
}

fn list(key: &str, title: &str, products: &[&ProductUse]) -> Table {
    let columns = [
        ("product", "Product", Text),
        ("name", "Name", Text),
        ("counted", "Counted", State),
        ("owned", "Owned", Count),
        ("price", "Price", Text),
        ("last_use", "Use", State),
        ("last_used_at", "Last used", Time),
        ("unobserved_seconds", "Not observed", Seconds),
    ];
    let mut table = Table::new(key, title, &columns);
    for it in products {
        let [last_use, last_used_at] = cells::last_use(&it.last_use);
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.name),
            cells::counted(it.counted),
            match it.owned {
                Some(owned) => cells::count(owned),
                None => Cell::not_known("a server did not say what it owns"),
            },
            cells::text(prices(&it.prices).as_deref()),
            last_use,
            last_used_at,
            cells::seconds(it.unobserved_seconds),
        ]);
    }
    table
}

/// What is owned by how it was used, as counts of products.
fn two_ways(products: &[(Use, &ProductUse)]) -> (Table, String) {
    let columns = [
        ("owned", "Owned", State),
        ("in_time", "Used in this time", Count),
        ("before", "Used before", Count),
        ("never", "Never used", Count),
        ("not_known", "Not known", Count),
    ];
    let mut table = Table::new("two_ways", "Owned by used", &columns);
    type IsOwned = fn(Option<u64>) -> bool;
    let rows: [(&str, IsOwned); 3] = [
        ("owned", |owned| owned > Some(0)),
        ("not_owned", |owned| owned == Some(0)),
        ("not_known", |owned| owned.is_none()),
    ];
    for (word, is_it) in rows {
        let mut cells = vec![Cell::text(word)];
        cells.extend(Use::ALL.map(|found| {
            let of = products
                .iter()
                .filter(|(use_of_it, it)| *use_of_it == found && is_it(it.owned));
            cells::many(of.count())
        }));
        table.row(cells);
    }
    let used_only = products
        .iter()
        .filter(|(found, it)| *found == Use::InTime && it.owned == Some(0))
        .count();
    let summary = match used_only {
        0 => "Nothing was used of which no seat is owned.".to_owned(),
        of => format!("Of {} that was used no seat is owned.", many(of, "product")),
    };
    (table, summary)
}
