//! `gave_up`: who never came back after a refusal.

use std::collections::BTreeMap;

use usher_api::ColumnKind::{Count, State, Text, Time};
use usher_api::{Cell, Report, ReportName, Timestamp};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::plots;
use crate::words::{counted, many};

/// What `gave_up` is made from.
#[derive(Debug, Clone, Default)]
pub struct GaveUpInput {
    /// Those who were refused in the time: each person and product once, by their last refusal.
    pub turned_down: Vec<TurnedDown>,
}

/// Somebody who was refused a product in the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedDown {
    /// Product id.
    pub product: String,
    /// The name of the person.
    pub user: String,
    /// The person's realm.
    pub realm: String,
    /// The computer of the last refusal.
    pub computer: String,
    /// How often they were refused in the time, repeats counted.
    pub refusals: u64,
    /// The first refusal in the time.
    pub first_at: Timestamp,
    /// The last refusal in the time.
    pub last_at: Timestamp,
    /// The reason of the last refusal, in the word of the API.
    pub reason: String,
    /// What came after the last refusal.
    pub came_back: CameBack,
}

/// Whether a person got a product after a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameBack {
    /// They were granted a seat, or began to use it, at that time.
    At(Timestamp),
    /// All of the time since then is known, and they did not.
    Never,
    /// Nobody knows, for that reason, in words.
    NotKnown(String),
}

/// Who was refused a product and never used it afterwards.
pub fn gave_up(asked: &Asked, input: GaveUpInput) -> Report {
    let mut draft = Draft::new(ReportName::GaveUp, "Who never came back after a refusal");
    let mut people = input.turned_down;
    people.sort_by(|one, other| {
        let names = (&one.product, &one.realm, &one.user);
        let others = (&other.product, &other.realm, &other.user);
        other.last_at.cmp(&one.last_at).then(names.cmp(&others))
    });
    let (table, summary, plot) = by_product(&people);
    draft.add(table, summary, plot);
    let (never, others): (Vec<_>, Vec<_>) = people
        .iter()
        .partition(|it| it.came_back == CameBack::Never);
    let gone = match never.len() {
        0 => "Nobody stayed away after a refusal, as far as is known.".to_owned(),
        of => format!(
            "{} never used it again, those refused last first.",
            many(of, "person")
        ),
    };
    draft.add(list("never", "Never came back", &never), gone, None);
    let not_known: Vec<&TurnedDown> = others
        .into_iter()
        .filter(|it| matches!(it.came_back, CameBack::NotKnown(_)))
        .collect();
    if !not_known.is_empty() {
        let summary = format!(
            "Of {} nobody knows whether they came back.",
            many(not_known.len(), "person")
        );
        draft.add(list("not_known", "Not known", &not_known), summary, None);
    }
    draft.note("A person who was refused two products and came back for one counts for the other.");
    draft.report(asked)
}

/// How many of a product came back, did not, and of how many that is not known.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    people: u64,
    came_back: u64,
    never: u64,
    not_known: u64,
}

fn by_product(people: &[TurnedDown]) -> (Table, String, Option<usher_api::Plot>) {
    let columns = [
        ("product", "Product", Text),
        ("refused", "Refused people", Count),
        ("came_back", "Came back", Count),
        ("never", "Never", Count),
        ("not_known", "Not known", Count),
    ];
    let mut products: BTreeMap<&str, Sums> = BTreeMap::new();
    for it in people {
        let sums = products.entry(&it.product).or_default();
        sums.people += 1;
        match it.came_back {
            CameBack::At(_) => sums.came_back += 1,
            CameBack::Never => sums.never += 1,
            CameBack::NotKnown(_) => sums.not_known += 1,
        }
    }
    let mut table = Table::new("products", "By product", &columns);
    let mut bars = Vec::new();
    for (product, sums) in &products {
        table.row(vec![
            Cell::text(*product),
            cells::count(sums.people),
            cells::count(sums.came_back),
            cells::count(sums.never),
            cells::count(sums.not_known),
        ]);
        let parts = [
            ("never", sums.never as f64),
            ("not known", sums.not_known as f64),
            ("came back", sums.came_back as f64),
        ];
        bars.push(plots::bar_of(*product, parts));
    }
    let most = products.iter().max_by_key(|(_, sums)| sums.never);
    let summary = match most.filter(|(_, sums)| sums.never > 0) {
        None if people.is_empty() => {
            "Nobody was refused in this time, as far as is known.".to_owned()
        }
        None => "Everybody of whom it is known came back after a refusal.".to_owned(),
        Some((product, sums)) => format!(
            "{product} lost the most: of {} refused, {} never came back.",
            counted(sums.people, "person"),
            sums.never,
        ),
    };
    (table, summary, plots::bars("people", bars))
}

fn list(key: &str, title: &str, people: &[&TurnedDown]) -> Table {
    let columns = [
        ("product", "Product", Text),
        ("user", "User", Text),
        ("realm", "Realm", Text),
        ("computer", "Computer", Text),
        ("refusals", "Refusals", Count),
        ("first_refused_at", "First refused", Time),
        ("last_refused_at", "Last refused", Time),
        ("reason", "Reason", State),
        ("came_back", "Came back", State),
        ("came_back_at", "At", Time),
    ];
    let mut table = Table::new(key, title, &columns);
    for it in people {
        let [came_back, at] = match &it.came_back {
            CameBack::At(at) => [Cell::text("used"), Cell::time(*at)],
            CameBack::Never => [Cell::text("never"), Cell::Null],
            CameBack::NotKnown(why) => [Cell::text("not_known"), Cell::not_known(why)],
        };
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.user),
            Cell::text(&it.realm),
            Cell::text(&it.computer),
            cells::count(it.refusals),
            Cell::time(it.first_at),
            Cell::time(it.last_at),
            Cell::text(&it.reason),
            came_back,
            at,
        ]);
    }
    table
}
