//! `POST /v1/agents/sync`: an agent's whole exchange in one request.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use usher_api::{
    CaughtPanics, Code, ComputerFacts, EndedByPanic, Problem, SYNC_ITEMS_LIMIT, SyncAnswer,
    SyncRequest, UnreachedStarts, Watching,
};
use usher_core::ledger::{
    Command, ComputerRef, Incarnation, ItemReply, Mark, Reason, Reply, Report, ReportItem,
};
use usher_http::{Whole, json};

use crate::access::auth::Principal;
use crate::base::clock::wall_ms;
use crate::base::random::surrogate;
use crate::routes::{Hot, kept};
use crate::state::per_core::Core;
use crate::state::policy::PolicyText;
use crate::wire::input;
use crate::wire::problem::{Refusal, shown};
use crate::wire::sync_items::{self, Item};
use crate::wire::text::Writer;
use crate::wire::writer;

/// [`SyncRequest`] with its items as they came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow, deserialize_with = "usher_api::object::one")]
    computer: ComputerFacts<'a>,
    incarnation: u64,
    #[serde(default)]
    policy_version: u64,
    #[serde(default, borrow, deserialize_with = "usher_api::object::each")]
    items: Vec<Item<'a>>,
}

/// What the ledger carries of a computer without looking into it. It changes rarely: when the
/// agent changes, and once an hour, so that after a restart of the server it is still known about
/// when a computer was last heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ComputerDocument<'a> {
    /// A keyed hash of the machine id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) machine: Option<Cow<'a, str>>,
    /// The agent's version.
    #[serde(borrow, default)]
    pub(crate) agent_version: Cow<'a, str>,
    /// How it sees programs.
    #[serde(default)]
    pub(crate) watching: Watching,
    /// Hours since 1970 of a recent report.
    #[serde(default)]
    pub(crate) seen_hour: i64,
    /// What the agent allowed when it last had no server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unreached: Option<UnreachedStarts>,
    /// Why no start is refused there, if enforcement is off.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) enforcement_off: Option<Cow<'a, str>>,
    /// How many sessions run there without a seat because nobody used them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) released: u32,
    /// The last end of the agent by a panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<EndedByPanic>,
    /// Panics that ended requests or items of the agent alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) caught: Option<CaughtPanics>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

const HOUR_MS: i64 = 3_600_000;

/// An agent's whole exchange in one request. The agent sends checkouts, renewals, checkins, ended
/// sessions and counted programs. The answer has the decisions, and the policy if the agent has
/// another version. All of it is on disk when the server answers.
///
/// The server applies each item once, by its sender's incarnation and sequence, however often and
/// late it comes, so it ignores an Idempotency-Key. An item that it cannot understand gets the
/// outcome `rejected` and holds up no other. An `agent` reports for the computer that its token is
/// bound to; `operator` and `admin` for any.
#[utoipa::path(
    post,
    path = "/v1/agents/sync",
    tag = "agents",
    request_body = SyncRequest,
    responses(
        (status = 200, body = SyncAnswer),
        (status = 403, description = "`forbidden`: another computer's token", body = Problem),
        (status = 409, description = "`stale_sender`: a newer incarnation has reported", body = Problem),
    ),
)]
pub(crate) async fn sync(core: &Core, who: &Principal, body: &[u8]) -> Result<Whole, Refusal> {
    Hot::Sync.must_be_allowed(who)?;
    let mut request: Request<'_> = input::json(body)?;
    compose(&mut request.computer.id);
    compose(&mut request.computer.name);
    check(who, &request)?;
    let now_ms = wall_ms();
    let computer = &request.computer;
    let document = ComputerDocument {
        machine: computer.machine.as_deref().map(Cow::Borrowed),
        agent_version: Cow::Borrowed(&computer.agent_version),
        watching: computer.watching,
        seen_hour: now_ms.div_euclid(HOUR_MS),
        unreached: computer.unreached.clone(),
        enforcement_off: computer.enforcement_off.as_deref().map(Cow::Borrowed),
        released: computer.released,
        ended: computer.ended.clone(),
        caught: computer.caught.clone(),
    };
    let mut items = Vec::with_capacity(request.items.len());
    let mut rejected: Vec<(usize, String)> = Vec::new();
    let mut sequences = Vec::with_capacity(request.items.len());
    for (index, item) in request.items.iter().enumerate() {
        sequences.push(item.sequence);
        let item = sync_items::check(item, core.app.local_accounts).unwrap_or_else(|detail| {
            rejected.push((index, detail));
            ReportItem::Nothing
        });
        items.push((sequences[index], item));
    }
    gate_only_what_is_enforced(core, &mut items).await?;
    let report = Report {
        computer: ComputerRef {
            key: (&*computer.id).into(),
            candidate: surrogate(),
        },
        name: (&*computer.name).into(),
        document: serde_json::to_string(&document).unwrap_or_default().into(),
        incarnation: request.incarnation,
        items,
    };
    let reply = core
        .hopper
        .ask(Command::Report(Box::new(report)))
        .await?
        .reply;
    let (life, before, acknowledged, replies) = match reply {
        Reply::Report {
            incarnation,
            before,
            acknowledged,
            items,
        } => (incarnation, before, acknowledged, items),
        Reply::StaleSender => return Err(stale(&request)),
        _ => return Err(Refusal::unexpected()),
    };
    core.app.seen(&computer.id, now_ms);
    for (session, untouched_seconds) in request.items.iter().filter_map(sync_items::untouched) {
        let touched = &core.app.touched;
        touched.note(&computer.id, session, untouched_seconds, now_ms);
    }
    let policy = match core.app.current_policy() {
        Some(policy) => policy,
        None => core.app.policy().await?,
    };
    let policy = (policy.version != request.policy_version).then_some(policy);
    let head = Head {
        server: &core.app.server_id,
        life,
        before,
        acknowledged,
        policy_key: core.app.policies.key().public(),
    };
    let kept = kept::now(&core.app, refused_for_seats(&replies)).await;
    let text = answer(
        &head,
        sequences.iter().copied().zip(&replies),
        &rejected,
        &kept,
        policy.as_ref(),
    );
    Ok(json(StatusCode::OK, text, false))
}

