//! `POST /v1/checkouts`: asks for seats.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::StatusCode;
use usher_api::{
    AlsoWanted, CheckoutAnswer, CheckoutRequest, Code, KEPT_SEAT, Problem, SEATS_LIMIT,
};
use usher_core::ledger::{self, Checkout, Command, ComputerRef, Reply, With};
use usher_core::people::LocalAccounts;
use usher_http::{Whole, json};

use crate::access::auth::Principal;
use crate::access::keys::OnceKey;
use crate::access::rights::Right;
use crate::base::limits::TTL_LIMIT_SECONDS;
use crate::base::random::surrogate;
use crate::routes::{Hot, first_answer, kept};
use crate::state::app::App;
use crate::state::per_core::Core;
use crate::wire::input;
use crate::wire::people::AUTHORITY;
use crate::wire::people::{self, Said};
use crate::wire::problem::Refusal;
use crate::wire::records;
use crate::wire::writer::{self, Names};

const PRIORITY_LIMIT: i8 = 100;

/// Asks for seats of a product. A grant is on disk before the server answers. With `wait`, a
/// request gets a place in the queue if no seat is free.
///
/// A `client` asks for the user that its token is bound to, an `agent` for its computer; `operator`
/// and `admin` for anyone. `subject` is for agents, operators and admins, a `priority` other than 0
/// for operators and admins.
#[utoipa::path(
    post,
    path = "/v1/checkouts",
    tag = "seats",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the first answer again")),
    request_body = CheckoutRequest,
    responses(
        (status = 201, description = "Granted", body = CheckoutAnswer),
        (status = 202, description = "Queued", body = CheckoutAnswer),
        (status = 403, description = "`denied` with its reason, or `forbidden`", body = Problem),
        (status = 404, description = "`unknown_product`", body = Problem),
        (status = 409, description = "`idempotency_conflict`", body = Problem),
        (status = 503, description = "`busy`, `outcome_unknown`, `storage_failed`, `restore_hold`, `service_paused` or `stopping`", body = Problem),
    ),
)]
pub(crate) async fn create(
    core: &Core,
    who: &Principal,
    key: Option<&[u8]>,
    body: &[u8],
) -> Result<Whole, Refusal> {
    Hot::Checkout.must_be_allowed(who)?;
    let asked: CheckoutRequest<'_> = input::json(body)?;
    let checkout = check(who, &asked, core.app.local_accounts)?;
    if checkout.program.as_deref() == Some(KEPT_SEAT) {
        core.app.used.keeps_one();
    }
    let account = Arc::clone(&checkout.subject.name);
    let (product, computer) = (checkout.product.clone(), checkout.computer.key.clone());
    let once = OnceKey::of_value(key, who, "POST /v1/checkouts", body)?;
    let command = OnceKey::wrap(once, Command::Checkout(checkout));
    let answer = core.hopper.ask(command).await?;
    let (reply, replayed) = first_answer(answer.reply);
    let names = Names {
        product: &product,
        user: &account,
        computer: &computer,
    };
    match reply {
        Reply::Granted { lease, also } => Ok(json(
            StatusCode::CREATED,
            writer::granted(&lease, &also, names, core.app.proofs.of(lease.id)),
            replayed,
        )),
        Reply::Queued(view) => Ok(json(
            StatusCode::ACCEPTED,
            writer::queued(&view, &product),
            replayed,
        )),
        Reply::KeyConflict => Err(Refusal::key_conflict()),
        other => {
            let kept = kept_of(&core.app, &other, &product).await;
            Ok(refuse(other, &asked, &product, kept)?.replayed(replayed))
        }
    }
}

/// How many seats of a product are only kept for a start to come, of which another was refused.
async fn kept_of(app: &App, reply: &Reply, product: &str) -> u64 {
    let Reply::Denied {
        product: short,
        reason: ledger::Reason::NoSeat,
        ..
    } = reply
    else {
        return 0;
    };
    let product: Arc<str> = match short.is_empty() {
        true => product.into(),
        false => (&**short).into(),
    };
    let kept = kept::now(app, BTreeSet::from([product])).await;
    kept.into_values().sum()
}

