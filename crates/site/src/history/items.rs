//! The rows of what has ended: one row for each item, even if it arrives a second time.

use rusqlite::{Connection, Result, ToSql, named_params};

use super::names::Names;
use crate::collected::{
    Ended, EndedDenial, EndedLease, EndedSession, EndedWait, HistoryItem, Made,
};
use crate::columns::signed;

/// What the rows of all kinds have in common.
struct Common<'i> {
    source: i64,
    item: &'i HistoryItem,
    product: i64,
    person: Option<i64>,
    computer: Option<i64>,
}

/// Appends an item; answers whether it is new. An item that is there already stays unchanged, but
/// is no longer marked as gone, because a server has it.
pub(super) fn append(
    connection: &Connection,
    source: i64,
    item: &HistoryItem,
    names: &mut Names<'_>,
) -> Result<bool> {
    let common = Common {
        source,
        item,
        product: names.product(&item.product)?,
        person: names.person(&item.person),
        computer: names.computer(&item.computer),
    };
    match &item.what {
        Ended::Session(it) => session(connection, &common, it, names),
        Ended::Lease(it) => lease(connection, &common, it),
        Ended::Denial(it) => denial(connection, &common, it),
        Ended::Wait(it) => wait(connection, &common, it),
    }
}

fn session(
    connection: &Connection,
    common: &Common<'_>,
    it: &EndedSession,
    names: &mut Names<'_>,
) -> Result<bool> {
    let computer = names.computer_of(&it.key.computer)?;
    let real_person = it.real_person.as_deref().and_then(|id| names.person(id));
    let (lease_made_in, lease_made_by) = made(it.lease);
    let agent_incarnation = it.key.incarnation.cast_signed();
    let session = it.key.session.cast_signed();
    let is_new = connection
        .prepare_cached(
            "INSERT INTO history_sessions (computer, agent_incarnation, session, source, \
             incarnation, event, product, person, real_person, program, version, started_ms, \
             ended_ms, duration_ms, unseated_ms, lease_made_in, lease_made_by) \
             VALUES (:computer, :agent_incarnation, :session, :source, :incarnation, :event, \
             :product, :person, :real_person, :program, :version, :started_ms, :ended_ms, \
             :duration_ms, :unseated_ms, :lease_made_in, :lease_made_by) ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":computer": computer,
            ":agent_incarnation": agent_incarnation,
            ":session": session,
            ":source": common.source,
            ":incarnation": common.item.at.incarnation,
            ":event": signed(common.item.at.event),
            ":product": common.product,
            ":person": common.person,
            ":real_person": real_person,
            ":program": it.program,
            ":version": it.version,
            ":started_ms": it.started_ms,
            ":ended_ms": it.ended_ms,
            ":duration_ms": signed(it.duration_ms),
            ":unseated_ms": signed(it.unseated_ms),
            ":lease_made_in": lease_made_in,
            ":lease_made_by": lease_made_by,
        })?;
    if is_new > 0 {
        return Ok(true);
    }
    let is_it = "computer = ?1 AND agent_incarnation = ?2 AND session = ?3";
    let key = [computer, agent_incarnation, session];
    is_back(connection, "history_sessions", is_it, key, common)
}

fn lease(connection: &Connection, common: &Common<'_>, it: &EndedLease) -> Result<bool> {
    let (ticket_made_in, ticket_made_by) = made(it.ticket);
    let (with_made_in, with_made_by) = made(it.with);
    let run = it.session.as_ref();
    let agent_incarnation = run.map(|run| run.incarnation.cast_signed());
    let session = run.map(|run| run.session.cast_signed());
    let columns: [(&str, &dyn ToSql); 14] = [
        ("seats", &it.seats),
        ("program", &it.program),
        ("agent_incarnation", &agent_incarnation),
        ("session", &session),
        ("kept", &it.kept),
        ("granted_ms", &it.granted_ms),
        ("ended_ms", &it.ended_ms),
        ("held_ms", &signed(it.held_ms)),
        ("cause", &it.cause),
        ("ticket_made_in", &ticket_made_in),
        ("ticket_made_by", &ticket_made_by),
        ("with_made_in", &with_made_in),
        ("with_made_by", &with_made_by),
        ("retry", &it.retry),
    ];
    of_server(connection, "history_leases", common, it.key, &columns)
}