/// Programs of products that are only tracked are refused nothing, whatever their agent asks.
async fn gate_only_what_is_enforced(
    core: &Core,
    items: &mut [(u64, ReportItem)],
) -> Result<(), Refusal> {
    let mut policy = None;
    for (_, item) in items {
        let ReportItem::Checkout { product, gate, .. } = item else {
            continue;
        };
        if !*gate {
            continue;
        }
        let policy = match &policy {
            Some(policy) => policy,
            None => policy.insert(core.app.policy().await?),
        };
        *gate = policy.is_enforced(product);
    }
    Ok(())
}

/// A name as names are compared and kept.
fn compose(name: &mut Cow<'_, str>) {
    let composed = match input::composed(name) {
        Cow::Owned(composed) => composed,
        Cow::Borrowed(_) => return,
    };
    *name = Cow::Owned(composed);
}

fn check(who: &Principal, request: &Request<'_>) -> Result<(), Refusal> {
    let computer = &request.computer;
    input::name("computer.id", &computer.id)?;
    input::name("computer.name", &computer.name)?;
    let texts = [
        ("computer.machine", computer.machine.as_deref()),
        ("computer.agent_version", Some(&*computer.agent_version)),
        (
            "computer.enforcement_off",
            computer.enforcement_off.as_deref(),
        ),
        (
            "computer.ended.thread",
            computer.ended.as_ref().map(|it| &*it.thread),
        ),
        (
            "computer.ended.what",
            computer.ended.as_ref().map(|it| &*it.what),
        ),
        (
            "computer.caught.last",
            computer.caught.as_ref().map(|it| &*it.last),
        ),
    ];
    for (field, text) in texts {
        input::check_text(field, text.unwrap_or_default()).map_err(Refusal::invalid)?;
    }
    if let Some(unreached) = &computer.unreached {
        check_unreached(unreached)?;
    }
    if let Some(own) = who.own_computer()
        && own != computer.id
    {
        return Err(Refusal::forbidden(format!(
            "this token reports for computer {own} only, and {} needs a token of its own",
            shown(&computer.id)
        )));
    }
    if request.items.len() > SYNC_ITEMS_LIMIT {
        return Err(Refusal::invalid(format!(
            "`items` has {} items: send at most {SYNC_ITEMS_LIMIT} at a time",
            request.items.len()
        )));
    }
    // The tables hold these as signed numbers.
    let highest = request.items.iter().map(|item| item.sequence).max();
    if [Some(request.incarnation), highest]
        .into_iter()
        .flatten()
        .any(|number| i64::try_from(number).is_err())
    {
        return Err(Refusal::invalid(
            "`incarnation` and `sequence` must be below 2^63: count from 1",
        ));
    }
    let ascending = request
        .items
        .windows(2)
        .all(|pair| pair[0].sequence < pair[1].sequence);
    if !ascending || request.items.first().is_some_and(|item| item.sequence == 0) {
        return Err(Refusal::invalid(
            "the items' `sequence` must begin at 1 or above and grow: send them oldest first",
        ));
    }
    Ok(())
}

fn check_unreached(unreached: &UnreachedStarts) -> Result<(), Refusal> {
    const PRODUCTS_LIMIT: usize = 5;
    if unreached.products.len() > PRODUCTS_LIMIT || i64::try_from(unreached.starts).is_err() {
        return Err(Refusal::invalid(format!(
            "`computer.unreached` names at most {PRODUCTS_LIMIT} products, and fewer than 2^63 \
             starts"
        )));
    }
    for product in &unreached.products {
        input::name("computer.unreached.products", product)?;
    }
    Ok(())
}

