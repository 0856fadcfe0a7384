//! Joining a lease that another process keeps: one that the command line names, or that of the
//! `usher run` around this one.

use std::path::Path;

use usher_api::Code;
use usher_api::client::{Client, ClientError};
use usher_core::names::composed;

use super::child::Child;
use super::covers::{cover, say_uncovered};
use super::door::{self, Door};
use super::held::{Held, held};
use super::order::Order;
use super::passed::Passed;
use super::recognise;
use super::signals::Signals;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::{eprintln_quiet, segment};

/// The result of joining the lease of the `usher run` around this one.
pub(super) enum Joined {
    /// The command ran on it, and ended with that code.
    Ended(u8),
    /// It is no longer held for this command: the command was started by something that goes on,
    /// such as a batch system.
    NotHeld,
    /// It is of another product than the command, which takes a seat of its own.
    OfAnother,
}

/// Runs the command on a lease that the command line names, and that another process keeps and
/// gives back.
pub(super) async fn join_named(
    order: &Order,
    context: &Context,
    file: &Path,
    lease: &str,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    segment(lease)?;
    let proof = order.proof.as_deref();
    let found = door::agent(order.agent_socket.as_deref(), context).await?;
    let agent = found.map(|(agent, _)| agent);
    let of = match held(agent.as_ref(), &context.client()?, lease, proof).await {
        Held::Of(product) => Some(product),
        Held::Not(why) => return Err(not_held(why)),
        Held::NotKnown(why) => {
            say_not_known(agent.as_ref(), lease, &why);
            order.around.clone()
        }
    };
    if let (Some(named), Some(of)) = (&order.product, &of)
        && is_of_another(Some(named), Some(of))
    {
        return Err(of_another(lease, of, named));
    }
    let mut product = of.or_else(|| order.product.clone());
    if let Some(agent) = &agent {
        if product.is_none() {
            product = recognise::by_agent(agent, file).await.unwrap_or_default();
        }
        if let Some(product) = &product {
            match covered(agent, lease, product, proof).await {
                Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
                    return Err(not_held(problem.detail));
                }
                covered => say_uncovered(covered),
            }
        }
    }
    run_on(order, file, lease, product.as_deref(), signals).await
}

/// Runs the command on the lease of the `usher run` around this one. `product` is the command's, if
/// it is known.
pub(super) async fn join_around(
    order: &Order,
    door: &Door,
    context: &Context,
    file: &Path,
    lease: &str,
    product: Option<&str>,
    signals: &mut Signals,
) -> Result<Joined, Failure> {
    segment(lease)?;
    let proof = order.proof.as_deref();
    let agent = door.agent.as_ref();
    let mut of = order.around.clone();
    if is_of_another(product, of.as_deref()) {
        return Ok(Joined::OfAnother);
    }
    // By the product that is said beside it the agent looks whether it is held.
    if of.is_none() || agent.is_none() {
        match held(agent, &context.client()?, lease, proof).await {
            Held::Of(product) => of = Some(product),
            Held::Not(_) => return Ok(Joined::NotHeld),
            Held::NotKnown(why) if of.is_none() && product.is_none() => {
                return Err(neither_known(lease, &why));
            }
            Held::NotKnown(why) => say_not_known(agent, lease, &why),
        }
    }
    if is_of_another(product, of.as_deref()) {
        return Ok(Joined::OfAnother);
    }
    let product = of.as_deref().or(product);
    if let (Some(agent), Some(product)) = (agent, product) {
        match covered(agent, lease, product, proof).await {
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
                return Ok(Joined::NotHeld);
            }
            covered => say_uncovered(covered),
        }
    }
    let code = run_on(order, file, lease, product, signals).await?;
    Ok(Joined::Ended(code))
}

/// Whether two products that are known are not the same.
fn is_of_another(product: Option<&str>, of: Option<&str>) -> bool {
    matches!((product, of), (Some(product), Some(of)) if composed(product) != composed(of))
}

/// Tells the agent that this process runs on the lease.
async fn covered(
    agent: &Client,
    lease: &str,
    product: &str,
    proof: Option<&str>,
) -> Result<(), ClientError> {
    cover(agent, lease, product, proof, false, std::process::id()).await
}

async fn run_on(
    order: &Order,
    file: &Path,
    lease: &str,
    product: Option<&str>,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    let passed = Passed::Seat {
        lease,
        proof: order.proof.as_deref(),
        product,
    };
    let environment = passed.variables();
    let child = Child::start(file, &order.words, &environment, signals.mask_before())?;
    loop {
        if let Some(code) = child.attend(signals.next().await) {
            return Ok(code);
        }
    }
}

/// Warns that the lease could not be checked. The command runs all the same: the process that keeps
/// the lease learns of its end. An agent gives this warning itself.
fn say_not_known(agent: Option<&Client>, lease: &str, why: &str) {
    if agent.is_none() {
        eprintln_quiet(&format!(
            "usher: cannot check now whether lease {lease} is held ({why}): the command runs as if \
             it were"
        ));
    }
}

fn neither_known(lease: &str, why: &str) -> Failure {
    Failure::new(
        exit::NO_SERVER,
        format!(
            "USHER_LEASE holds {lease}, and neither whether that is a lease nor of which product \
             can be asked now: {why}"
        ),
    )
    .next(
        "Name the product, by --product or USHER_LEASE_PRODUCT, or take USHER_LEASE out of the \
         environment.",
    )
}

fn of_another(lease: &str, of: &str, named: &str) -> Failure {
    Failure::usage(format!("lease {lease} is of {of}, and not of {named}")).next(format!(
        "Leave --product out to join it; leave --lease out for a seat of {named}."
    ))
}

fn not_held(why: String) -> Failure {
    Failure::new(exit::REFUSED, why).next(
        "`usher leases` shows yours; another's is joined with its proof, USHER_LEASE_PROOF in the \
         environment of what runs on it. Without --lease a seat of its own is taken.",
    )
}
