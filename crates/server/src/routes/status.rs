//! `GET /v1/status`: the server, its products and its computers.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use hyper::StatusCode;
use rustc_hash::FxHashMap;
use usher_api::{
    CaughtPanics, ComputerStatus, EndedByPanic, HeldLog, ProductStatus, ServerStatus, Status,
    UnreachedStarts, UpgradeStatus,
};
use usher_core::ledger::{Ledger, Now, ProductSpec};
use usher_store::Longest;

use super::agents::ComputerDocument;
use super::kept::{self, Kept};
use super::{Caller, Json, pack};
use crate::access::rights::Right;
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::upkeep::packs::Served;
use crate::wire::problem::Refusal;
use crate::wire::records;

/// How the present version came to serve the data.
pub(super) fn upgrade(served: Served) -> UpgradeStatus {
    UpgradeStatus {
        from: served.before,
        since: timestamp(served.now.since),
        packed_at: served.now.packed_at.map(timestamp),
    }
}

const DAY_MS: i64 = 86_400_000;
const HOUR_SECONDS: u32 = 3_600;
const HOUR_MS: i64 = HOUR_SECONDS as i64 * 1_000;
/// The largest number of computers in an answer: those that reported last.
const COMPUTERS_LIMIT: usize = 10_000;

/// The server, its products with their counts, and the computers whose agents report to it.
/// Clients and agents see no computers.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "operation",
    responses((status = 200, body = Status)),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Status>, Refusal> {
    let state = app.state();
    let sees_counts = caller.may(Right::SeeCounts);
    let server = ServerStatus {
        id: app.server_id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        state: state.word.to_owned(),
        since: timestamp(state.since_ms),
        why: state.why,
        grants_nothing: app.grants_nothing(),
        pack: sees_counts.then(|| pack::shown(&app)),
        upgrade: app.upkeep.versions().filter(|_| sees_counts).map(upgrade),
        last_backup_at: app.backups.last_ms().filter(|_| sees_counts).map(timestamp),
        faults: match sees_counts {
            true => crate::wire::faults::told(app.ended.as_ref()),
            false => usher_api::Faults::default(),
        },
        held_log: match sees_counts {
            true => held_log(&app).await?,
            false => None,
        },
    };
    let with_computers = caller.may(Right::SeePeople);
    // What is wrong with the disk is what is asked for here: the counts of the day may lag then.
    let (denied, longest) = app
        .history_as_it_is(|history| {
            let denied = history.denied_since(wall_ms() - DAY_MS)?;
            Ok((denied, history.longest()?))
        })
        .await?;
    let (products, computers) = app
        .look(move |ledger, now| {
            let computers = match with_computers {
                true => computers(ledger),
                false => Vec::new(),
            };
            (products(ledger, now), computers)
        })
        .await?;
    let denied: FxHashMap<String, u64> = denied.into_iter().collect();
    let longest: FxHashMap<String, Longest> = longest.into_iter().collect();
    let now_ms = wall_ms();
    let products = products
        .into_iter()
        .map(|(spec, status, kept)| {
            let longest = longest.get(&status.id).copied().unwrap_or_default();
            ProductStatus {
                name: named(&spec),
                kept: kept::count(&app.used, &kept, &spec, now_ms),
                denied_last_24h: denied.get(&status.id).copied().unwrap_or(0),
                // The tables may lag behind the counts.
                held_since: longest.held.filter(|_| status.in_use > 0).map(timestamp),
                waiting_since: longest.waiting.filter(|_| status.queued > 0).map(timestamp),
                ..status
            }
        })
        .collect();
    Ok(Json(
        StatusCode::OK,
        Status {
            server,
            products,
            computers: known_computers(&app, computers),
        },
    ))
}

/// A write-ahead log whose checkpoint a reader prevents, and the reader.
pub(super) async fn held_log(app: &Arc<App>) -> Result<Option<HeldLog>, Refusal> {
    let Some(bytes) = app.engine.held_log_bytes() else {
        return Ok(None);
    };
    let readers = app.blocking(|app| Ok(app.engine.readers())).await?;
    Ok(Some(HeldLog { bytes, readers }))
}

pub(super) fn named(spec: &ProductSpec) -> String {
    let product = records::product(spec);
    match product.name.is_empty() {
        true => product.id,
        false => product.name,
    }
}

/// Each product with its counts, and its seats that may be kept.
fn products(ledger: &Ledger, now: Now) -> Vec<(ProductSpec, ProductStatus, Vec<Kept>)> {
    let shown = ledger
        .pools()
        // A removed product is shown as long as its leases are out.
        .filter(|(_, pool)| !pool.listing.removed || pool.leases > 0);
    let counted = shown.map(|(number, pool)| {
        let status = ProductStatus {
            id: pool.listing.spec.id.to_string(),
            name: String::new(),
            seats: pool.seats(now),
            in_use: pool.in_use,
            kept: 0,
            unseated: pool.unseated,
            queued: u64::from(pool.queued()),
            denied_last_24h: 0,
            held_since: None,
            waiting_since: None,
        };
        let kept = kept::of(ledger, number);
        (pool.listing.spec.clone(), status, kept)
    });
    counted.collect()
}

