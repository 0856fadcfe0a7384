//! `GET /v1/products/{id}/demand`: how many seats were wanted at once, and whom a number of them
//! would have refused.
//!
//! Wanted is what was held, what was waited for and what was refused. What of it is one use goes by
//! how the product counts.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use usher_api::{Counting, Demand, DemandStart, Problem};
use usher_core::ledger::RETRY_SECONDS;
use usher_core::usage::{Refusal, RefusedWant, Want, demand, median_ms, refused_wants};
use usher_store::{DemandFilter, DemandKind, DemandRow, DemandRows};

use super::period::Period;
use super::{Caller, Id, Json};
use crate::access::rights::Right;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem;
use crate::wire::records;

/// How many rows of each kind are replayed, the newest first.
const ROWS_LIMIT: u32 = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    seats: Option<u64>,
    counting: Option<Counting>,
    since: Option<String>,
    until: Option<String>,
}

/// How many seats of a product were wanted at once within a period, by default the last 30 days:
/// held, waited for or refused; and who would have been refused with `seats` seats.
#[utoipa::path(
    get,
    path = "/v1/products/{id}/demand",
    tag = "history",
    params(
        ("id" = String, Path, description = "Product id"),
        ("seats" = Option<u64>, Query, description = "Play it with so many seats; those that are owned by default"),
        ("counting" = Option<Counting>, Query, description = "Play it as if the product counted so"),
        ("since" = Option<String>, Query, description = "From this day or instant"),
        ("until" = Option<String>, Query, description = "To the end of this day, or to this instant"),
    ),
    responses(
        (status = 200, body = Demand),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 404, description = "`unknown_product`", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    uri: Uri,
) -> Result<Json<Demand>, problem::Refusal> {
    let query: Query = input::query(&uri)?;
    let Period { since, until, .. } = Period::of(query.since.as_deref(), query.until.as_deref())?;
    let asked = id.clone();
    let found = app
        .look(move |ledger, now| {
            let (_, pool) = ledger.product(&asked)?;
            Some((pool.listing.spec.clone(), pool.seats(now)))
        })
        .await?;
    let (spec, owned) = found.ok_or_else(|| problem::Refusal::unknown_product(&id))?;
    let counting = query.counting.unwrap_or(records::product(&spec).counting);
    let seats = query.seats.unwrap_or(owned);
    let may_see_people = caller.may(Right::SeePeople);
    let answer = app
        .history(move |history| {
            let filter = DemandFilter {
                product: id.clone(),
                since,
                until,
                limit: ROWS_LIMIT,
            };
            let rows = history.demand(&filter)?;
            let played = Played::of(&rows, counting, seats, since);
            let first = played.first.filter(|_| may_see_people);
            let first = match first {
                None => None,
                Some(row) => {
                    let names = history.names(row.subject, row.computer)?;
                    Some(DemandStart {
                        user: names.user,
                        computer: names.computer,
                        program: row.program.clone(),
                        started_at: timestamp(row.from),
                    })
                }
            };
            let from = rows.first_at.filter(|first| *first < until);
            Ok(Demand {
                product: id,
                seats,
                owned,
                since: timestamp(since),
                from: from.map(|first| timestamp(first.max(since))),
                until: timestamp(until),
                sessions: rows.sessions,
                cut: rows.is_cut,
                peak: played.peak,
                peak_at: played.peak_at_ms.map(timestamp),
                refused: played.refused,
                people: played.people,
                first,
                denials: played.denials,
                denied_people: played.denied_people,
                denied_seconds: played.session_ms / 1_000,
                ended_sessions: Some(rows.lengths_ms.len() as u64),
                waits: played.waits,
                waiting_people: played.waiting_people,
            })
        })
        .await?;
    Ok(Json(StatusCode::OK, answer))
}

/// The outcome of the replay.
#[derive(Debug, Default)]
struct Played<'a> {
    peak: u64,
    peak_at_ms: Option<i64>,
    refused: u64,
    people: u64,
    first: Option<&'a DemandRow>,
    denials: u64,
    denied_people: u64,
    session_ms: u64,
    waits: u64,
    waiting_people: u64,
}

