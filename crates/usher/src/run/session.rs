//! One `usher run`, from its start to its end.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use nix::sys::signal::Signal;
use tokio::time::Instant;
use usher_api::client::Client;
use usher_api::{Lease, OnLostLease};

use super::ask::{Ask, Away};
use super::bounds::patience;
use super::child::Child;
use super::covers::{covers, say_uncovered, stays_with};
use super::door::Door;
use super::join::{Joined, join_around, join_named};
use super::keep::{Later, give_back, keep};
use super::no_seat::{NoSeat, WaitedFor};
use super::order::Order;
use super::passed::Passed;
use super::seat::acquire;
use super::signals::Signals;
use super::unseated::{self, when_away, when_lost};
use super::{absent, find, recognise};
use crate::context::Context;
use crate::failure::{Failure, is_absence, may_wait};
use crate::host;
use crate::listing::eprintln_quiet;
use crate::output::tame;

/// Runs the command; returns its exit code.
pub(crate) async fn run(order: Order, context: &Context) -> Result<u8, Failure> {
    let name = order
        .words
        .first()
        .ok_or_else(|| Failure::usage("there is no command to run"))?;
    context.is_to_start(tame(&name.to_string_lossy()));
    let file = find::find(name)?;
    let begun = Instant::now();
    let mut signals = Signals::take()?;
    if let Some(lease) = order.lease.clone().filter(|_| order.lease_named) {
        return join_named(&order, context, &file, &lease, &mut signals).await;
    }
    let door = absent::door(&order, context, begun, &mut signals).await?;
    let left = order.wait.and_then(|wait| wait.left(begun));
    let mut product = match &order.product {
        Some(product) => Some(product.clone()),
        // Inside of a run, what is not recognised runs like it.
        None => match recognise::product(&door, &file, patience(left)).await {
            Err(_) if order.lease.is_some() || order.without_seat.is_some() => None,
            recognised => recognised?,
        },
    };
    if let Some(lease) = order.lease.clone().filter(|_| !order.own_seat) {
        let own = product.as_deref();
        let joined = join_around(&order, &door, context, &file, &lease, own, &mut signals).await?;
        match joined {
            Joined::Ended(code) => return Ok(code),
            Joined::OfAnother => {}
            Joined::NotHeld => {
                product = product.or_else(|| order.around.clone());
                eprintln_quiet(&format!(
                    "usher: the seat {lease} of the `usher run` around this one has ended or is \
                     another account's: asking for a seat of its own"
                ));
            }
        }
    }
    let product = product.or_else(|| order.without_seat.clone());
    let product = product.ok_or_else(|| unrecognised(&file))?;
    let mut ask = Ask {
        away: Away::Wait,
        one_use: door.through_agent && !order.own_seat && order.seats == 1 && order.also.is_empty(),
        also: order.also.clone(),
        product,
        user: order.user.clone().unwrap_or_else(host::user),
        computer: order.computer.clone().unwrap_or_else(host::computer),
        seats: order.seats,
        ttl_seconds: order.ttl_seconds,
        priority: order.priority,
        program: file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        wait: order.wait,
        begun,
    };
    // Whoever waits through an agent may outlive it: what it knows is asked before.
    if order.wait.is_some() {
        ask.away = when_away(&door, ask.products()).await;
    }
    let none = match acquire(&door.seats, &ask, signals.ending()).await {
        Ok(lease) => return on_seat(&order, &door, &ask, lease, &file, &mut signals).await,
        Err(none) => none,
    };
    if let Some(why) = unseated::why(&none) {
        if order.wait.is_none() {
            ask.away = when_away(&door, ask.products()).await;
        }
        if ask.away == Away::Run {
            return unseated::run(&order, &file, &ask, &why, &mut signals).await;
        }
    }
    Err(refused(none, &order, &door, context))
}

