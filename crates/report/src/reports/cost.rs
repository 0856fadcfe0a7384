//! `cost`: what is paid in the time, for what use, and for whom.

mod groups;
mod shares;

use std::collections::{BTreeMap, BTreeSet};

use usher_api::ColumnKind::{Count, Money, Seconds, State, Text};
use usher_api::{Cell, Entitlement, GroupBy, Report, ReportName};

use crate::asked::Asked;
use crate::by_group;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::gathered::{Figures, GroupUses, OwnedOn, UseOf};
use crate::money::{Falls, falls_on, per};
use crate::plots;
use crate::words::{many, names, rounded_money};

/// What `cost` is made from.
#[derive(Debug, Clone, Default)]
pub struct CostInput {
    /// All entitlements.
    pub entitlements: Vec<OwnedOn>,
    /// The figures of the products, over the time.
    pub figures: Figures,
    /// Who used what, by person or computer if that was asked for. Each use is in one row only.
    pub uses: Vec<UseOf>,
    /// Which groups did, if that was asked for.
    pub groups: GroupUses,
}

/// What products cost in the time, in ten-thousandths, by product and currency.
type Costs<'a> = BTreeMap<(&'a str, &'a str), u64>;

/// The cost of each product in the time, and each group's, person's or computer's share of it by
/// seat seconds.
pub fn cost(asked: &Asked, input: CostInput) -> Report {
    let mut draft = Draft::new(ReportName::Cost, "Cost and chargeback");
    let costs = costs(asked, &input.entitlements);
    let (table, summary, plot) = by_product(asked, &costs, &input.figures);
    draft.add(table, summary, plot);
    let whole = &input.figures.whole;
    match asked.parameters.group_by {
        Some(GroupBy::Product) => {}
        None | Some(GroupBy::Group) => {
            let shared = groups::shared(&costs, &input.groups, whole);
            let why = &input.groups.why_not_known;
            let (table, summary, plot) = groups::totals(&costs, &shared, why);
            draft.add(table, summary, plot);
            let (table, summary) = groups::table(&shared, why);
            draft.add(table, summary, None);
            by_group::notes(&mut draft, input.groups.in_several);
        }
        Some(by) => {
            let shared = shares::shared(&costs, &input.uses, whole);
            let (table, summary, plot) = shares::totals(by, &shared);
            draft.add(table, summary, plot);
            let (table, summary) = shares::table(by, &shared);
            draft.add(table, summary, None);
        }
    }
    let (table, summary) = by_entitlement(asked, &input.entitlements);
    draft.add(table, summary, None);
    let used = input.figures.whole.iter().filter(|it| it.sessions > 0);
    let priced: BTreeSet<&str> = costs.keys().map(|(product, _)| *product).collect();
    let unpriced: Vec<&str> = used
        .map(|it| &*it.product)
        .filter(|product| !priced.contains(product))
        .collect();
    if !unpriced.is_empty() {
        let what = format!("cost of {}", names(&unpriced));
        draft.cut(what, "no entitlement of it that has a price is known");
    }
    let undated: Vec<&str> = input
        .entitlements
        .iter()
        .map(|it| &it.entitlement)
        .filter(|it| is_undated(asked, it))
        .map(|it| &*it.product)
        .collect();
    if !undated.is_empty() {
        let what = format!("what was paid once for {}", names(&undated));
        draft.cut(what, "nobody said since when it is valid");
    }
    draft.note(
        "A price a year or a month falls evenly on each year or month of the calendar within its \
         validity; one that is paid once falls evenly on its validity, or on its first day if it \
         has no end. Shares are by seat seconds: seats held, by how long.",
    );
    draft.report(asked)
}

/// Whether nobody knows on which time its price falls.
fn is_undated(asked: &Asked, it: &Entitlement) -> bool {
    let time = (asked.from, asked.to);
    let price = it.price.as_ref();
    price.is_some_and(|price| falls_on(it, price, time, &asked.zone) == Falls::NotKnown)
}

fn costs<'a>(asked: &Asked, owned: &'a [OwnedOn]) -> Costs<'a> {
    let mut costs = Costs::new();
    for it in owned.iter().map(|it| &it.entitlement) {
        let Some(price) = &it.price else {
            continue;
        };
        if let Falls::Of(amount) = falls_on(it, price, (asked.from, asked.to), &asked.zone) {
            let sum = costs.entry((&it.product, &price.currency)).or_default();
            *sum = sum.saturating_add(amount);
        }
    }
    costs
}