impl Played<'_> {
    /// Plays what is known with so many seats. What began before `since` is no start of this time,
    /// and holds its seats in it.
    fn of(known: &DemandRows, counting: Counting, seats: u64, since: i64) -> Played<'_> {
        let session_ms = median_ms(known.lengths_ms.clone()).unwrap_or(RETRY_SECONDS * 1_000);
        // Of what began before, and so begins at once, the earlier comes first.
        let mut rows: Vec<&DemandRow> = known.rows.iter().collect();
        rows.sort_by_key(|row| (row.from, row.number));
        let of = wants(&rows, counting, session_ms);
        let clamped = of.iter().map(|(_, want)| Want {
            from_ms: want.from_ms.max(since),
            until_ms: want.until_ms.max(since),
            ..*want
        });
        let wanted = demand(&clamped.collect::<Vec<_>>());
        let refused = wanted.refused(seats).map(|at| of[at].0);
        let refused: Vec<&DemandRow> = refused.filter(|row| row.from >= since).collect();
        let denied = rows.iter().filter(|row| row.kind == DemandKind::Refused);
        let waited = rows.iter().filter(|row| row.ticket.is_some());
        Played {
            peak: wanted.peak,
            peak_at_ms: wanted.peak_at_ms,
            refused: refused.len() as u64,
            people: people(refused.iter().copied()),
            denials: denied.clone().map(|row| row.times).sum(),
            denied_people: people(denied.copied()),
            session_ms,
            waits: waited.clone().count() as u64,
            waiting_people: people(waited.copied()),
            first: refused.first().copied(),
        }
    }
}

fn people<'a>(rows: impl Iterator<Item = &'a DemandRow>) -> u64 {
    let people: FxHashSet<u64> = rows.map(|row| row.subject).collect();
    people.len() as u64
}

/// The want of each row; refusals that are one want are listed once, with the first.
fn wants<'a>(
    rows: &[&'a DemandRow],
    counting: Counting,
    session_ms: u64,
) -> Vec<(&'a DemandRow, Want)> {
    let mut holders = Holders::default();
    let mut wants = Vec::with_capacity(rows.len());
    let (mut denied, mut refusals) = (Vec::new(), Vec::new());
    for row in rows {
        let is_shared = match row.kind {
            DemandKind::Leased => false,
            DemandKind::Unseated => counting != Counting::Process,
            DemandKind::Waited | DemandKind::Refused => true,
        };
        let holder = holders.of(row, counting);
        if row.kind == DemandKind::Refused {
            refusals.push(Refusal {
                holder,
                person: row.subject,
                seats: row.seats,
                first_ms: row.from,
                last_ms: row.until.unwrap_or(row.from),
            });
            denied.push(*row);
            continue;
        }
        wants.push((
            *row,
            Want {
                holder,
                is_own: !is_shared,
                seats: row.seats,
                from_ms: row.from,
                until_ms: row.until.unwrap_or(i64::MAX).max(row.from),
            },
        ));
    }
    let granted = rows.iter().filter_map(|row| {
        let at = row.granted_at?;
        Some((row.subject, at))
    });
    let refused = refused_wants(&refusals, granted, session_ms);
    let refused = refused.into_iter();
    wants.extend(refused.map(|RefusedWant { first, want }| (denied[first], want)));
    wants
}

/// The holders that share seats, by number.
#[derive(Default)]
struct Holders(FxHashMap<Holder, u64>);

#[derive(PartialEq, Eq, Hash)]
enum Holder {
    Person(u64),
    OnComputer(u64, u64),
    /// A holder that shares its seat with nobody: that of the row that began with this event.
    Row(u64),
}