fn denial(connection: &Connection, common: &Common<'_>, it: &EndedDenial) -> Result<bool> {
    let columns: [(&str, &dyn ToSql); 7] = [
        ("seats", &it.seats),
        ("reason", &it.reason),
        ("count", &signed(it.count)),
        ("retries", &signed(it.retries)),
        ("waits", &it.waits),
        ("first_ms", &it.first_ms),
        ("last_ms", &it.last_ms),
    ];
    of_server(connection, "history_denials", common, it.key, &columns)
}

fn wait(connection: &Connection, common: &Common<'_>, it: &EndedWait) -> Result<bool> {
    let (lease_made_in, lease_made_by) = made(it.lease);
    let (with_made_in, with_made_by) = made(it.with);
    let columns: [(&str, &dyn ToSql); 12] = [
        ("seats", &it.seats),
        ("priority", &it.priority),
        ("outcome", &it.outcome),
        ("reason", &it.reason),
        ("lease_made_in", &lease_made_in),
        ("lease_made_by", &lease_made_by),
        ("with_made_in", &with_made_in),
        ("with_made_by", &with_made_by),
        ("queued_ms", &it.queued_ms),
        ("decided_ms", &it.decided_ms),
        ("waited_ms", &it.waited_ms.map(signed)),
        ("retry", &it.retry),
    ];
    of_server(connection, "history_waits", common, it.key, &columns)
}

/// Appends an item whose key is a life of the server's data and an event.
fn of_server(
    connection: &Connection,
    table: &str,
    common: &Common<'_>,
    key: Made,
    columns: &[(&str, &dyn ToSql)],
) -> Result<bool> {
    let (made_in, made_by) = (i64::from(key.incarnation), signed(key.event));
    let event = signed(common.item.at.event);
    let all: [(&str, &dyn ToSql); 8] = [
        ("source", &common.source),
        ("made_in", &made_in),
        ("made_by", &made_by),
        ("incarnation", &common.item.at.incarnation),
        ("event", &event),
        ("product", &common.product),
        ("person", &common.person),
        ("computer", &common.computer),
    ];
    let names: Vec<&str> = all.iter().chain(columns).map(|(name, _)| *name).collect();
    let values: Vec<&dyn ToSql> = all.iter().chain(columns).map(|(_, value)| *value).collect();
    let places = vec!["?"; names.len()].join(", ");
    let names = names.join(", ");
    let is_new = connection
        .prepare_cached(&format!(
            "INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"
        ))?
        .execute(values.as_slice())?;
    if is_new > 0 {
        return Ok(true);
    }
    let is_it = "source = ?1 AND made_in = ?2 AND made_by = ?3";
    is_back(
        connection,
        table,
        is_it,
        [common.source, made_in, made_by],
        common,
    )
}

/// Removes the mark of an item that was gone and is collected again; such an item is never new.
fn is_back(
    connection: &Connection,
    table: &str,
    is_it: &str,
    key: [i64; 3],
    common: &Common<'_>,
) -> Result<bool> {
    let [first, second, third] = key;
    connection
        .prepare_cached(&format!(
            "UPDATE {table} SET gone_ms = NULL, source = ?4, incarnation = ?5, event = ?6 \
             WHERE {is_it} AND gone_ms IS NOT NULL"
        ))?
        .execute(rusqlite::params![
            first,
            second,
            third,
            common.source,
            common.item.at.incarnation,
            signed(common.item.at.event)
        ])?;
    Ok(false)
}

fn made(made: Option<Made>) -> (Option<u32>, Option<i64>) {
    (
        made.map(|made| made.incarnation),
        made.map(|made| signed(made.event)),
    )
}
