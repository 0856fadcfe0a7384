//! `GET /v1/facts`: the facts from which a manager predicts trouble.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use hyper::StatusCode;
use rustc_hash::FxHashMap;
use usher_api::{
    AgentFacts, BackupFacts, DiskFacts, EndingEntitlement, FACTS_COMPUTERS_LIMIT, Facts, Problem,
    ProductFacts, QuietRule, Timestamp,
};
use usher_core::identify::Rule;
use usher_core::ledger::{
    Bound, Details, EntitlementNumber, Ledger, Lent, Now, Pool, ProductNumber, ProductSpec,
    takes_over,
};
use usher_core::lifecycle::ServiceState;
use usher_store::ChangedProgram;

use super::Json;
use super::kept::{self, Kept};
use super::status::{self, Entry};
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::upkeep::computer;
use crate::wire::entitlement;
use crate::wire::problem::Refusal;
use crate::wire::records;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The largest number of entitlements, and of products, in an answer.
const LISTED_LIMIT: usize = 1_000;
/// An agent is listed if it has not reported for so long; agents report every few seconds.
const SILENT_MS: i64 = HOUR_MS / 2;
/// An agent that has not reported for so long is no longer listed.
const GONE_MS: i64 = 400 * DAY_MS;
/// For how long starts without a server are listed.
const UNREACHED_MS: i64 = 30 * DAY_MS;
/// A program that was used more recently is not checked for a changed name.
const QUIET_MS: i64 = HOUR_MS;
/// For how long the result of the search for changed programs is kept: the search reads much, and
/// its result changes slowly.
const QUIET_KEPT: Duration = Duration::from_secs(600);

/// The part of the facts that comes from the ledger.
struct Told {
    ending: Vec<EndingEntitlement>,
    products: Vec<(ProductFacts, Vec<String>)>,
    /// Products beyond these.
    left_out: u64,
    entries: Vec<Entry>,
}

/// What is copied from the ledger while everything else waits: only counts and shared values. It is
/// evaluated afterwards.
struct Copied {
    pools: Vec<PoolSeen>,
    entries: Vec<Entry>,
    now: Now,
}

/// A product in the ledger.
struct PoolSeen {
    spec: ProductSpec,
    lent: Vec<Lent>,
    /// The details of the entitlements that have an end.
    details: FxHashMap<EntitlementNumber, Details>,
    seats: u64,
    in_use: u64,
    unseated: u64,
    queued: u64,
    kept: Vec<Kept>,
}

