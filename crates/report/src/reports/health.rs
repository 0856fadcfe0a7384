//! `health`: how the metering servers are, and what is open.

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, ComponentSummary, Report, ReportName, StatusMessage, WatchedServer};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::words::{many, minute, names};

/// What `health` is made from: what the manager concludes now.
#[derive(Debug, Clone, Default)]
pub struct HealthInput {
    /// The watched servers.
    pub servers: Vec<WatchedServer>,
    /// The status of each component.
    pub components: Vec<ComponentSummary>,
    /// Messages that are open, the newest first.
    pub open: Vec<StatusMessage>,
}

/// The verdict on each server, how far its history is collected, and what is open.
pub fn health(asked: &Asked, input: HealthInput) -> Report {
    let title = format!("Health at {}", minute(asked.now, &asked.zone));
    let mut draft = Draft::new(ReportName::Health, title);
    let (table, summary) = servers(input.servers);
    draft.add(table, summary, None);
    let (table, summary) = open(&input.open);
    draft.add(table, summary, None);
    let (table, summary) = components(&input.components);
    draft.add(table, summary, None);
    draft.report(asked)
}

fn servers(mut servers: Vec<WatchedServer>) -> (Table, String) {
    let columns = [
        ("server", "Server", Text),
        ("verdict", "Verdict", State),
        ("since", "Since", Time),
        ("finding", "Finding", Text),
        ("polled_at", "Polled", Time),
        ("open_message", "Message", Count),
        ("history_behind", "Events behind", Count),
        ("history_at", "Collected", Time),
        ("healed_by", "Restarted by", Text),
    ];
    servers.sort_by(|one, other| one.name.cmp(&other.name));
    let mut table = Table::new("servers", "Servers", &columns);
    for it in &servers {
        let finding = it.evidence.first().map(|it| &*it.finding);
        let message = it.episode.as_ref().map(|it| u64::from(it.message_id));
        let [behind, collected_at] = match &it.history {
            Some(history) => [
                cells::count(history.head_event.saturating_sub(history.through_event)),
                cells::time(history.collected_at),
            ],
            None => [
                Cell::not_known("nothing of its history was asked for yet"),
                Cell::Null,
            ],
        };
        table.row(vec![
            Cell::text(&it.name),
            Cell::text(&it.verdict),
            Cell::time(it.since),
            cells::text(finding),
            cells::time(it.polled_at),
            Cell::or_null(message.map(cells::count)),
            behind,
            collected_at,
            match &it.healing {
                Some(healing) => cells::text(healing.by.as_deref()),
                None => Cell::not_known("it was not polled yet"),
            },
        ]);
    }
    let odd: Vec<&str> = servers
        .iter()
        .filter(|it| it.verdict != "running" && it.verdict != "maintenance")
        .map(|it| &*it.name)
        .collect();
    let summary = match (servers.len(), odd.len()) {
        (0, _) => "No server is watched.".to_owned(),
        (all, 0) => format!("{} watched; none needs a look.", many(all, "server")),
        (all, _) => format!(
            "{} watched; these need a look: {}.",
            many(all, "server"),
            names(&odd)
        ),
    };
    (table, summary)
}

fn open(messages: &[StatusMessage]) -> (Table, String) {
    let columns = [
        ("severity", "Severity", State),
        ("id", "Message", Count),
        ("server", "Server", Text),
        ("component", "Component", Text),
        ("text", "Text", Text),
        ("count", "Times", Count),
        ("first_at", "First", Time),
        ("last_at", "Last", Time),
    ];
    let mut table = Table::new("open", "Open messages", &columns);
    for it in messages {
        table.row(vec![
            Cell::text(&it.severity),
            cells::count(u64::from(it.id)),
            cells::text(it.server.as_deref()),
            Cell::text(&it.component),
            Cell::text(&it.text),
            cells::count(it.count),
            Cell::time(it.first_at),
            Cell::time(it.last_at),
        ]);
    }
    let errors = messages.iter().filter(|it| it.severity == "error").count();
    let summary = match messages.len() {
        0 => "No message is open.".to_owned(),
        all => format!(
            "{} open, {} among them.",
            many(all, "message"),
            many(errors, "error")
        ),
    };
    (table, summary)
}

fn components(components: &[ComponentSummary]) -> (Table, String) {
    let columns = [
        ("component", "Component", Text),
        ("status", "Status", State),
        ("why", "Why", Text),
        ("errors", "Errors", Count),
        ("warnings", "Warnings", Count),
        ("informational", "Informational", Count),
        ("open", "Open", Count),
        ("open_seconds", "Open for", Seconds),
        ("since", "Counted since", Time),
    ];
    let mut table = Table::new("components", "Components", &columns);
    for it in components {
        table.row(vec![
            Cell::text(&it.component),
            Cell::text(&it.status),
            cells::text(it.why.as_deref()),
            cells::count(it.errors),
            cells::count(it.warnings),
            cells::count(it.informational),
            cells::count(it.open),
            cells::seconds(it.open_seconds as f64),
            Cell::time(it.since),
        ]);
    }
    let odd = components.iter().filter(|it| it.status != "ok").count();
    let summary = match (components.len(), odd) {
        (0, _) => "No component has said anything.".to_owned(),
        (all, 0) => format!("{} ok.", many(all, "component")),
        (all, odd) => format!("{} of {} not ok.", odd, many(all, "component")),
    };
    (table, summary)
}