/// Checks everything that the ledger takes for granted.
fn check(
    who: &Principal,
    asked: &CheckoutRequest<'_>,
    local: LocalAccounts,
) -> Result<Checkout, Refusal> {
    let product = &*input::name("product", &asked.product)?;
    let user = &*input::name("user", &asked.user)?;
    let computer = &*input::name("computer", &asked.computer)?;
    let seats = input::within("seats", asked.seats, 1, SEATS_LIMIT)?;
    let also = also(product, &asked.also)?;
    let within = |ttl| input::within("ttl_seconds", ttl, 1, TTL_LIMIT_SECONDS);
    let ttl_seconds = asked.ttl_seconds.map(within).transpose()?;
    if let Some(program) = &asked.program {
        for (field, text) in [
            ("program.name", &program.name),
            ("program.version", &program.version),
        ] {
            if let Some(text) = text {
                input::check_text(field, text).map_err(Refusal::invalid)?;
            }
        }
    }
    let is_kept = asked.program.as_ref().and_then(|it| it.name.as_deref()) == Some(KEPT_SEAT);
    if is_kept && !who.may(Right::ReportAgent) {
        return Err(Refusal::forbidden(format!(
            "only agents, operators and admins may keep a seat that is no use yet: leave \
             `program.name` {KEPT_SEAT:?} out"
        )));
    }
    if let Some(own) = who.own_computer()
        && own != computer
    {
        return Err(Refusal::forbidden(format!(
            "this token checks out for computer {own} only, not for {computer}: use that \
             computer's own token, or an operator's"
        )));
    }
    let may_rank = who.may(Right::Operate);
    if asked.priority != 0 && !may_rank {
        return Err(Refusal::forbidden(
            "only operators and admins may ask for a `priority` other than 0: leave it out",
        ));
    }
    if !(-PRIORITY_LIMIT..=PRIORITY_LIMIT).contains(&asked.priority) {
        return Err(Refusal::invalid(format!(
            "`priority` is {}: give -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}",
            asked.priority
        )));
    }
    let own = who.own_person();
    let (authority, id) = match &asked.subject {
        None => (own.map_or(AUTHORITY, |(realm, _)| realm), user),
        Some(_) if !who.may(Right::ReportAgent) => {
            return Err(Refusal::forbidden(
                "only agents, operators and admins may say `subject`: leave it out",
            ));
        }
        Some(key) => (&*key.authority, &*key.id),
    };
    let said = Said {
        authority,
        id,
        name: user,
    };
    let subject = people::person("subject", &said, local).map_err(Refusal::invalid)?;
    if let Some(own) = own
        && (&*subject.authority, &*subject.key) != own
    {
        return Err(Refusal::forbidden(format!(
            "this token checks out for user {} only, not for {user}: use that user's own token, \
             or an operator's",
            own.1
        )));
    }
    Ok(Checkout {
        product: product.into(),
        also,
        subject,
        computer: ComputerRef {
            key: computer.into(),
            candidate: surrogate(),
        },
        seats,
        ttl_seconds,
        wait: asked.wait,
        priority: asked.priority,
        program: asked
            .program
            .as_ref()
            .and_then(|program| program.name.as_deref())
            .map(Into::into),
    })
}

/// The further products of an ask, each named once.
fn also(product: &str, wanted: &[AlsoWanted<'_>]) -> Result<Vec<With>, Refusal> {
    let most = ledger::BUNDLE_LIMIT - 1;
    if wanted.len() > most {
        return Err(Refusal::invalid(format!(
            "`also` names {} products: give at most {most}",
            wanted.len()
        )));
    }
    let mut with: Vec<With> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let id = &*input::name("also.product", &wanted.product)?;
        if id == product || with.iter().any(|other| &*other.product == id) {
            return Err(Refusal::invalid(format!(
                "product {id} is named twice: name each once, with all of its seats"
            )));
        }
        with.push(With {
            product: id.into(),
            seats: input::within("also.seats", wanted.seats, 1, SEATS_LIMIT)?,
        });
    }
    Ok(with)
}