fn stale(request: &Request<'_>) -> Refusal {
    Refusal::new(
        Code::StaleSender,
        format!(
            "computer {} has reported with a newer incarnation than {}: an older copy of its agent \
             state must not report any more",
            shown(&request.computer.id),
            request.incarnation
        ),
    )
}

/// The products of which no seat was free for a start that is held.
fn refused_for_seats(replies: &[ItemReply]) -> BTreeSet<Arc<str>> {
    let refused = replies.iter().filter_map(|reply| match reply {
        ItemReply::Denied(denied) if denied.reason == Reason::NoSeat => Some(&denied.product),
        _ => None,
    });
    refused.cloned().collect()
}

/// What every answer tells.
struct Head<'a> {
    server: &'a str,
    life: Incarnation,
    before: Mark,
    acknowledged: u64,
    policy_key: &'a str,
}

/// `kept` says of products how many seats are only kept for a start to come.
fn answer<'a>(
    head: &Head<'_>,
    replies: impl Iterator<Item = (u64, &'a ItemReply)>,
    rejected: &[(usize, String)],
    kept: &BTreeMap<Arc<str>, u64>,
    policy: Option<&PolicyText>,
) -> Vec<u8> {
    let policy_bytes = policy.map_or(0, |policy| policy.json.len() + 160);
    let mut to = Writer::with_capacity(224 + 96 * replies.size_hint().0 + policy_bytes);
    to.raw("{\"server\":").string(head.server);
    to.raw(",\"incarnation\":").number(u64::from(head.life.0));
    to.raw(",\"before\":{\"incarnation\":")
        .number(head.before.incarnation);
    to.raw(",\"sequence\":")
        .number(head.before.sequence)
        .raw("}");
    to.raw(",\"acknowledged\":").number(head.acknowledged);
    to.raw(",\"results\":[");
    let mut rejected = rejected.iter().peekable();
    for (index, (sequence, reply)) in replies.enumerate() {
        if index > 0 {
            to.raw(",");
        }
        to.raw("{\"sequence\":").number(sequence).raw(",");
        match rejected.next_if(|(at, _)| *at == index) {
            Some((_, detail)) => {
                to.raw("\"outcome\":\"rejected\",\"detail\":")
                    .string(detail);
            }
            None => writer::outcome(&mut to, reply, kept),
        }
        to.raw("}");
    }
    to.raw("],\"policy_key\":").string(head.policy_key);
    if let Some(policy) = policy {
        to.raw(",\"policy\":").raw(&policy.json);
        to.raw(",\"policy_signature\":").string(&policy.signature);
    }
    to.raw("}");
    to.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::SyncOutcome;

    #[test]
    fn an_answer_says_what_the_type_says() {
        let replies = [ItemReply::Done, ItemReply::Done, ItemReply::UnknownSession];
        let rejected = [(1, "`seats` is \"0\"".to_owned())];
        let policy = PolicyText::of(7, r#"{"version":7,"products":[]}"#, "51");
        let before = Mark {
            incarnation: 5,
            sequence: 6,
        };
        let head = Head {
            server: "S1",
            life: Incarnation(3),
            before,
            acknowledged: 9,
            policy_key: "4b",
        };
        let items = (7..).zip(&replies);
        let text = answer(&head, items, &rejected, &BTreeMap::new(), Some(&policy));
        let read: SyncAnswer = serde_json::from_slice(&text).unwrap();
        assert_eq!((read.server.as_str(), read.acknowledged), ("S1", 9));
        let mark = usher_api::SyncMark {
            incarnation: 5,
            sequence: 6,
        };
        assert_eq!((read.incarnation, read.before), (Some(3), Some(mark)));
        let outcomes: Vec<_> = read
            .results
            .into_iter()
            .map(|result| (result.sequence, result.outcome))
            .collect();
        assert_eq!(
            outcomes,
            [
                (7, SyncOutcome::Done),
                (
                    8,
                    SyncOutcome::Rejected {
                        detail: rejected[0].1.clone()
                    }
                ),
                (9, SyncOutcome::UnknownSession),
            ]
        );
        assert_eq!(read.policy.unwrap().version, 7);
        assert_eq!(read.policy_signature.as_deref(), Some("51"));
        let none = answer(&head, std::iter::empty(), &[], &BTreeMap::new(), None);
        let read: SyncAnswer = serde_json::from_slice(&none).unwrap();
        assert!(read.results.is_empty() && read.policy.is_none());
        assert!(read.policy_signature.is_none());
        assert_eq!(read.policy_key.as_deref(), Some("4b"));
    }
}
