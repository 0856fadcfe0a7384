//! Asks a server for its facts, and converts them for the core.

use serde::Deserialize;
use usher_api::{
    AgentFacts, CaughtPanics, EndedByPanic, EndingEntitlement, Facts, PackReport, PackResult,
    ProductFacts, TurnedAway,
};
use usher_core::concerns::{
    AgentFact, BackupFact, CaughtFact, DiskFact, EndedFact, EntitlementFact, HeldLogFact, PackFact,
    ProductFact, QuietRule, TurnedAwayFact, TurnedAwayReason, Unreached, UpgradeFact,
};
use usher_core::policy;

use crate::levels::Levels;
use crate::probe::Prober;

/// The largest answer that is read, in bytes.
const FACTS_LIMIT_BYTES: usize = 4 * 1024 * 1024;
const PACK_LIMIT_BYTES: usize = 64 * 1024;

/// The answers of one poll.
pub(crate) struct Told {
    /// The facts from which concerns are judged.
    pub(crate) facts: usher_core::concerns::Facts,
    /// What it holds of each product.
    pub(crate) levels: Levels,
    /// Its resident memory, in bytes; none if it does not know.
    pub(crate) resident_bytes: Option<u64>,
    /// Requests that it has answered since its start.
    pub(crate) answered: u64,
    /// Whether a pack runs.
    pub(crate) pack_runs: bool,
    /// The server's id; none: an earlier version does not tell it.
    pub(crate) server_id: Option<String>,
}

/// The needed part of `GET /v1/pack`; a server without packs answers something else.
#[derive(Deserialize)]
struct Pack {
    state: String,
    /// When the next pack is due, in Unix seconds.
    #[serde(default)]
    pack_time: Option<i64>,
    #[serde(default)]
    last: Option<PackReport>,
}

/// The id of a server; none: it does not tell.
pub(crate) async fn server_id(prober: &Prober, url: &str, token: &str) -> Option<String> {
    let facts = prober.fetch::<Facts>(url, "/v1/facts", token, FACTS_LIMIT_BYTES);
    Some(facts.await?.server_id).filter(|id| !id.is_empty())
}

/// Asks a server for its facts. None: its version has no such route, or it does not answer.
pub(crate) async fn ask(prober: &Prober, url: &str, token: &str) -> Option<Told> {
    let (facts, pack) = tokio::join!(
        prober.fetch::<Facts>(url, "/v1/facts", token, FACTS_LIMIT_BYTES),
        prober.fetch::<Pack>(url, "/v1/pack", token, PACK_LIMIT_BYTES)
    );
    let mut facts = facts?;
    let server_id = Some(std::mem::take(&mut facts.server_id)).filter(|id| !id.is_empty());
    let runs = pack.as_ref().is_some_and(|pack| pack.state == "running");
    let last = pack.as_ref().and_then(|pack| pack.last.as_ref());
    let upgrade = upgrade(&facts, last);
    let (resident_bytes, answered) = (facts.resident_bytes, facts.answered_requests);
    let levels = Levels::now(facts.products.clone(), facts.products_left_out);
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
        levels,
        resident_bytes,
        answered,
        pack_runs: runs,
        server_id,
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
        paused_since_ms: told.paused_since.map(|at| at.as_millisecond()),
        ended: told.faults.ended.map(ended),
        held_log: told.held_log.map(|it| HeldLogFact {
            bytes: it.bytes,
            readers: it.readers,
        }),
        turned_away: told.turned_away.into_iter().map(turned_away).collect(),
        caught: told.faults.caught.map(caught),
        quiet_rules: quiet_rules.collect(),
        // The manager knows that itself.
        history: None,
    }
}

fn turned_away(it: TurnedAway) -> TurnedAwayFact {
    let mut reasons: Vec<TurnedAwayReason> = it
        .reasons
        .into_iter()
        .map(|it| TurnedAwayReason {
            why: it.why,
            since_ms: it.since.as_millisecond(),
            last_ms: it.last_at.as_millisecond(),
            times: it.times,
            computers: it.computers,
        })
        .collect();
    if reasons.is_empty() {
        // An older server tells the last one alone.
        reasons.push(TurnedAwayReason {
            why: it.why,
            since_ms: it.since.as_millisecond(),
            last_ms: it.last_at.as_millisecond(),
            times: it.times,
            computers: Vec::new(),
        });
    }
    TurnedAwayFact {
        address: it.address,
        reasons,
        since_ms: it.since.as_millisecond(),
        last_ms: it.last_at.as_millisecond(),
        times: it.times,
    }
}

fn caught(it: CaughtPanics) -> CaughtFact {
    CaughtFact {
        count: it.count,
        last_ms: it.last_at.as_millisecond(),
        last: it.last,
    }
}

fn ended(it: EndedByPanic) -> EndedFact {
    EndedFact {
        at_ms: it.at.as_millisecond(),
        thread: it.thread,
        what: it.what,
    }
}

/// The last upgrade of the server, and how its last pack went.
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

/// The first thing that a pack left out, and why.
fn why(report: &PackReport) -> String {
    match report.skipped.first() {
        Some(skipped) => format!("{}: {}", skipped.what, skipped.why),
        None => "it does not say why".to_owned(),
    }
}