/// A refusal that may be a repeated one.
struct Refused(Refusal);

impl Refused {
    fn replayed(self, replayed: bool) -> Whole {
        let mut response = self.0.into_whole();
        if replayed {
            let value = hyper::header::HeaderValue::from_static("true");
            response.headers_mut().insert(usher_http::REPLAYED, value);
        }
        Whole::Other(Box::new(response))
    }
}

fn refuse(
    reply: Reply,
    asked: &CheckoutRequest<'_>,
    product: &str,
    kept: u64,
) -> Result<Refused, Refusal> {
    Ok(Refused(match reply {
        Reply::Denied {
            product: short,
            seats,
            decision,
            reason,
            scene,
        } => {
            // Answers that were kept by a build before 0.3 do not name it.
            let (product, seats) = match short.is_empty() {
                true => (product, asked.seats),
                false => (&*short, seats),
            };
            denied(product, seats, asked.wait, decision, reason, (scene, kept))
        }
        Reply::UnknownProduct => Refusal::unknown_product(product),
        Reply::UnknownOther(other) => Refusal::unknown_product(&other),
        Reply::TtlTooLong { max_ttl_seconds } => Refusal::invalid(format!(
            "`ttl_seconds` is {}: {} at most {max_ttl_seconds}",
            asked.ttl_seconds.unwrap_or_default(),
            match asked.also.is_empty() {
                true => format!("product {product} allows"),
                false => "what is asked for allows".to_owned(),
            }
        )),
        Reply::Held { for_seconds } => Refusal::new(
            Code::RestoreHold,
            format!(
                "the server was restored from a backup and grants nothing for another \
                 {}, until every lease of before has ended: try again then",
                usher_core::health::span(std::time::Duration::from_secs(for_seconds))
            ),
        )
        .after(for_seconds),
        Reply::Paused => Refusal::new(
            Code::ServicePaused,
            "the service is paused and grants nothing; nothing was done: try again later, \
             or let an operator say `usher service continue server`",
        ),
        _ => return Err(Refusal::unexpected()),
    }))
}

/// A refused checkout, in words; so many of the seats in use are only kept.
pub(crate) fn denied(
    product: &str,
    seats: u32,
    wait: bool,
    decision: ledger::DecisionId,
    reason: ledger::Reason,
    (scene, kept): (ledger::Scene, u64),
) -> Refusal {
    let next = match wait {
        true => "try again later",
        false => "wait for one with --wait (\"wait\": true)",
    };
    let why = records::denial(product, seats, next, reason, (scene, kept));
    Refusal::new(Code::Denied, why).with_decision(decision.to_string(), records::reason(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::ledger::{DecisionId, EventNumber, Incarnation, Reason, Scene};

    #[test]
    fn a_denied_checkout_says_why_and_what_to_do() {
        let decision = DecisionId {
            incarnation: Incarnation(0xab),
            number: EventNumber(7),
        };
        let scene = |seats, in_use, queued| Scene {
            seats,
            in_use,
            queued,
        };
        let cases = [
            (1, false, Reason::NoSeat, scene(2, 2, 0)),
            (2, true, Reason::NoSeat, scene(2, 1, 1)),
            (1, false, Reason::NoSeat, scene(2, 2, 4)),
            (5, true, Reason::NoSeat, scene(2, 0, 0)),
            (1, false, Reason::NoEntitlement, scene(0, 0, 0)),
            (1, false, Reason::EntitlementExpired, scene(0, 0, 0)),
            (1, false, Reason::NotYetValid, scene(0, 0, 0)),
            (1, false, Reason::ProductDisabled, scene(2, 0, 0)),
            (1, true, Reason::QueueFull, scene(2, 2, 10)),
        ];
        let mut text = String::new();
        for (seats, wait, reason, scene) in cases {
            let refusal = denied("cad", seats, wait, decision, reason, (scene, 0));
            let problem = refusal.problem();
            assert_eq!(problem.decision_id.as_deref(), Some("D000000ab-7"));
            text.push_str(&format!("{reason:?}: {}\n", problem.detail));
        }
        insta::assert_snapshot!(text);
    }
}
