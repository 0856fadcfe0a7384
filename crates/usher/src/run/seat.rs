//! Seats: asking for one, waiting in the queue, keeping it, giving it back.
//!
//! Promises: a request is repeated only under its idempotency key; whoever stops waiting leaves the
//! queue, and a seat that comes while they leave is given back; every retry is bounded, but for
//! those of a renewal, which go on as long as the command runs, and those of who waits, which go on
//! as long as they wait.

use std::future::Future;
use std::mem::{Discriminant, discriminant};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use usher_api::client::{Client, ClientError};
use usher_api::{CheckoutAnswer, Code, Lease, Ticket, TicketAnswer, TicketState};
use usher_platform::signals::Signal;

use super::ask::{Ask, Away, Wait};
use super::no_seat::{NoSeat, WaitedFor, is_away};
use super::progress::Progress;
use crate::failure::{is_absence, may_wait};
use crate::host;
use crate::listing::{eprintln_quiet, escaped};

/// How long one poll of a ticket may take: a seat that comes ends it at once, and the place that is
/// shown is at most so old.
const POLL: Duration = Duration::from_secs(5);
/// The least time between two polls: a server that is stopping answers each at once.
const POLL_APART: Duration = Duration::from_millis(200);
/// How long a waiter who does not wait for the server puts up with one that does not answer: as long
/// as its place is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the first answer may take: a server that is there gives one within 15 seconds, and be it
/// that it does not know the outcome. One that hangs is as one that is away.
const FIRST_ANSWER: Duration = Duration::from_secs(20);
/// And how long at least, for who waits no longer than a moment.
const AT_LEAST: Duration = Duration::from_secs(2);
/// How often a server is asked again that grants nothing for a while, or does not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long giving back may take: who waits for the end of `usher run` does not wait for more.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Asks for a seat, and waits for it where that is wanted, until `stop` says to end.
pub(crate) async fn acquire(
    client: &Client,
    ask: &Ask,
    stop: impl Future<Output = Signal>,
) -> Result<Lease, NoSeat> {
    let mut stop = std::pin::pin!(stop);
    let begun = Instant::now();
    let deadline = match ask.wait {
        Some(Wait::For(how_long)) => begun.checked_add(how_long),
        Some(Wait::Forever) | None => None,
    };
    let mut progress = Progress::new();
    let mut said = Said::default();
    loop {
        let ticket = match first_answer(client, ask, deadline, stop.as_mut()).await {
            Ok(CheckoutAnswer::Granted { lease, .. }) => {
                said.is_answered();
                return Ok(lease);
            }
            Ok(CheckoutAnswer::Queued { ticket, .. }) => ticket,
            // Who waits waits for what holds them up, too.
            Err(NoSeat::Answer(error)) => {
                let Some(held_up) = WaitedFor::held_up(&error, ask) else {
                    return Err(match ask.wait {
                        // --wait=0: nobody queues.
                        Some(_) if may_wait(&error) => NoSeat::Waited {
                            how_long: Duration::ZERO,
                            last: WaitedFor::Seat,
                        },
                        _ => NoSeat::Answer(error),
                    });
                };
                said.waits(&held_up, &error);
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                tokio::select! {
                    () = sleep(left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN))) => {}
                    signal = &mut stop => return Err(NoSeat::Stopped(signal)),
                }
                if left.is_some_and(|left| left <= LOOK_AGAIN) {
                    return Err(NoSeat::Waited {
                        how_long: begun.elapsed(),
                        last: held_up,
                    });
                }
                continue;
            }
            Err(none) => return Err(none),
        };
        said.is_answered();
        progress.show(
            &ticket.product,
            Some(ticket.position),
            ticket.expected_wait_seconds,
        );
        let end = in_line(client, ask, &ticket, deadline, &mut progress, stop.as_mut()).await;
        progress.clear();
        match end {
            Ok(Some(lease)) => return Ok(lease),
            Ok(None) => eprintln_quiet("usher: the place in the queue was lost; queueing again"),
            Err(none) => {
                leave(client, &ticket.id).await;
                return Err(match none {
                    NoSeat::Waited { last, .. } => NoSeat::Waited {
                        how_long: begun.elapsed(),
                        last,
                    },
                    other => other,
                });
            }
        }
    }
}

