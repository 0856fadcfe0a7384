//! One `usher run`, in the order in which things happen.

use std::borrow::Cow;
use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use nix::sys::signal::Signal;
use serde::Deserialize;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, CoverRequest, Lease, OnLostLease, OnUnreachable};

use super::child::{Child, News};
use super::door::{self, Door};
use super::seat::{Ask, NoSeat, Wait, acquire, give_back, keep};
use super::signals::{Caught, Signals};
use super::{find, recognise};
use crate::context::Context;
use crate::failure::{Failure, exit, is_absence, is_silence};
use crate::host;
use crate::listing::{eprintln_quiet, escaped};

/// The environment variable by which what runs on a seat finds it.
const LEASE_VARIABLE: &str = "USHER_LEASE";
/// The product of that seat.
const PRODUCT_VARIABLE: &str = "USHER_LEASE_PRODUCT";

/// What `usher run` was told.
#[derive(Debug)]
pub(crate) struct Order {
    /// The product, where it was named.
    pub(crate) product: Option<String>,
    /// The lease to join.
    pub(crate) lease: Option<String>,
    /// Whether the lease was named on the command line, and not by a `usher run` around this one.
    pub(crate) lease_named: bool,
    /// Whether, and how long, to wait.
    pub(crate) wait: Option<Wait>,
    /// Seats to take.
    pub(crate) seats: u32,
    /// How long the lease lives without renewal, where it is said.
    pub(crate) ttl_seconds: Option<u32>,
    /// Who is counted, where it is not who asks.
    pub(crate) user: Option<String>,
    /// Where, where it is not here.
    pub(crate) computer: Option<String>,
    /// The agent's socket, where it was named.
    pub(crate) agent_socket: Option<PathBuf>,
    /// The command and its arguments.
    pub(crate) words: Vec<OsString>,
}