/// Why the command does not run, and what the user may do.
fn refused(none: NoSeat, order: &Order, door: &Door, context: &Context) -> Failure {
    // Without an agent and a token nobody answers who it is that asks.
    let may_ask = door.through_agent || context.token().is_some();
    if let NoSeat::Answer(error) = &none
        && is_absence(error)
    {
        let waits_for = WaitedFor::of(error).filter(|_| order.wait.is_none() && may_ask);
        let failure = Failure::from(none);
        return match waits_for {
            Some(WaitedFor::Server(_)) => {
                failure.first(&format!("To wait for the server: {}", order.to_wait()))
            }
            Some(_) => failure.first(&format!("To wait for a seat: {}", order.to_wait())),
            None => failure,
        };
    }
    let may_wait = matches!(&none, NoSeat::Answer(error) if may_wait(error));
    let failure = match may_ask {
        // By the agent whoever was refused is told why, too.
        true => Failure::from(none),
        false => Failure::from(none).for_an_administrator(),
    };
    match may_wait {
        true => failure.first(&format!("To wait for a seat: {}", order.to_wait())),
        false => failure,
    }
}

fn unrecognised(file: &Path) -> Failure {
    Failure::usage(format!("no product's rules match {}", file.display())).next(
        "Name it with --product ID; `usher product list` shows the products. An administrator adds one \
         with `usher product learn`.",
    )
}

/// Runs the command on its own seat.
async fn on_seat(
    order: &Order,
    door: &Door,
    ask: &Ask,
    lease: Lease,
    file: &Path,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    let mut later = cover_of(door, &lease).await;
    let passed = Passed::Seat {
        lease: &lease.id,
        proof: lease.proof.as_deref(),
        product: Some(&lease.product),
    };
    let environment = passed.variables();
    let child = match Child::start(file, &order.words, &environment, signals.mask_before()) {
        Ok(child) => child,
        Err(failure) => {
            give_back(&door.seats, &lease, later).await;
            return Err(failure);
        }
    };
    let mut held = Some(lease);
    let mut keeping = keeper(&door.seats, held.clone());
    let mut staying = stayer(door, held.clone(), &child);
    let code = loop {
        tokio::select! {
            () = &mut staying => staying = Box::pin(std::future::pending()),
            caught = signals.next() => {
                if let Some(code) = child.attend(caught) {
                    break code;
                }
            }
            () = &mut keeping => {
                held = None;
                if let Some(lease) = seat_again(door, ask, &child).await {
                    later = cover_of(door, &lease).await;
                    held = Some(lease);
                }
                keeping = keeper(&door.seats, held.clone());
                staying = stayer(door, held.clone(), &child);
            }
        }
    };
    if let Some(lease) = held {
        give_back(&door.seats, &lease, later).await;
    }
    Ok(code)
}

/// Tells the agent, if there is one, that the lease covers this process and all that it starts.
/// Returns who gives the lease back if no server answers in the end: an agent does so for leases
/// that were granted through it.
async fn cover_of(door: &Door, lease: &Lease) -> Later {
    let Some(agent) = &door.agent else {
        return Later::WithItsTtl;
    };
    let covered = covers(agent, lease).await;
    let later = match covered.is_ok() && door.through_agent {
        true => Later::ByAgent,
        false => Later::WithItsTtl,
    };
    say_uncovered(covered);
    later
}

/// Keeps a lease; without one this never returns.
fn keeper(client: &Client, lease: Option<Lease>) -> Pin<Box<dyn Future<Output = ()>>> {
    // What it has to say stands in the command's own output.
    let client = client.silent();
    Box::pin(async move {
        match lease {
            Some(lease) => keep(&client, &lease).await,
            None => std::future::pending().await,
        }
    })
}

/// Has the agent, if there is one, keep the lease for the command even if this process is killed.
fn stayer(door: &Door, lease: Option<Lease>, child: &Child) -> Pin<Box<dyn Future<Output = ()>>> {
    let (agent, command) = (door.agent.clone(), child.pid());
    Box::pin(async move {
        if let (Some(agent), Some(lease)) = (agent, lease) {
            stays_with(&agent, &lease, command).await;
        }
    })
}

/// The lease has ended while the command runs, as after a long sleep: asks for another.
async fn seat_again(door: &Door, ask: &Ask, child: &Child) -> Option<Lease> {
    let ask = Ask {
        wait: None,
        ..ask.clone()
    };
    match acquire(&door.seats, &ask, std::future::pending()).await {
        Ok(lease) => Some(lease),
        Err(_) => {
            if when_lost(&door.seats, ask.products()).await == OnLostLease::End {
                eprintln_quiet(
                    "usher: the seat is lost and no other is free; the command is told to end",
                );
                child.signal(Signal::SIGTERM);
            } else {
                eprintln_quiet(
                    "usher: the seat is lost and no other is free; the command runs on without one",
                );
            }
            None
        }
    }
}