/// What was said to who waits of what holds them up: once each.
#[derive(Debug, Default)]
struct Said(Option<Discriminant<WaitedFor>>);

impl Said {
    fn waits(&mut self, held_up: &WaitedFor, error: &ClientError) {
        let kind = discriminant(held_up);
        if self.0.replace(kind) != Some(kind) {
            eprintln_quiet(&format!("usher: waiting: {error}"));
        }
    }

    fn is_answered(&mut self) {
        let away = discriminant(&WaitedFor::Server(String::new()));
        if self.0.take() == Some(away) {
            eprintln_quiet("usher: the server answers again");
        }
    }
}

/// The answer to the request itself. One that comes after `stop` is undone.
async fn first_answer(
    client: &Client,
    ask: &Ask,
    deadline: Option<Instant>,
    mut stop: Pin<&mut impl Future<Output = Signal>>,
) -> Result<CheckoutAnswer, NoSeat> {
    let mut post = std::pin::pin!(post(client, ask));
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let patience = left.map_or(FIRST_ANSWER, |left| left.clamp(AT_LEAST, FIRST_ANSWER));
    let signal = tokio::select! {
        answer = &mut post => return answer.map_err(NoSeat::Answer),
        signal = &mut stop => signal,
        () = sleep(patience) => return Err(match left {
            Some(left) if left < FIRST_ANSWER => NoSeat::Waited {
                how_long: left,
                last: WaitedFor::Server("no answer in time".to_owned()),
            },
            _ => NoSeat::Answer(ClientError::Unreachable {
                endpoint: client.endpoint().to_string(),
                why: "no answer in time".to_owned(),
            }),
        }),
    };
    match timeout(GIVE_BACK, post).await {
        Ok(Ok(CheckoutAnswer::Granted { lease, .. })) => give_back(client, &lease.id).await,
        Ok(Ok(CheckoutAnswer::Queued { ticket, .. })) => leave(client, &ticket.id).await,
        Ok(Err(_)) | Err(_) => {}
    }
    Err(NoSeat::Stopped(signal))
}

/// Posts the request, repeating it under its key where its outcome is not known.
async fn post(client: &Client, ask: &Ask) -> Result<CheckoutAnswer, ClientError> {
    let key = host::request_key();
    let request = ask.request(ask.waits());
    let mut tries = 0;
    loop {
        let answer = client.post_keyed(ask.path(), &key, &request).await;
        tries += 1;
        let pause = match &answer {
            Err(ClientError::Unreachable { .. }) if tries < 3 => Duration::from_millis(100),
            Err(error) if is_passing(error) && tries < 6 => Duration::from_millis(200 * tries),
            _ => return answer,
        };
        sleep(pause).await;
    }
}

/// Whether the same request may be answered otherwise in a moment.
fn is_passing(error: &ClientError) -> bool {
    error
        .problem()
        .is_some_and(|p| p.is(Code::Busy) || p.is(Code::OutcomeUnknown))
}

