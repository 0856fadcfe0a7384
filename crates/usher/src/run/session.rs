//! One `usher run`, in the order in which things happen.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use nix::sys::signal::Signal;
use serde::Deserialize;
use usher_api::client::{Client, ClientError};
use usher_api::{Lease, OnLostLease, OnUnreachable};

use super::ask::{Ask, Away};
use super::child::Child;
use super::door::{self, Door};
use super::join::{
    Joined, LEASE_VARIABLE, PRODUCT_VARIABLE, PROOF_VARIABLE, covers, join, say_uncovered,
    stays_with,
};
use super::no_seat::NoSeat;
use super::order::Order;
use super::seat::{acquire, give_back, keep};
use super::signals::Signals;
use super::{find, recognise};
use crate::context::Context;
use crate::failure::answered::is_silence;
use crate::failure::{Failure, is_absence, is_of_tls, may_wait};
use crate::host;
use crate::listing::{eprintln_quiet, escaped};

/// Runs the command; returns its exit code.
pub(crate) async fn run(order: Order, context: &Context) -> Result<u8, Failure> {
    let name = order
        .words
        .first()
        .ok_or_else(|| Failure::usage("there is no command to run"))?;
    let file = find::find(name)?;
    let mut signals = Signals::take()?;
    if let Some(lease) = order.lease.clone().filter(|_| order.lease_named) {
        return match join(&order, context, &file, &lease, None, &mut signals).await? {
            Joined::Ended(code) => Ok(code),
            // It is said why before it comes to this.
            Joined::NotHeld => Err(Failure::failed(format!("lease {lease} cannot be joined"))),
        };
    }
    let door = door::find(
        order.agent_socket.as_deref(),
        context,
        order.user.is_some() || order.computer.is_some() || order.priority != 0,
    )
    .await?;
    let recognised = match &order.product {
        Some(product) => Some(product.clone()),
        // Inside of a run, what is not recognised joins it.
        None => match recognise::product(&door, &file).await {
            Err(_) if order.lease.is_some() => None,
            recognised => recognised?,
        },
    };
    let mut product = recognised;
    if let Some(lease) = order
        .lease
        .clone()
        .filter(|_| !order.own_seat && is_around(&order, product.as_deref()))
    {
        match join(&order, context, &file, &lease, Some(&door), &mut signals).await? {
            Joined::Ended(code) => return Ok(code),
            Joined::NotHeld => product = product.or_else(|| order.around.clone()),
        }
        eprintln_quiet(&format!(
            "usher: the seat of the `usher run` around this one, {lease}, is over or not this \
             account's: a seat of its own is asked for"
        ));
    }
    let product = product.ok_or_else(|| unrecognised(&file))?;
    // Where the product's policy lets the command run without a server, nobody waits for one.
    let away = match order.wait.is_some() && !runs_without_server(&door, &product).await {
        true => Away::Wait,
        false => Away::End,
    };
    let ask = Ask {
        away,
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
    };
    let lease = match acquire(&door.seats, &ask, signals.ending()).await {
        Ok(lease) => lease,
        Err(NoSeat::Answer(error)) if is_absence(&error) => {
            return without_server(&order, &door, &ask, &file, error, &mut signals).await;
        }
        Err(none) => {
            let may_wait = matches!(&none, NoSeat::Answer(error) if may_wait(error));
            let failure = Failure::from(none);
            let failure = match context.token() {
                // By the agent whoever was refused is told why, too.
                _ if door.through_agent => failure,
                Some(_) => failure,
                None => failure.for_an_administrator(),
            };
            return Err(match may_wait {
                true => failure.first(&format!("To wait for a seat: {}", order.to_wait())),
                false => failure,
            });
        }
    };
    on_seat(&order, &door, ask, lease, &file, &mut signals).await
}

fn unrecognised(file: &Path) -> Failure {
    Failure::usage(format!("no product's rules match {}", file.display())).next(
        "Name it with --product ID; `usher product list` shows the products, `usher product learn` helps to add one.",
    )
}

/// Whether the lease of the `usher run` around this one is of the same product.
fn is_around(order: &Order, product: Option<&str>) -> bool {
    match (&order.around, product) {
        (Some(around), Some(product)) => around == product,
        _ => true,
    }
}

/// Runs the command on its own seat.
async fn on_seat(
    order: &Order,
    door: &Door,
    ask: Ask,
    lease: Lease,
    file: &Path,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    if let Some(agent) = &door.agent {
        say_uncovered(covers(agent, &lease).await);
    }
    let environment = [
        (LEASE_VARIABLE, lease.id.as_str()),
        (PROOF_VARIABLE, lease.proof.as_deref().unwrap_or_default()),
        (PRODUCT_VARIABLE, lease.product.as_str()),
    ];
    let child = match Child::start(file, &order.words, &environment, signals.mask_before()) {
        Ok(child) => child,
        Err(failure) => {
            give_back(&door.seats, &lease.id).await;
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
                held = seat_again(door, &ask, &child).await;
                keeping = keeper(&door.seats, held.clone());
                staying = stayer(door, held.clone(), &child);
            }
        }
    };
    if let Some(lease) = held {
        give_back(&door.seats, &lease.id).await;
    }
    Ok(code)
}

/// Keeps a lease; without one, there is nothing to do for ever.
fn keeper(client: &Client, lease: Option<Lease>) -> Pin<Box<dyn Future<Output = ()>>> {
    let client = client.clone();
    Box::pin(async move {
        match lease {
            Some(lease) => keep(&client, &lease).await,
            None => std::future::pending().await,
        }
    })
}

/// Has the lease stay with the command, whatever becomes of this process, where there is an agent.
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
        Ok(lease) => {
            if let Some(agent) = &door.agent {
                say_uncovered(covers(agent, &lease).await);
            }
            Some(lease)
        }
        Err(_) => {
            let policy = policy(&door.seats, &ask.product).await.unwrap_or_default();
            if policy.on_lost_lease == OnLostLease::End {
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

/// What a product says for bad days.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BadDays {
    on_unreachable: OnUnreachable,
    on_lost_lease: OnLostLease,
}

async fn policy(client: &Client, product: &str) -> Option<BadDays> {
    client
        .get(&format!("/v1/products/{}", escaped(product)))
        .await
        .ok()
}

/// Whether a product's policy, as the agent knows it, lets programs run without a server.
async fn runs_without_server(door: &Door, product: &str) -> bool {
    let known = match &door.agent {
        Some(agent) => policy(agent, product).await,
        None => None,
    };
    known.is_some_and(|policy| policy.on_unreachable != OnUnreachable::Refuse)
}

/// No server answers: the product's policy, as the agent knows it, says whether to run.
async fn without_server(
    order: &Order,
    door: &Door,
    ask: &Ask,
    file: &Path,
    error: ClientError,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    if !runs_without_server(door, &ask.product).await {
        return Err(error.into());
    }
    let why = match error.problem() {
        Some(problem) if !is_silence(&error) => {
            format!("no seat is granted now ({})", problem.detail)
        }
        _ => match &error {
            ClientError::Unreachable { why, .. } if is_of_tls(why) => {
                format!("no word with the server: {why}")
            }
            _ => "no server answers".to_owned(),
        },
    };
    eprintln_quiet(&format!(
        "usher: {why}; {} runs without a seat, as its policy allows",
        ask.product
    ));
    let child = Child::start(file, &order.words, &[], signals.mask_before())?;
    loop {
        if let Some(code) = child.attend(signals.next().await) {
            return Ok(code);
        }
    }
}
