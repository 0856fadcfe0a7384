//! Asking for a seat, and waiting for it.
//!
//! Promises: a request is repeated only under its idempotency key; whoever stops waiting leaves the
//! queue, and a seat that comes while they leave is given back; every retry is bounded, but for
//! those of who waits, which go on as long as they wait. Whoever waits ends without a seat no earlier
//! than their time is over, and no later than that or the least that an answer is given ([`patience`]).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use usher_api::client::{Client, ClientError};
use usher_api::{CheckoutAnswer, Code, Lease};
use usher_platform::signals::Signal;

use super::ask::Ask;
use super::bounds::{GIVE_BACK, patience};
use super::keep::{Later, give_back};
use super::no_seat::{NoSeat, WaitedFor, no_answer};
use super::queue::{self, leave};
use super::told::Told;
use crate::failure::may_wait;
use crate::host;

/// How often a server is asked again that grants nothing for a while, or does not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Asks for a seat, and waits for it if that is wanted, until `stop` says to end.
pub(crate) async fn acquire(
    client: &Client,
    ask: &Ask,
    stop: impl Future<Output = Signal>,
) -> Result<Lease, NoSeat> {
    let mut stop = std::pin::pin!(stop);
    let mut told = Told::nothing(ask);
    // What became of a request without an answer is not known. It is the same one that is asked again,
    // so that it takes no second seat.
    let mut key = host::request_key();
    loop {
        let answered = first_answer(client, ask, &key, stop.as_mut()).await;
        let error = match answered {
            Ok(CheckoutAnswer::Granted { lease, .. }) => {
                told.goes_on();
                return Ok(lease);
            }
            Ok(CheckoutAnswer::Queued { ticket, .. }) => {
                told.goes_on();
                match queue::wait(client, ask, &ticket, &mut told, stop.as_mut()).await? {
                    Some(lease) => return Ok(lease),
                    None => key = host::request_key(),
                }
                continue;
            }
            Err(NoSeat::Answer(error)) => error,
            Err(none) => return Err(none),
        };
        // Who waits waits for what holds them up, too.
        let Some(held_up) = WaitedFor::held_up(&error, ask) else {
            return Err(match ask.wait {
                // --wait=0: nobody queues.
                Some(_) if may_wait(&error) => NoSeat::NoneFree {
                    decision: error.problem().and_then(|it| it.decision_id.clone()),
                },
                _ => NoSeat::Answer(error),
            });
        };
        let left = ask.time_left();
        if left != Some(Duration::ZERO) {
            told.waits(&held_up);
        }
        tokio::select! {
            () = sleep(left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN))) => {}
            signal = &mut stop => return Err(NoSeat::Stopped(signal)),
        }
        if left.is_some_and(|left| left <= LOOK_AGAIN) {
            return Err(NoSeat::waited(ask, held_up));
        }
    }
}

/// The answer to the request itself. One that comes after `stop` is undone.
async fn first_answer(
    client: &Client,
    ask: &Ask,
    key: &str,
    mut stop: Pin<&mut impl Future<Output = Signal>>,
) -> Result<CheckoutAnswer, NoSeat> {
    let mut post = std::pin::pin!(post(client, ask, key));
    let signal = tokio::select! {
        answer = &mut post => return answer.map_err(NoSeat::Answer),
        signal = &mut stop => signal,
        () = sleep(patience(ask.time_left())) => return Err(NoSeat::Answer(no_answer(client))),
    };
    match timeout(GIVE_BACK, post).await {
        Ok(Ok(CheckoutAnswer::Granted { lease, .. })) => {
            give_back(client, &lease, Later::WithItsTtl).await;
        }
        Ok(Ok(CheckoutAnswer::Queued { ticket, .. })) => leave(client.clone(), ticket.id).await,
        Ok(Err(_)) | Err(_) => {}
    }
    Err(NoSeat::Stopped(signal))
}

/// Posts the request, repeating it under its key if its outcome is not known.
async fn post(client: &Client, ask: &Ask, key: &str) -> Result<CheckoutAnswer, ClientError> {
    let request = ask.request(ask.waits());
    let mut tries = 0;
    loop {
        let answer = client.post_keyed(ask.path(), key, &request).await;
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