/// Waits in the queue: the lease, or nothing if the place was lost.
async fn in_line(
    client: &Client,
    ask: &Ask,
    ticket: &Ticket,
    deadline: Option<Instant>,
    progress: &mut Progress,
    mut stop: Pin<&mut impl Future<Output = Signal>>,
) -> Result<Option<Lease>, NoSeat> {
    let mut last_answer = Instant::now();
    let mut said = Said::default();
    let mut last = WaitedFor::Seat;
    let waited = |last: &WaitedFor| NoSeat::Waited {
        how_long: Duration::ZERO,
        last: last.clone(),
    };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(waited(&last));
        }
        let poll = left.map_or(POLL, |left| left.min(POLL));
        let path = format!(
            "/v1/tickets/{}?wait_seconds={}",
            escaped(&ticket.id),
            poll.as_secs().max(1)
        );
        let last_asked = Instant::now();
        let answer = tokio::select! {
            answer = client.get_waiting::<TicketAnswer>(&path, poll) => answer,
            signal = &mut stop => return Err(NoSeat::Stopped(signal)),
            () = sleep(left.unwrap_or(Duration::MAX)) => return Err(waited(&last)),
        };
        match answer {
            Ok(answer) => {
                let took = last_asked.elapsed();
                last_answer = Instant::now();
                last = WaitedFor::Seat;
                said.is_answered();
                match (answer.state, answer.lease) {
                    (TicketState::Granted, Some(lease)) => return Ok(Some(lease)),
                    (TicketState::Waiting, _) => {
                        progress.show(
                            &answer.product,
                            answer.position,
                            answer.expected_wait_seconds,
                        );
                        let pause = POLL_APART.saturating_sub(took);
                        tokio::select! {
                            () = sleep(pause) => {}
                            signal = &mut stop => return Err(NoSeat::Stopped(signal)),
                        }
                    }
                    (TicketState::Denied, _) => {
                        return Err(NoSeat::Denied {
                            product: answer
                                .also
                                .iter()
                                .fold(answer.product, |all, other| all + " or " + &other.product),
                            decision: answer.decision_id,
                        });
                    }
                    (TicketState::Granted | TicketState::Expired | TicketState::Cancelled, _) => {
                        return Ok(None);
                    }
                }
            }
            Err(error) if error.problem().is_some_and(|p| p.is(Code::UnknownTicket)) => {
                return Ok(None);
            }
            Err(error) if goes_on(&error, ask, last_answer.elapsed()) => {
                // A restart is over before anybody need hear of it.
                if last_answer.elapsed() > AT_LEAST {
                    progress.clear();
                    last = WaitedFor::Server(error.to_string());
                    said.waits(&last, &error);
                }
                tokio::select! {
                    () = sleep(Duration::from_millis(500)) => {}
                    signal = &mut stop => return Err(NoSeat::Stopped(signal)),
                }
            }
            Err(error) => return Err(NoSeat::Answer(error)),
        }
    }
}

/// Whether somebody in the queue goes on waiting for a server that has been silent for so long.
fn goes_on(error: &ClientError, ask: &Ask, silent: Duration) -> bool {
    match ask.away {
        Away::Wait => is_away(error),
        Away::End => is_absence(error) && silent < PATIENCE,
    }
}

/// Leaves the queue. A seat that was granted meanwhile is given back.
async fn leave(client: &Client, ticket: &str) {
    let path = format!("/v1/tickets/{}", escaped(ticket));
    let left = timeout(GIVE_BACK, async {
        client.delete(&path).await?;
        client.get::<TicketAnswer>(&path).await
    });
    if let Ok(Ok(TicketAnswer {
        lease: Some(lease), ..
    })) = left.await
    {
        give_back(client, &lease.id).await;
    }
}

/// Gives a lease back: a few quick tries. Where none succeeds, it ends with its ttl.
pub(crate) async fn give_back(client: &Client, lease: &str) {
    let path = format!("/v1/leases/{}", escaped(lease));
    let tries = async {
        while let Err(error) = client.delete(&path).await {
            if !is_absence(&error) {
                return Err(error);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    };
    match timeout(GIVE_BACK, tries).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            eprintln_quiet(&format!("usher: the seat could not be given back: {error}"))
        }
        Err(_) => eprintln_quiet(
            "usher: the seat could not be given back, as no server answers; it comes free with its ttl",
        ),
    }
}

/// Keeps a lease alive. Returns only where the server says that it has ended.
pub(crate) async fn keep(client: &Client, lease: &Lease) {
    let path = format!("/v1/leases/{}/renew", escaped(&lease.id));
    let mut ttl = Duration::from_secs(lease.ttl_seconds.max(1).into());
    let mut complained = false;
    loop {
        sleep(ttl / 3).await;
        loop {
            let error = match client.post_empty::<Lease>(&path).await {
                Ok(lease) => {
                    ttl = Duration::from_secs(lease.ttl_seconds.max(1).into());
                    complained = false;
                    break;
                }
                Err(error) => error,
            };
            if error.problem().is_some_and(|p| p.is(Code::UnknownLease)) {
                return;
            }
            if !complained {
                eprintln_quiet(&format!(
                    "usher: the seat could not be renewed, trying on: {error}"
                ));
                complained = true;
            }
            sleep((ttl / 10).clamp(Duration::from_millis(200), Duration::from_secs(5))).await;
        }
    }
}