/// What the directory has about a computer.
pub(super) struct Entry {
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
    document: Arc<str>,
}

pub(super) fn computers(ledger: &Ledger) -> Vec<Entry> {
    ledger
        .computers()
        .iter()
        // Those that requests named have no agent.
        .filter(|computer| !computer.document.is_empty())
        .map(|computer| Entry {
            key: computer.key.clone(),
            name: computer.name.clone(),
            document: computer.document.clone(),
        })
        .collect()
}

/// What an agent has reported about itself.
#[derive(Debug, Default)]
pub(super) struct AgentsWord {
    /// Starts that it last allowed without a server.
    pub(super) unreached: Option<UnreachedStarts>,
    /// The last time that a panic ended it.
    pub(super) ended: Option<EndedByPanic>,
    /// Panics that ended only one request or item.
    pub(super) caught: Option<CaughtPanics>,
}

/// When the agents last reported, and what they reported about themselves. If only the hour is
/// known, the end of that hour or now counts, so that no agent that may have reported is called
/// silent.
pub(super) fn last_seen<'a>(
    app: &App,
    entries: &'a [Entry],
    now_ms: i64,
) -> impl Iterator<Item = (&'a Entry, i64, AgentsWord)> {
    let seen = app.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let document: Option<ComputerDocument<'_>> = serde_json::from_str(&entry.document).ok();
            let hour = document.as_ref().map_or(0, |document| document.seen_hour);
            let hour_ends_ms = hour.saturating_add(1).saturating_mul(HOUR_MS);
            let seen_ms = seen.get(&entry.key).copied();
            (
                entry,
                seen_ms.unwrap_or(hour_ends_ms.min(now_ms)),
                document.map_or_else(AgentsWord::default, |document| AgentsWord {
                    unreached: document.unreached,
                    ended: document.ended,
                    caught: document.caught,
                }),
            )
        })
        .collect();
    told.into_iter()
}

fn known_computers(app: &App, entries: Vec<Entry>) -> Vec<ComputerStatus> {
    let mut by_name: FxHashMap<Arc<str>, usize> = FxHashMap::default();
    let mut by_machine: FxHashMap<String, usize> = FxHashMap::default();
    let documents: Vec<ComputerDocument<'_>> = entries
        .iter()
        .map(|entry| serde_json::from_str(&entry.document).unwrap_or_default())
        .collect();
    for (entry, document) in entries.iter().zip(&documents) {
        *by_name.entry(entry.name.clone()).or_default() += 1;
        if let Some(machine) = &document.machine {
            *by_machine.entry(machine.to_string()).or_default() += 1;
        }
    }
    let seen = app.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let mut shown: Vec<(i64, ComputerStatus)> = entries
        .iter()
        .zip(&documents)
        .map(|(entry, document)| {
            let exact = seen.get(&entry.key).copied();
            let last_seen = exact.unwrap_or(document.seen_hour.saturating_mul(HOUR_MS));
            let mut warnings = Vec::new();
            let namesakes = by_name.get(&entry.name).copied().unwrap_or(1);
            if namesakes > 1 {
                warnings.push(format!(
                    "{namesakes} computers have the name {}: rename all but one",
                    entry.name
                ));
            }
            let twins = document
                .machine
                .as_deref()
                .and_then(|machine| by_machine.get(machine))
                .copied()
                .unwrap_or(1);
            if twins > 1 {
                warnings.push(format!(
                    "{twins} computers have this one's machine id: it was cloned, or its agent's \
                     data was lost; give each clone a machine id of its own"
                ));
            }
            if let Some(why) = &document.enforcement_off {
                warnings.push(format!("enforcement is off there: {why}"));
            }
            let status = ComputerStatus {
                id: entry.key.to_string(),
                name: entry.name.to_string(),
                watching: document.watching,
                last_seen_at: timestamp(last_seen),
                last_seen_within_seconds: exact.map_or(HOUR_SECONDS, |_| 0),
                enforcement_off: document.enforcement_off.as_deref().map(str::to_owned),
                released: document.released,
                warnings,
            };
            (last_seen, status)
        })
        .collect();
    drop(seen);
    shown.sort_by(|(a_seen, a), (b_seen, b)| (b_seen, &a.id).cmp(&(a_seen, &b.id)));
    shown.truncate(COMPUTERS_LIMIT);
    shown.into_iter().map(|(_, status)| status).collect()
}