/// Runs the command; returns its exit code.
pub(crate) async fn run(order: Order, context: &Context) -> Result<u8, Failure> {
    let name = order
        .words
        .first()
        .ok_or_else(|| Failure::usage("there is no command to run"))?;
    let file = find::find(name)?;
    let mut signals = Signals::take()?;
    if let Some(lease) = order.lease.clone().filter(|_| order.lease_named) {
        return join(&order, context, &file, &lease, None, &mut signals).await;
    }
    let door = door::find(order.agent_socket.as_deref(), context).await?;
    let recognised = match &order.product {
        Some(product) => Some(product.clone()),
        // Inside of a run, what is not recognised joins it.
        None => match recognise::product(&door, &file).await {
            Err(_) if order.lease.is_some() => None,
            recognised => recognised?,
        },
    };
    if let Some(lease) = order
        .lease
        .clone()
        .filter(|_| is_around(recognised.as_deref()))
    {
        return join(&order, context, &file, &lease, Some(&door), &mut signals).await;
    }
    let product = recognised.ok_or_else(|| unrecognised(&file))?;
    let ask = Ask {
        product,
        user: order.user.clone().unwrap_or_else(host::user),
        computer: order.computer.clone().unwrap_or_else(host::computer),
        seats: order.seats,
        ttl_seconds: order.ttl_seconds,
        priority: 0,
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
            let failure = Failure::from(none);
            return Err(match context.token() {
                Some(_) => failure,
                // Through the agent nobody needs one, but to look around does.
                None => failure.for_an_administrator(),
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
fn is_around(product: Option<&str>) -> bool {
    match (std::env::var(PRODUCT_VARIABLE), product) {
        (Ok(around), Some(product)) => around == product,
        _ => true,
    }
}

/// Runs the command on a lease that somebody else keeps and gives back.
async fn join(
    order: &Order,
    context: &Context,
    file: &Path,
    lease: &str,
    door: Option<&Door>,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    let around = std::env::var(PRODUCT_VARIABLE).ok();
    let mut product = order.product.clone().or(around);
    let agent = match door {
        Some(door) => door.agent.clone(),
        // It was named. The lease of the `usher run` around this one is not asked about: that one
        // may hold another by now.
        None => {
            let agent = door::agent(order.agent_socket.as_deref(), context).await?;
            if agent.is_none() {
                must_be_held(&context.client()?, lease).await?;
            }
            agent.map(|(agent, _)| agent)
        }
    };
    if let Some(agent) = &agent {
        if product.is_none() {
            // Only a renewal tells what a lease is of.
            let path = format!("/v1/leases/{}/renew", escaped(lease));
            product = context
                .client()?
                .post_empty::<Lease>(&path)
                .await
                .ok()
                .map(|held| held.product);
        }
        if let Some(product) = &product {
            match cover(agent, lease, product, false).await {
                Err(ClientError::Problem(problem))
                    if door.is_none() && problem.is(Code::UnknownLease) =>
                {
                    return Err(not_held(problem.detail));
                }
                covered => say_uncovered(covered),
            }
        }
    }
    let mut environment = vec![(LEASE_VARIABLE, lease)];
    environment.extend(
        product
            .as_deref()
            .map(|product| (PRODUCT_VARIABLE, product)),
    );
    let child = Child::start(file, &order.words, &environment, signals.mask_before())?;
    loop {
        if let Some(code) = attend(&child, signals.next().await) {
            return Ok(code);
        }
    }
}

/// Refuses to join a lease that the server says is none. Where it does not answer, the command is
/// not held up: who keeps the lease learns of it.
async fn must_be_held(client: &Client, lease: &str) -> Result<(), Failure> {
    let path = format!("/v1/leases/{}/renew", escaped(lease));
    match client.post_empty::<Lease>(&path).await {
        Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => Err(not_held(
            format!("lease {lease} has ended, never was, or is somebody else's"),
        )),
        _ => Ok(()),
    }
}

fn not_held(why: String) -> Failure {
    Failure::new(exit::REFUSED, why)
        .next("`usher leases` shows yours; without --lease a seat of its own is taken.")
}

/// Tells the agent that this process, and so all that it starts, is covered by the lease; whether
/// it `keeps` it, so that the agent gives it back where this process is killed.
async fn cover(agent: &Client, lease: &str, product: &str, keeps: bool) -> Result<(), ClientError> {
    let request = CoverRequest {
        lease: Cow::Borrowed(lease),
        product: Cow::Borrowed(product),
        pid: std::process::id(),
        keeps,
    };
    agent.tell("/v1/covers", &request).await
}

fn say_uncovered(covered: Result<(), ClientError>) {
    if let Err(error) = covered {
        eprintln_quiet(&format!(
            "usher: the agent does not know of this seat and may take a second one: {error}"
        ));
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
        say_uncovered(cover(agent, &lease.id, &lease.product, true).await);
    }
    let environment = [
        (LEASE_VARIABLE, lease.id.as_str()),
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
    let code = loop {
        tokio::select! {
            caught = signals.next() => {
                if let Some(code) = attend(&child, caught) {
                    break code;
                }
            }
            () = &mut keeping => {
                held = seat_again(door, &ask, &child).await;
                keeping = keeper(&door.seats, held.clone());
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

/// Deals with a signal; the exit code where the command has ended.
fn attend(child: &Child, caught: Caught) -> Option<u8> {
    match caught.signal {
        Signal::SIGCHLD => match child.news() {
            News::Ended(code) => return Some(code),
            // Whoever started this process sees a job that is stopped.
            News::Stopped => {
                let _ = nix::sys::signal::raise(Signal::SIGSTOP);
            }
            News::Running => {}
        },
        signal if !caught.from_terminal => child.signal(signal),
        _ => {}
    }
    None
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
                say_uncovered(cover(agent, &lease.id, &lease.product, true).await);
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

/// No server answers: the product's policy, as the agent knows it, says whether to run.
async fn without_server(
    order: &Order,
    door: &Door,
    ask: &Ask,
    file: &Path,
    error: ClientError,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    let known = match &door.agent {
        Some(agent) => policy(agent, &ask.product).await,
        None => None,
    };
    if known.is_none_or(|policy| policy.on_unreachable == OnUnreachable::Refuse) {
        return Err(error.into());
    }
    let why = match error.problem() {
        Some(problem) if !is_silence(&error) => {
            format!("no seat is granted now ({})", problem.detail)
        }
        _ => "no server answers".to_owned(),
    };
    eprintln_quiet(&format!(
        "usher: {why}; {} runs without a seat, as its policy allows",
        ask.product
    ));
    let child = Child::start(file, &order.words, &[], signals.mask_before())?;
    loop {
        if let Some(code) = attend(&child, signals.next().await) {
            return Ok(code);
        }
    }
}
