//! `holders`: who holds seats now, who waits, and what is idle.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, Plot, Report, ReportName, Timestamp};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::plots;
use crate::words::{counted, duration, many, minute, owned_not_known};

/// From how long on somebody who touches nothing is called idle, in seconds.
const IDLE_SECONDS: u64 = 1_800;

/// What `holders` is made from: what the servers say now.
#[derive(Debug, Clone, Default)]
pub struct HoldersInput {
    /// The seats of each product.
    pub products: Vec<SeatsNow>,
    /// Who holds them, and who runs the product without a seat.
    pub held: Vec<Held>,
    /// Who waits.
    pub waiting: Vec<Waiting>,
}

/// The seats of a product now, over all servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatsNow {
    /// Product id.
    pub product: String,
    /// Seats that may be in use; none if a server does not say it.
    pub seats: Option<u64>,
    /// Seats in use, those that are only kept included.
    pub in_use: u64,
    /// Seats that are only kept for somebody's next start.
    pub kept: u64,
    /// Programs that run without a seat.
    pub unseated: u64,
    /// Requests that wait.
    pub waiting: u64,
}

/// Somebody who holds seats, or runs the product without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The server's name.
    pub server: String,
    /// Product id.
    pub product: String,
    /// The name of the person.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats; 0 without a seat.
    pub seats: u64,
    /// The instant since which that person holds it, on the clock of who grants it.
    pub since: Timestamp,
    /// What it is held as.
    pub held_as: HeldAs,
    /// For how long nobody has touched the program; none if nobody knows it.
    pub idle_seconds: Option<u64>,
}

/// What a seat is held as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldAs {
    /// A lease that is in use.
    InUse,
    /// A lease that is only kept for the person's next start.
    Kept,
    /// A session without a seat.
    Unseated,
}

impl HeldAs {
    fn word(self) -> &'static str {
        match self {
            HeldAs::InUse => "in_use",
            HeldAs::Kept => "kept",
            HeldAs::Unseated => "unseated",
        }
    }
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The server's name.
    pub server: String,
    /// Product id.
    pub product: String,
    /// The name of the person.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats asked for.
    pub seats: u64,
    /// Place in the queue, from 1.
    pub position: u64,
    /// Since when; none if the server does not say it.
    pub since: Option<Timestamp>,
}

/// Who holds seats now, who waits, and which seats are idle.
pub fn holders(asked: &Asked, input: HoldersInput) -> Report {
    let title = format!("Holders at {}", minute(asked.now, &asked.zone));
    let mut draft = Draft::new(ReportName::Holders, title);
    let HoldersInput {
        products,
        held,
        waiting,
    } = input;
    let (table, summary, plot) = seats(products, &held);
    draft.add(table, summary, plot);
    let (table, summary) = idle(asked, &held);
    draft.add(table, summary, None);
    let (table, summary) = self::held(asked, held);
    draft.add(table, summary, None);
    let (table, summary) = self::waiting(waiting);
    draft.add(table, summary, None);
    draft.note("It says what the servers said when they were asked, not what is recorded.");
    draft.report(asked)
}

/// Why it is not known for how long a program was not touched.
const IDLE_NOT_KNOWN: &str = "no agent says when somebody last touched the program";

fn is_idle(it: &Held) -> bool {
    it.seats > 0 && it.idle_seconds.is_some_and(|idle| idle >= IDLE_SECONDS)
}

/// Seats of a product whose holders are idle. None is only said if it is known of all who use it.
fn idle_seats(product: &str, held: &[Held]) -> Cell {
    let of = held.iter().filter(|it| it.product == product);
    let idle = of.clone().filter(|it| is_idle(it));
    let seats: u64 = idle.map(|it| it.seats).sum();
    let is_in_use = |it: &&Held| it.held_as == HeldAs::InUse;
    let mut in_use = of.filter(is_in_use);
    match seats == 0 && in_use.any(|it| it.idle_seconds.is_none()) {
        true => Cell::not_known(IDLE_NOT_KNOWN),
        false => cells::count(seats),
    }
}

fn seats(mut products: Vec<SeatsNow>, held: &[Held]) -> (Table, String, Option<Plot>) {
    let columns = [
        ("product", "Product", Text),
        ("seats", "Seats", Count),
        ("in_use", "In use", Count),
        ("free", "Free", Count),
        ("kept", "Kept", Count),
        ("idle", "Idle", Count),
        ("unseated", "Unseated", Count),
        ("waiting", "Waiting", Count),
    ];
    products.sort_by(|one, other| one.product.cmp(&other.product));
    let mut table = Table::new("products", "By product", &columns);
    for it in &products {
        let known = |seats: Option<u64>| match seats {
            Some(seats) => cells::count(seats),
            None => Cell::not_known("a server did not say what it owns"),
        };
        table.row(vec![
            Cell::text(&it.product),
            known(it.seats),
            cells::count(it.in_use),
            known(it.seats.map(|seats| seats.saturating_sub(it.in_use))),
            cells::count(it.kept),
            idle_seats(&it.product, held),
            cells::count(it.unseated),
            cells::count(it.waiting),
        ]);
    }
    let bars = products.iter().map(|it| {
        let in_use = it.in_use.saturating_sub(it.kept);
        let free = it.seats.unwrap_or(0).saturating_sub(it.in_use);
        let parts = [
            ("in use", in_use as f64),
            ("kept", it.kept as f64),
            ("free", free as f64),
        ];
        plots::bar_of(&it.product, parts)
    });
    let plot = plots::bars("seats", bars.collect());
    let in_use: u64 = products.iter().map(|it| it.in_use).sum();
    let full = products
        .iter()
        .filter(|it| {
            it.seats
                .is_some_and(|seats| seats > 0 && it.in_use >= seats)
        })
        .count();
    let not_known = products.iter().filter(|it| it.seats.is_none()).count();
    let full = match full {
        0 if not_known > 0 => "no product is known to be full".to_owned(),
        0 => "every product with seats has a free one".to_owned(),
        _ => format!("no seat is free of {}", many(full, "product")),
    };
    let not_known = owned_not_known(not_known);
    let summary = format!("{} in use; {full}{not_known}.", counted(in_use, "seat"));
    (table, summary, plot)
}

