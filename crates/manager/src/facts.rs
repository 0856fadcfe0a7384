//! What a server tells that may be of concern, in the words of the core.

use serde::Deserialize;
use usher_api::{AgentFacts, EndingEntitlement, Facts, PackReport, PackResult, ProductFacts};
use usher_core::concerns::{
    AgentFact, BackupFact, DiskFact, EntitlementFact, PackFact, ProductFact, QuietRule, Unreached,
    UpgradeFact,
};
use usher_core::health::MemorySeen;

use crate::probe::Prober;

/// More of an answer is not read.
const FACTS_LIMIT_BYTES: usize = 4 * 1024 * 1024;
const PACK_LIMIT_BYTES: usize = 64 * 1024;

/// What was told at one look.
pub(crate) struct Told {
    /// For concerns.
    pub(crate) facts: usher_core::concerns::Facts,
    /// For the limit of its memory; none where it cannot tell.
    pub(crate) memory: Option<MemorySeen>,
}

/// `GET /v1/pack`, as far as it is needed; a server without upkeep answers something else.
#[derive(Deserialize)]
struct Pack {
    state: String,
    /// Unix seconds.
    #[serde(default)]
    pack_time: Option<i64>,
    #[serde(default)]
    last: Option<PackReport>,
}

/// Asks a server. None where it does not tell: a version that knows no such question, or one that
/// does not answer.
pub(crate) async fn ask(prober: &Prober, url: &str, token: &str) -> Option<Told> {
    let (facts, pack) = tokio::join!(
        prober.fetch::<Facts>(url, "/v1/facts", token, FACTS_LIMIT_BYTES),
        prober.fetch::<Pack>(url, "/v1/pack", token, PACK_LIMIT_BYTES)
    );
    let facts = facts?;
    let runs = pack.as_ref().is_some_and(|pack| pack.state == "running");
    let memory = facts.resident_bytes.map(|resident_bytes| MemorySeen {
        resident_bytes,
        requests: facts.waiting_requests,
        pack_runs: runs,
    });
    let last = pack.as_ref().and_then(|pack| pack.last.as_ref());
    let upgrade = upgrade(&facts, last);
    let pack = pack.and_then(|pack| pack.pack_time).map(|due| PackFact {
        due_ms: due.saturating_mul(1_000),
        runs,
    });
    Some(Told {
        facts: usher_core::concerns::Facts {
            pack,
            upgrade,
            ..read(facts)
        },
        memory,
    })
}

fn read(told: Facts) -> usher_core::concerns::Facts {
    let quiet_rules = told.quiet_rules.into_iter().map(|it| QuietRule {
        product: it.product,
        rule: it.rule,
        last_matched_ms: it.last_matched_at.as_millisecond(),
        seen_as: it.seen_as,
        computers: it.computers,
        seen_since_ms: it.seen_since.as_millisecond(),
    });
    usher_core::concerns::Facts {
        at_ms: told.at.as_millisecond(),
        entitlements: told.ending_entitlements.into_iter().map(ending).collect(),
        products: told.products.into_iter().map(product).collect(),
        computers: told.computers,
        agents: told.agents.into_iter().map(agent).collect(),
        disk: told.disk.map(|disk| DiskFact {
            free_bytes: disk.free_bytes,
            total_bytes: disk.total_bytes,
        }),
        backup: Some(BackupFact {
            last_ms: told.backup.last_at.map(|at| at.as_millisecond()),
            data_since_ms: told.backup.data_since.as_millisecond(),
        }),
        pack: None,
        upgrade: None,
        quiet_rules: quiet_rules.collect(),
    }
}

/// What the version that serves came in the place of, and how its last pack went.
fn upgrade(told: &Facts, last: Option<&PackReport>) -> Option<UpgradeFact> {
    let upgrade = told.upgrade.as_ref()?;
    let failed =
        last.filter(|last| last.result == PackResult::Failed && last.started_at >= upgrade.since);
    Some(UpgradeFact {
        from: upgrade.from.clone()?,
        to: told.version.clone(),
        since_ms: upgrade.since.as_millisecond(),
        packed_ms: upgrade.packed_at.map(|at| at.as_millisecond()),
        pack_failed: failed.map(why),
    })
}

/// The first thing that a pack could not do.
fn why(report: &PackReport) -> String {
    match report.skipped.first() {
        Some(skipped) => format!("{}: {}", skipped.what, skipped.why),
        None => "it does not say why".to_owned(),
    }
}

fn ending(it: EndingEntitlement) -> EntitlementFact {
    EntitlementFact {
        id: it.id,
        product: it.name,
        seats: it.seats,
        ends_ms: it.ends_at.as_millisecond(),
        seats_before: it.seats_before,
        seats_after: it.seats_after,
    }
}

fn product(it: ProductFacts) -> ProductFact {
    ProductFact {
        id: it.id,
        name: it.name,
        seats: it.seats,
        in_use: it.in_use,
        queued: it.queued,
        refused_last_hour: it.refused_last_hour,
    }
}

fn agent(it: AgentFacts) -> AgentFact {
    AgentFact {
        id: it.id,
        name: it.name,
        last_seen_ms: it.last_seen_at.as_millisecond(),
        unreached: it.unreached.map(|it| Unreached {
            starts: it.starts,
            last_ms: it.last_at.as_millisecond(),
            products: it.products,
        }),
    }
}