impl Holders {
    fn of(&mut self, row: &DemandRow, counting: Counting) -> u64 {
        let holder = match (counting, row.kind) {
            (Counting::User, _) => Holder::Person(row.subject),
            (Counting::Process, DemandKind::Leased | DemandKind::Unseated) => {
                Holder::Row(row.number)
            }
            // Of requests of one person it is not known whether they are of one process.
            (Counting::UserOnComputer | Counting::Process, _) => {
                Holder::OnComputer(row.subject, row.computer)
            }
        };
        let next = self.0.len() as u64;
        *self.0.entry(holder).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn row(kind: DemandKind, subject: u64, from: i64, until: Option<i64>) -> DemandRow {
        DemandRow {
            kind,
            number: subject * 1_000 + from.cast_unsigned(),
            subject,
            computer: 1,
            seats: 1,
            from: from * MINUTE_MS,
            until: until.map(|until| until * MINUTE_MS),
            granted_at: (kind == DemandKind::Leased).then_some(from * MINUTE_MS),
            ticket: (kind == DemandKind::Waited).then_some(subject),
            times: u64::from(kind == DemandKind::Refused),
            program: None,
        }
    }

    fn known(rows: Vec<DemandRow>) -> DemandRows {
        DemandRows {
            rows,
            lengths_ms: vec![300_000],
            ..DemandRows::default()
        }
    }

    fn peak(rows: &[DemandRow], counting: Counting) -> u64 {
        Played::of(&known(rows.to_vec()), counting, 1, 0).peak
    }

    use DemandKind::{Leased, Refused, Unseated, Waited};

    #[test]
    fn those_who_were_refused_and_those_who_waited_wanted_a_seat_as_well() {
        let rows = known(vec![
            row(Leased, 1, 0, None),
            row(Refused, 2, 1, Some(1)),
            row(Refused, 3, 2, Some(3)),
            row(Waited, 4, 2, Some(4)),
            row(Refused, 2, 4, Some(4)),
        ]);
        let played = Played::of(&rows, Counting::UserOnComputer, 1, 0);
        assert_eq!(
            (played.peak, played.peak_at_ms),
            (4, Some(2 * MINUTE_MS)),
            "{played:?}"
        );
        assert_eq!((played.refused, played.people), (3, 3));
        assert_eq!(played.first.map(|row| row.subject), Some(2));
        assert_eq!((played.denials, played.denied_people), (3, 2));
        assert_eq!((played.waits, played.waiting_people), (1, 1));
        let enough = Played::of(&rows, Counting::UserOnComputer, 4, 0);
        assert_eq!((enough.refused, enough.peak), (0, 4));
    }

    #[test]
    fn what_is_one_use_goes_by_how_the_product_counts() {
        // A plain start and one by name on one lease, and two programs without a seat.
        let mut rows = vec![row(Leased, 1, 0, Some(9)), row(Unseated, 1, 1, Some(8))];
        assert_eq!(peak(&rows, Counting::UserOnComputer), 1);
        assert_eq!(peak(&rows, Counting::Process), 2);
        let there = |row: DemandRow| DemandRow { computer: 2, ..row };
        rows.push(there(row(Unseated, 1, 2, Some(8))));
        assert_eq!(peak(&rows, Counting::UserOnComputer), 2);
        assert_eq!(peak(&rows, Counting::User), 1);
        let rows = [
            row(Refused, 1, 0, Some(0)),
            there(row(Refused, 1, 1, Some(1))),
        ];
        assert_eq!(peak(&rows, Counting::User), 1);
        assert_eq!(peak(&rows, Counting::Process), 2);
    }

    #[test]
    fn what_began_before_is_no_start_of_this_time_but_holds_its_seat() {
        let rows = known(vec![
            row(Leased, 1, 0, Some(60)),
            row(Leased, 2, 5, Some(60)),
            row(Leased, 3, 30, Some(40)),
        ]);
        let since = 20 * MINUTE_MS;
        let played = Played::of(&rows, Counting::UserOnComputer, 1, since);
        assert_eq!((played.refused, played.people), (1, 1));
        assert_eq!(played.first.map(|row| row.subject), Some(3));
        assert_eq!((played.peak, played.peak_at_ms), (3, Some(30 * MINUTE_MS)));
    }

    #[test]
    fn who_was_refused_and_is_seated_soon_after_wanted_one_seat() {
        let rows = [
            row(Leased, 1, 0, Some(3)),
            row(Refused, 2, 1, Some(1)),
            row(Leased, 2, 3, Some(60)),
        ];
        assert_eq!(peak(&rows, Counting::Process), 2);
        let known = known(rows.to_vec());
        assert_eq!(Played::of(&known, Counting::Process, 1, 0).refused, 1);
    }
}
