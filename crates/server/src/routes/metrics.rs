//! `GET /metrics`: counts in Prometheus' text format.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use usher_api::{Problem, Withheld};
use usher_core::ledger::ProductNumber;
use usher_store::{PackReport, PackResult};

use super::TABLE;
use crate::engine::metrics::{BUCKETS_MICROS, CoreCounts, Decisions, STATUSES};
use crate::state::app::App;
use crate::upkeep::packs::PackNow;
use crate::wire::problem::Refusal;

/// Counts in Prometheus' text format. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses(
        (status = 200, description = "Prometheus text format 0.0.4", body = String, content_type = "text/plain"),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let mut text = String::with_capacity(32 * 1024);
    // What the ledger holds is left out while the disk hangs; the rest is still told.
    if let Ok(pools) = pools(&app).await {
        products(&mut text, &pools, &app.live.decisions);
    }
    server(&mut text, &app);
    packs(&mut text, &app.upkeep.seen());
    requests(&mut text, &app.counts);
    let kind = [(
        hyper::header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((kind, text).into_response())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn one(text: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    head(text, name, kind, help);
    let _ = writeln!(text, "{name} {value}");
}

fn server(text: &mut String, app: &App) {
    let decisions = &app.live.decisions;
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (commits, events) = app.engine.commits();
    let grants_nothing = app.grants_nothing().map(|says| says.reason);
    // A pause that was asked for is no illness.
    let is_well = matches!(grants_nothing, None | Some(Withheld::Paused)) && !app.is_stopping();
    for (name, kind, help, value) in [
        (
            "usher_healthy",
            "gauge",
            "Whether the server can serve, and grants seats unless it is paused.",
            u64::from(is_well),
        ),
        (
            "usher_granting",
            "gauge",
            "Whether seats are granted: not in a pause, after a restore, or without a disk.",
            u64::from(grants_nothing.is_none() && !app.is_stopping()),
        ),
        (
            "usher_hold_seconds",
            "gauge",
            "Seconds until seats are granted again after a restore.",
            app.hold.left().as_secs(),
        ),
        (
            "usher_uptime_seconds",
            "gauge",
            "Seconds since the server was started.",
            app.started.elapsed().as_secs(),
        ),
        (
            "usher_connections",
            "gauge",
            "Open connections.",
            app.connections.open() as u64,
        ),
        (
            "usher_waiting_requests",
            "gauge",
            "Requests that wait for the ledger's writer.",
            app.engine.waiting() as u64,
        ),
        (
            "usher_commits_total",
            "counter",
            "Batches made durable since the start.",
            commits,
        ),
        (
            "usher_events_total",
            "counter",
            "Events made durable since the start.",
            events,
        ),
        (
            "usher_leases_ended_total",
            "counter",
            "Leases that have ended since the start.",
            load(&decisions.ended),
        ),
        (
            "usher_sessions_total",
            "counter",
            "Ended sessions that agents have reported since the start.",
            load(&decisions.sessions),
        ),
        (
            "usher_log_lines_lost_total",
            "counter",
            "Lines of the log that could not be written since the start.",
            usher_vital::log::lost_lines(),
        ),
        (
            "usher_panics_total",
            "counter",
            "Requests, items and connections that ended by a panic since the start.",
            usher_vital::counted().count,
        ),
    ] {
        one(text, name, kind, help, value);
    }
    // Where there is no certificate, none ends.
    if let Some(ends_s) = app.certificate_ends_s {
        let name = "usher_certificate_expires_timestamp_seconds";
        let help = "When the certificate that clients are shown ends.";
        one(text, name, "gauge", help, ends_s.unsigned_abs());
    }
    let name = "usher_decisions_total";
    head(
        text,
        name,
        "counter",
        "Checkouts decided since the start; leases given to those who waited count as granted.",
    );
    for (decision, counter) in [
        ("granted", &decisions.granted),
        ("queued", &decisions.queued),
        ("denied", &decisions.denied),
    ] {
        let _ = writeln!(text, "{name}{{decision=\"{decision}\"}} {}", load(counter));
    }
}

fn packs(text: &mut String, seen: &PackNow) {
    let name = "usher_pack_progress_ratio";
    head(
        text,
        name,
        "gauge",
        "How far a running pack is; 0 where none runs.",
    );
    let _ = writeln!(text, "{name} {}", seen.progress.unwrap_or(0.0));
    let last = seen.last.as_ref();
    let is_done = |last: &PackReport| last.result == PackResult::Done;
    for (name, help, value) in [
        (
            "usher_pack_running",
            "Whether a pack of the store runs.",
            Some(u64::from(seen.progress.is_some())),
        ),
        (
            "usher_pack_next_timestamp_seconds",
            "When the next pack is due.",
            seen.plan.pack_time.map(i64::unsigned_abs),
        ),
        (
            "usher_pack_last_ended_timestamp_seconds",
            "When the last pack ended.",
            last.map(|last| last.ended_at.unsigned_abs() / 1_000),
        ),
        (
            "usher_pack_last_done",
            "Whether the last pack did all that it was to do.",
            last.map(|last| u64::from(is_done(last))),
        ),
        (
            "usher_pack_last_purged_rows",
            "Rows that went with the last pack.",
            last.map(|last| last.purged_rows),
        ),
    ] {
        // What is not known is left out, not told as 0.
        if let Some(value) = value {
            one(text, name, "gauge", help, value);
        }
    }
}

fn requests(text: &mut String, cores: &[Arc<CoreCounts>]) {
    let sum = |read: &dyn Fn(&CoreCounts) -> u64| cores.iter().map(|core| read(core)).sum::<u64>();
    let label = |route: usize| match TABLE.get(route) {
        Some(route) => format!("method=\"{}\",path=\"{}\"", route.method, route.path),
        None => "method=\"\",path=\"\"".to_owned(),
    };
    let name = "usher_http_requests_total";
    head(text, name, "counter", "Answers by route and status.");
    for route in 0..=TABLE.len() {
        for (index, status) in STATUSES.iter().enumerate() {
            let count = sum(&|core| core.routes[route].answers[index].load(Ordering::Relaxed));
            if count > 0 {
                let _ = writeln!(
                    text,
                    "{name}{{{},status=\"{status}\"}} {count}",
                    label(route)
                );
            }
        }
    }
    let seconds = |route: usize| {
        let micros = sum(&|core| core.routes[route].micros.load(Ordering::Relaxed));
        micros as f64 / 1e6
    };
    let buckets = |route: usize| -> Vec<u64> {
        (0..=BUCKETS_MICROS.len())
            .map(|index| sum(&|core| core.routes[route].buckets[index].load(Ordering::Relaxed)))
            .collect()
    };
    let name = "usher_http_request_seconds_total";
    let help = "Time from requests' heads to their answers, added up by route.";
    head(text, name, "counter", help);
    for route in 0..=TABLE.len() {
        if buckets(route).iter().sum::<u64>() > 0 {
            let _ = writeln!(text, "{name}{{{}}} {}", label(route), seconds(route));
        }
    }
    let name = "usher_http_request_duration_seconds";
    let help = "From a request's head to its answer, of what programs wait for before they start.";
    head(text, name, "histogram", help);
    for (route, _) in TABLE
        .iter()
        .enumerate()
        .filter(|(_, route)| IN_BUCKETS.contains(&(route.method, route.path)))
    {
        let buckets = buckets(route);
        let total: u64 = buckets.iter().sum();
        if total == 0 {
            continue;
        }
        let label = label(route);
        let mut below = 0;
        for (bound, count) in BUCKETS_MICROS.iter().zip(&buckets) {
            below += count;
            let bound = *bound as f64 / 1e6;
            let _ = writeln!(text, "{name}_bucket{{{label},le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_bucket{{{label},le=\"+Inf\"}} {total}");
        let _ = writeln!(text, "{name}_sum{{{label}}} {}", seconds(route));
        let _ = writeln!(text, "{name}_count{{{label}}} {total}");
    }
}

/// The routes whose latencies are given in buckets: those that programs wait for before they start.
/// With buckets for all routes, nine lines in ten would be about others.
const IN_BUCKETS: [(&str, &str); 2] = [("POST", "/v1/checkouts"), ("POST", "/v1/agents/sync")];

/// A product, and its counts in the order of [`products`].
struct Counts {
    number: ProductNumber,
    id: Arc<str>,
    counts: [u64; 5],
}

async fn pools(app: &App) -> Result<Vec<Counts>, Refusal> {
    app.look(|ledger, now| {
        let shown = ledger
            .pools()
            .filter(|(_, pool)| !pool.listing.removed || pool.leases > 0);
        let counted = shown.map(|(number, pool)| Counts {
            number,
            id: pool.listing.spec.id.clone(),
            counts: [
                pool.seats(now),
                pool.in_use,
                pool.leases,
                u64::from(pool.queued()),
                pool.unseated,
            ],
        });
        counted.collect()
    })
    .await
}

fn products(text: &mut String, pools: &[Counts], decisions: &Decisions) {
    let label = |id: &str| id.replace('\\', "\\\\").replace('"', "\\\"");
    for (index, (name, help)) in [
        (
            "usher_seats",
            "Seats that may be in use, overdraft included.",
        ),
        ("usher_seats_in_use", "Seats in use."),
        ("usher_leases", "Leases that are held."),
        ("usher_queued", "Requests that wait."),
        ("usher_unseated", "Programs that run without a seat."),
    ]
    .into_iter()
    .enumerate()
    {
        head(text, name, "gauge", help);
        for Counts { id, counts, .. } in pools {
            let _ = writeln!(
                text,
                "{name}{{product=\"{}\"}} {}",
                label(id),
                counts[index]
            );
        }
    }
    let name = "usher_denials_total";
    let help = "Checkouts refused since the start, repeats counted, by product and reason.";
    head(text, name, "counter", help);
    let known: BTreeSet<ProductNumber> = pools.iter().map(|pool| pool.number).collect();
    let denied = decisions.denied_by_product(|product| known.contains(&product));
    for Counts { number, id, .. } in pools {
        let id = label(id);
        let mut reasons: BTreeMap<&str, u64> = denied
            .iter()
            .filter(|((product, _), _)| product == number)
            .map(|((_, reason), count)| (*reason, *count))
            .collect();
        // From 0 on, so that the first refusal is an increase.
        reasons
            .entry(usher_api::Reason::NoSeat.as_str())
            .or_default();
        for (reason, count) in reasons {
            let _ = writeln!(
                text,
                "{name}{{product=\"{id}\",reason=\"{reason}\"}} {count}"
            );
        }
    }
}