/// Who holds seats and touches nothing, the longest idle first.
fn idle(asked: &Asked, held: &[Held]) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("user", "User", Text),
        ("computer", "Computer", Text),
        ("seats", "Seats", Count),
        ("idle_seconds", "Idle for", Seconds),
        ("held_seconds", "Held for", Seconds),
        ("server", "Server", Text),
    ];
    let mut idle: Vec<&Held> = held.iter().filter(|it| is_idle(it)).collect();
    idle.sort_by_key(|it| {
        (
            Reverse(it.idle_seconds),
            &it.product,
            &it.user,
            &it.computer,
        )
    });
    let mut table = Table::new("idle", "Idle", &columns);
    for it in &idle {
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.user),
            Cell::text(&it.computer),
            cells::count(it.seats),
            idle_for(it),
            held_for(asked, it),
            Cell::text(&it.server),
        ]);
    }
    let summary = match idle.first() {
        None => "Nobody who holds a seat is known to be idle.".to_owned(),
        Some(most) => format!(
            "{} held by {} who touched nothing for 30 minutes or more, {} for {}.",
            counted(idle.iter().map(|it| it.seats).sum(), "seat"),
            many(people(&idle), "person"),
            most.user,
            duration(most.idle_seconds.unwrap_or(0) as f64),
        ),
    };
    (table, summary)
}

/// How many different names they have.
fn people(held: &[&Held]) -> usize {
    let names: BTreeSet<&str> = held.iter().map(|it| &*it.user).collect();
    names.len()
}

fn idle_for(it: &Held) -> Cell {
    match it.idle_seconds {
        Some(idle) => cells::seconds(idle as f64),
        None => Cell::not_known(IDLE_NOT_KNOWN),
    }
}

fn held_for(asked: &Asked, it: &Held) -> Cell {
    let ms = asked.now.as_millisecond() - it.since.as_millisecond();
    cells::seconds(ms.max(0) as f64 / 1_000.0)
}

fn held(asked: &Asked, mut held: Vec<Held>) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("user", "User", Text),
        ("computer", "Computer", Text),
        ("seats", "Seats", Count),
        ("state", "State", State),
        ("since", "Since", Time),
        ("held_seconds", "Held for", Seconds),
        ("idle_seconds", "Idle for", Seconds),
        ("server", "Server", Text),
    ];
    held.sort_by(|one, other| {
        let others = (&other.product, other.since, &other.user);
        (&one.product, one.since, &one.user).cmp(&others)
    });
    let mut table = Table::new("held", "Held", &columns);
    for it in &held {
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.user),
            Cell::text(&it.computer),
            cells::count(it.seats),
            Cell::text(it.held_as.word()),
            Cell::time(it.since),
            held_for(asked, it),
            idle_for(it),
            Cell::text(&it.server),
        ]);
    }
    let idle = held
        .iter()
        .filter(|it| it.idle_seconds.is_some_and(|idle| idle >= IDLE_SECONDS))
        .count();
    let not_known = held.iter().filter(|it| it.idle_seconds.is_none()).count();
    let summary = match held.len() {
        0 => "Nobody holds a seat.".to_owned(),
        all => format!(
            "Of {} {idle} had no touch for 30 minutes or more; of {not_known} that is not known.",
            many(all, "use"),
        ),
    };
    (table, summary)
}

fn waiting(mut waiting: Vec<Waiting>) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("position", "Place", Count),
        ("user", "User", Text),
        ("computer", "Computer", Text),
        ("seats", "Seats", Count),
        ("since", "Since", Time),
        ("server", "Server", Text),
    ];
    waiting.sort_by(|one, other| {
        let others = (&other.product, &other.server, other.position);
        (&one.product, &one.server, one.position).cmp(&others)
    });
    let mut table = Table::new("waiting", "Waiting", &columns);
    for it in &waiting {
        table.row(vec![
            Cell::text(&it.product),
            cells::count(it.position),
            Cell::text(&it.user),
            Cell::text(&it.computer),
            cells::count(it.seats),
            match it.since {
                Some(since) => Cell::time(since),
                None => Cell::not_known("the server does not say since when"),
            },
            Cell::text(&it.server),
        ]);
    }
    let summary = match waiting.len() {
        0 => "Nobody waits.".to_owned(),
        1 => "1 request waits.".to_owned(),
        all => format!("{all} requests wait."),
    };
    (table, summary)
}