/// Facts from which a manager predicts trouble: entitlements that end, seats, agents, the disk,
/// backups, rules that no longer match. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/facts",
    tag = "operation",
    responses(
        (status = 200, body = Facts),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<Json<Facts>, Refusal> {
    let now_ms = wall_ms();
    let refused = app
        .history_as_it_is(move |history| history.refused_since(now_ms - HOUR_MS))
        .await?;
    let refused: FxHashMap<String, u64> = refused.into_iter().collect();
    let changed = changed(&app, now_ms).await?;
    let copied = app.look(look).await?;
    let mut told = app.blocking(move |app| Ok(told(app, copied))).await?;
    for (product, _) in &mut told.products {
        product.refused_last_hour = refused.get(&product.id).copied().unwrap_or(0);
    }
    let quiet_rules = changed
        .iter()
        .filter_map(|changed| quiet(changed, &told.products))
        .collect();
    let (disk, backup) = app
        .blocking(|app| {
            let disk = computer::disk(&app.data).map(|(free_bytes, total_bytes)| DiskFacts {
                free_bytes,
                total_bytes,
            });
            let backup = BackupFacts {
                last_at: app.backups.last_ms().map(timestamp),
                data_since: timestamp(computer::data_since_ms(&app.data)),
            };
            Ok((disk, backup))
        })
        .await?;
    let facts = Facts {
        at: timestamp(now_ms),
        resident_bytes: computer::resident_bytes(),
        answered_requests: app.counts.iter().map(|core| core.answered()).sum(),
        disk,
        backup,
        ending_entitlements: told.ending,
        products: told.products.into_iter().map(|(it, _)| it).collect(),
        products_left_out: told.left_out,
        computers: told.entries.len() as u64,
        agents: agents(&app, &told.entries, now_ms),
        quiet_rules,
        upgrade: app.upkeep.versions().map(status::upgrade),
        paused_since: paused_since(&app),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        server_id: app.server_id.clone(),
        faults: crate::wire::faults::told(app.ended.as_ref()),
        held_log: status::held_log(&app).await?,
        turned_away: app.door.told(now_ms),
    };
    Ok(Json(StatusCode::OK, facts))
}

fn paused_since(app: &App) -> Option<Timestamp> {
    let seen = app.life.seen();
    let is_paused = seen.report.status.state == ServiceState::Paused;
    is_paused.then(|| timestamp(seen.since_ms))
}

fn look(ledger: &Ledger, now: Now) -> Copied {
    let listed = ledger.pools().filter(|(_, pool)| !pool.listing.removed);
    let pools = listed.map(|(number, pool)| seen(ledger, number, pool, now));
    Copied {
        pools: pools.collect(),
        entries: status::computers(ledger),
        now,
    }
}

fn seen(ledger: &Ledger, number: ProductNumber, pool: &Pool, now: Now) -> PoolSeen {
    let ending = pool
        .lent
        .iter()
        .filter(|lent| lent.to.is_some_and(|to| to > now.wall));
    let numbers = ending.map(|lent| lent.allotment.entitlement);
    PoolSeen {
        spec: pool.listing.spec.clone(),
        lent: pool.lent.clone(),
        details: numbers
            .map(|number| (number, ledger.details(number)))
            .collect(),
        seats: pool.seats(now),
        in_use: pool.in_use,
        unseated: pool.unseated,
        queued: u64::from(pool.queued()),
        kept: kept::of(ledger, number),
    }
}

fn told(app: &App, copied: Copied) -> Told {
    let now = copied.now;
    let left_out = copied.pools.len().saturating_sub(LISTED_LIMIT) as u64;
    let pools = copied.pools.iter();
    let mut ending: Vec<EndingEntitlement> = pools.flat_map(|pool| ending_of(pool, now)).collect();
    ending.sort_by_key(next_of);
    ending.truncate(LISTED_LIMIT);
    let pools = copied.pools.into_iter().take(LISTED_LIMIT);
    let products = pools.map(|pool| {
        let product = records::product(&pool.spec);
        let facts = ProductFacts {
            name: status::named(&pool.spec),
            id: product.id,
            seats: pool.seats,
            in_use: pool.in_use,
            queued: pool.queued,
            refused_last_hour: 0,
            kept: Some(kept::count(&app.used, &pool.kept, &pool.spec, wall_ms())),
            unseated: Some(pool.unseated),
        };
        // What is in use now has matched: its rules are not asked for.
        let in_use = pool.in_use + pool.unseated > 0;
        let rules = if in_use { Vec::new() } else { product.programs };
        (facts, rules)
    });
    Told {
        ending,
        products: products.collect(),
        left_out,
        entries: copied.entries,
    }
}

/// When an entitlement next needs attention: on the day of its notice, or at its end.
fn next_of(it: &EndingEntitlement) -> Timestamp {
    let notice_ms = i64::from(it.notice_days.unwrap_or(0)) * DAY_MS;
    timestamp(it.ends_at.as_millisecond() - notice_ms)
}

/// Entitlements of a product that end, and what the product has before and after.
fn ending_of(pool: &PoolSeen, now: Now) -> Vec<EndingEntitlement> {
    let seats = |counts: &dyn Fn(&Lent) -> bool| -> u64 {
        let counted = pool.lent.iter().filter(|lent| counts(lent));
        counted.map(|lent| u64::from(lent.allotment.seats)).sum()
    };
    let begins_by = |lent: &Lent, at_ms: i64| lent.from.is_none_or(|from| from.0 <= at_ms);
    let lasts_beyond = |lent: &Lent, at_ms: i64| lent.to.is_none_or(|to| to.0 > at_ms);
    let ends = |lent: &Lent| {
        let to = lent.to.filter(|to| *to > now.wall)?;
        let renews = |other: &Lent| takes_over((other.from, other.to), (lent.from, lent.to));
        let before = |other: &Lent| {
            begins_by(other, to.0 - 1) && lasts_beyond(other, to.0 - 1) && !renews(other)
        };
        let after = |other: &Lent| {
            // People write the day after the end as the beginning of the next: an end at 18:00 and
            // a beginning at midnight, or midnights of two zones, are no gap.
            let takes_over_soon = renews(other) && begins_by(other, to.0 + DAY_MS - 1);
            (begins_by(other, to.0) || takes_over_soon) && lasts_beyond(other, to.0)
        };
        let number = lent.allotment.entitlement;
        let said = pool.details.get(&number).map(entitlement::said);
        let said = said.unwrap_or_default();
        Some(EndingEntitlement {
            id: records::entitlement_id(number),
            product: pool.spec.id.to_string(),
            name: status::named(&pool.spec),
            seats: u64::from(lent.allotment.seats),
            ends_at: timestamp(to.0),
            last_day: lent
                .allotment
                .to
                .as_ref()
                .and_then(Bound::date)
                .map(|day| day.to_string()),
            seats_before: seats(&before),
            seats_after: seats(&after),
            entitlement_name: said.name,
            contract: said.contract,
            price: said.price,
            notice_days: said.notice_days,
        })
    };
    pool.lent.iter().filter_map(ends).collect()
}

/// The agents that have been silent longest, and those that recently could not reach the server.
fn agents(app: &App, entries: &[Entry], now_ms: i64) -> Vec<AgentFacts> {
    let mut agents: Vec<AgentFacts> = status::last_seen(app, entries, now_ms)
        .filter_map(|(entry, seen_ms, word)| {
            let recent = |at: Timestamp, within_ms| now_ms - at.as_millisecond() < within_ms;
            let unreached = word.unreached.filter(|it| recent(it.last_at, UNREACHED_MS));
            let ended = word.ended.filter(|it| recent(it.at, DAY_MS));
            let caught = word.caught.filter(|it| recent(it.last_at, DAY_MS));
            let is_silent = (SILENT_MS..GONE_MS).contains(&(now_ms - seen_ms));
            let has_faults = ended.is_some() || caught.is_some();
            (is_silent || unreached.is_some() || has_faults).then(|| AgentFacts {
                id: entry.key.to_string(),
                name: entry.name.to_string(),
                last_seen_at: timestamp(seen_ms),
                unreached,
                ended,
                caught,
            })
        })
        .collect();
    agents.sort_by_key(|it| {
        (
            it.ended.is_none() && it.caught.is_none() && it.unreached.is_none(),
            it.last_seen_at,
        )
    });
    agents.truncate(FACTS_COMPUTERS_LIMIT);
    agents
}

/// One search at a time, and its outcome for a while.
async fn changed(app: &Arc<App>, now_ms: i64) -> Result<Vec<ChangedProgram>, Refusal> {
    let mut kept = app.quiet_rules.kept.lock().await;
    if let Some((at, changed)) = &*kept
        && at.elapsed() < QUIET_KEPT
    {
        return Ok(changed.clone());
    }
    let changed = app
        .history_as_it_is(move |history| history.changed_programs(now_ms - QUIET_MS))
        .await?;
    *kept = Some((Instant::now(), changed.clone()));
    Ok(changed)
}

/// The rule that matched the changed program; none: the product is in use, or has no rules.
fn quiet(changed: &ChangedProgram, products: &[(ProductFacts, Vec<String>)]) -> Option<QuietRule> {
    let (_, rules) = products.iter().find(|(it, _)| it.id == changed.product)?;
    let matched: Vec<&str> = rules
        .iter()
        .filter(|text| {
            let rule = Rule::parse(text);
            rule.is_ok_and(|rule| rule.could_be_named(&changed.program))
        })
        .map(String::as_str)
        .collect();
    (!matched.is_empty()).then(|| QuietRule {
        product: changed.product.clone(),
        rule: matched.join(", "),
        program: changed.program.clone(),
        last_matched_at: timestamp(changed.last_at),
        seen_as: changed.seen_as.clone(),
        computers: changed.computers,
        seen_since: timestamp(changed.seen_since),
    })
}