fn ending(it: EndingEntitlement) -> EntitlementFact {
    EntitlementFact {
        id: it.id,
        name: it.entitlement_name,
        contract: it.contract,
        price: it.price.as_ref().map(price),
        notice_days: it.notice_days,
        product: called(it.name, &it.product),
        seats: it.seats,
        ends_ms: it.ends_at.as_millisecond(),
        last_day: it.last_day,
        seats_before: it.seats_before,
        seats_after: it.seats_after,
    }
}

/// A price as people read it.
fn price(price: &usher_api::Price) -> String {
    let usher_api::Amount { ten_thousandths } = price.amount;
    policy::Price {
        amount: policy::Amount { ten_thousandths },
        currency: price.currency.clone(),
        per: match price.per {
            usher_api::Per::Year => policy::Per::Year,
            usher_api::Per::Month => policy::Per::Month,
            usher_api::Per::Once => policy::Per::Once,
        },
    }
    .to_string()
}

fn product(it: ProductFacts) -> ProductFact {
    ProductFact {
        name: called(it.name, &it.id),
        id: it.id,
        seats: it.seats,
        in_use: it.in_use,
        queued: it.queued,
        refused_last_hour: it.refused_last_hour,
    }
}

/// A product as messages name it: its name for people, and its id for commands.
fn called(name: String, id: &str) -> String {
    match name == id {
        true => name,
        false => format!("{name} ({id})"),
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
        ended: it.ended.map(ended),
        caught: it.caught.map(caught),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use usher_core::concerns::{Kind, Thresholds, judge};

    #[test]
    fn a_message_about_a_product_names_it_as_people_and_as_commands_do() {
        let facts = |name: &str| {
            let facts = serde_json::json!({
                "id": "tcad", "name": name, "seats": 10, "in_use": 10, "queued": 0,
                "refused_last_hour": 2,
            });
            product(serde_json::from_value(facts).unwrap()).name
        };
        assert_eq!(facts("CAD T"), "CAD T (tcad)");
        assert_eq!(facts("tcad"), "tcad");
        let ends = serde_json::json!({
            "id": "E7", "product": "tcad", "name": "CAD T", "seats": 10,
            "ends_at": "2026-12-25T00:00:00Z", "seats_before": 10, "seats_after": 0,
        });
        let mut named = ends.clone();
        let ends = ending(serde_json::from_value(ends).unwrap());
        assert_eq!(ends.product, "CAD T (tcad)");
        assert_eq!(
            (ends.name, ends.price),
            (None, None),
            "of an earlier version"
        );
        named["entitlement_name"] = "cad-2026".into();
        named["price"] = serde_json::json!({ "amount": 1200.5, "currency": "EUR", "per": "month" });
        let named = ending(serde_json::from_value(named).unwrap());
        assert_eq!(named.name.as_deref(), Some("cad-2026"));
        assert_eq!(named.price.as_deref(), Some("1200.50 EUR/month"));
    }

    /// A server that says what it is told to say of its pack; none: it has none.
    async fn server(pack: Option<&'static str>) -> String {
        let facts = r#"{"at": "2026-11-25T10:00:00Z", "resident_bytes": 5, "answered_requests": 1,
            "disk": null, "backup": {"last_at": null, "data_since": "2026-11-25T09:00:00Z"},
            "ending_entitlements": [], "products": [], "computers": 0, "agents": [],
            "quiet_rules": [], "turned_away": [{"address": "10.0.0.7", "why": "expired",
            "since": "2026-11-25T09:00:00Z", "last_at": "2026-11-25T09:59:00Z", "times": 9}]}"#;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = vec![0; 4_096];
                let length = stream.read(&mut asked).await.unwrap_or(0);
                let is_facts = asked[..length].starts_with(b"GET /v1/facts ");
                let said = if is_facts { Some(facts) } else { pack };
                let (status, body) = said.map_or(("404 Not Found", "{}"), |body| ("200 OK", body));
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        url
    }

    async fn asked(pack: Option<&'static str>) -> Told {
        let prober = Prober::new(None).unwrap();
        ask(&prober, &server(pack).await, "token").await.unwrap()
    }

    #[tokio::test]
    async fn who_is_turned_away_at_the_door_is_of_concern() {
        let facts = asked(None).await.facts;
        let judged = judge("alpha", &facts, &Thresholds::default(), &|_, _| false);
        let of_the_door = judged
            .iter()
            .find(|it| it.kind == Kind::TurnedAway)
            .unwrap();
        assert_eq!(of_the_door.values[1], "10.0.0.7");
        assert_eq!(of_the_door.values[3], "expired");
    }

    #[tokio::test]
    async fn a_pack_is_told_by_what_the_contract_says_of_it_and_missed_where_there_is_none() {
        let none = asked(None).await;
        assert_eq!(none.facts.pack, None);
        assert!(!none.pack_runs);
        let running = asked(Some(
            r#"{"state": "running", "progress": 0.5, "schedule": "Sun 01:59:59",
                "time_zone": "Europe/Berlin", "pack_time": 1795600800, "last": null}"#,
        ))
        .await;
        let pack = running.facts.pack.unwrap();
        assert_eq!((pack.due_ms, pack.runs), (1_795_600_800_000, true));
        assert!(running.pack_runs);
    }

    #[tokio::test]
    async fn a_server_that_knows_no_facts_tells_none() {
        let prober = Prober::new(None).unwrap();
        let nobody = ask(&prober, "http://127.0.0.1:9", "token").await;
        assert!(nobody.is_none());
    }
}