fn by_product(
    asked: &Asked,
    costs: &Costs<'_>,
    figures: &Figures,
) -> (Table, String, Option<usher_api::Plot>) {
    let columns = [
        ("product", "Product", Text),
        ("cost", "Cost", Money),
        ("currency", "Currency", Text),
        ("users", "Users", Count),
        ("cost_per_user", "Per user", Money),
        ("open_seconds", "Open time", Seconds),
        ("cost_per_open_hour", "Per open hour", Money),
        ("unobserved_seconds", "Not observed", Seconds),
    ];
    let mut table = Table::new("products", "By product", &columns);
    let mut bars = Vec::new();
    for ((product, currency), cost) in costs {
        let item = figures.of(product, |it| it.users);
        let unknown = || Cell::not_known("nothing is known of its use");
        let [users, open, unobserved] = match item {
            Some(it) => [
                cells::kept(cells::count(it.users), it, asked.kept.sessions),
                cells::seconds(it.open_seconds),
                cells::seconds(it.unobserved_seconds),
            ],
            None => [unknown(), unknown(), unknown()],
        };
        let per_user = item.filter(|it| it.users > 0);
        let per_user = per_user.map(|it| divided(*cost, it.users as f64));
        let per_hour = item.filter(|it| it.open_seconds > 0.0);
        let per_hour = per_hour.map(|it| divided(*cost, it.open_seconds / 3_600.0));
        table.row(vec![
            Cell::text(*product),
            cells::money(*cost),
            Cell::text(*currency),
            users,
            match item {
                Some(it) => cells::kept(Cell::or_null(per_user), it, asked.kept.sessions),
                None => Cell::or_null(per_user),
            },
            open,
            Cell::or_null(per_hour),
            unobserved,
        ]);
        bars.push(plots::bar(*product, "cost", *cost as f64 / 10_000.0));
    }
    let sums = sums(costs.iter().map(|((_, currency), cost)| (*currency, *cost)));
    let summary = match sums.len() {
        0 => "Nothing that has a price was valid in this time.".to_owned(),
        _ => format!(
            "In this time {} cost {}.",
            many(costs.len(), "product"),
            said(&sums)
        ),
    };
    (table, summary, one_currency(&sums, bars))
}

/// An amount for each of so many, to a hundredth.
fn divided(ten_thousandths: u64, by: f64) -> Cell {
    Cell::number((ten_thousandths as f64 / by / 100.0).round() / 100.0)
}

/// The sum of each currency, in ten-thousandths.
fn sums<'a>(amounts: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, u64> {
    let mut sums = BTreeMap::new();
    for (currency, amount) in amounts {
        let sum: &mut u64 = sums.entry(currency).or_default();
        *sum = sum.saturating_add(amount);
    }
    sums
}

/// `1200 EUR and 7.50 USD`.
fn said(sums: &BTreeMap<&str, u64>) -> String {
    let texts: Vec<String> = sums
        .iter()
        .map(|(currency, sum)| format!("{} {currency}", rounded_money(*sum)))
        .collect();
    texts.join(" and ")
}

/// Amounts of several currencies cannot stand beside each other.
fn one_currency(sums: &BTreeMap<&str, u64>, bars: Vec<usher_api::Bar>) -> Option<usher_api::Plot> {
    let mut currencies = sums.keys();
    let one = currencies.next().filter(|_| currencies.len() == 0)?;
    plots::bars(one, bars)
}

fn by_entitlement(asked: &Asked, owned: &[OwnedOn]) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("entitlement", "Entitlement", Text),
        ("cost_centre", "Cost centre", Text),
        ("contract", "Contract", Text),
        ("seats", "Seats", Count),
        ("price", "Price", Money),
        ("currency", "Currency", Text),
        ("per", "Per", State),
        ("cost", "Cost", Money),
        ("server", "Server", Text),
    ];
    let mut sorted: Vec<&OwnedOn> = owned.iter().collect();
    sorted.sort_by_key(|it| (&it.entitlement.product, &it.server, &it.entitlement.id));
    let mut table = Table::new("entitlements", "By entitlement", &columns);
    let (mut priced, mut unpriced) = (0, 0);
    for on in sorted {
        let it = &on.entitlement;
        let Some(price) = &it.price else {
            unpriced += 1;
            continue;
        };
        priced += 1;
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(it.name.as_ref().unwrap_or(&it.id)),
            cells::text(it.cost_centre.as_deref()),
            cells::text(it.contract.as_deref()),
            cells::count(u64::from(it.seats)),
            cells::money(price.amount.ten_thousandths),
            Cell::text(&price.currency),
            Cell::text(per(price.per)),
            match falls_on(it, price, (asked.from, asked.to), &asked.zone) {
                Falls::Of(cost) => cells::money(cost),
                Falls::NotKnown => Cell::not_known("the day of its payment is not known"),
            },
            Cell::text(&on.server),
        ]);
    }
    let summary = format!(
        "{} with a price; {} without one.",
        many(priced, "entitlement"),
        many(unpriced, "entitlement"),
    );
    (table, summary)
}

/// What the shares of costs come to: how many parts there are, and of how many nobody is known to have
/// used the product.
fn summary(parts: usize, idle: usize) -> String {
    match (parts, idle) {
        (0, _) => "There is no cost to share.".to_owned(),
        (of, 0) => format!("{}; each cost has somebody who used it.", many(of, "part")),
        (of, idle) => format!(
            "{}; of {} nobody is known to have used the product.",
            many(of, "part"),
            many(idle, "part")
        ),
    }
}
