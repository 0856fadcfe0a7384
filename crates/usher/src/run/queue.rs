//! Waiting in the queue for a seat, and leaving it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use usher_api::client::{Client, ClientError, Endpoint};
use usher_api::{Code, Lease, Ticket, TicketAnswer, TicketState};
use usher_platform::signals::Signal;

use super::ask::{Ask, Away};
use super::bounds::{GIVE_BACK, NOTICED, SILENCE};
use super::keep::{Later, give_back};
use super::no_seat::{NoSeat, WaitedFor, no_answer};
use super::progress::Progress;
use super::told::Told;
use crate::failure::is_absence;
use crate::listing::{eprintln_quiet, escaped};

/// How long one poll of a ticket may take: a seat that comes ends it at once, and the place that is
/// shown is at most so old.
const POLL: Duration = Duration::from_secs(5);
/// The least time between two polls: a server that is stopping answers each at once.
const POLL_APART: Duration = Duration::from_millis(200);
/// The time between two polls of a server that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// After how long a ticket that nobody asks about has lapsed, at any server that was running.
const LAPSED: Duration = Duration::from_secs(120);

/// Waits in the queue; returns the lease, or `None` if the place was lost. A wait that ends without
/// a seat has left the queue.
pub(super) async fn wait(
    client: &Client,
    ask: &Ask,
    ticket: &Ticket,
    told: &mut Told<'_>,
    stop: Pin<&mut impl Future<Output = Signal>>,
) -> Result<Option<Lease>, NoSeat> {
    let mut progress = Progress::new();
    progress.show(
        &ticket.product,
        Some(ticket.position),
        ticket.expected_wait_seconds,
    );
    // Who waits in the queue is told of it here, and by a line that is rewritten.
    let end = in_line(&client.silent(), ask, ticket, told, &mut progress, stop).await;
    progress.clear();
    match &end {
        Ok(Some(_)) => {}
        Ok(None) => eprintln_quiet("usher: the place in the queue was lost; queueing again"),
        // The command does not wait for that, too.
        Err(none) if ask.away == Away::Run && is_for_want_of_a_server(none) => {
            tokio::spawn(leave_later(client.clone(), ticket.id.clone()));
        }
        Err(_) => leave(client.clone(), ticket.id.clone()).await,
    }
    end
}

fn is_for_want_of_a_server(none: &NoSeat) -> bool {
    match none {
        NoSeat::Answer(ClientError::Unreachable { .. }) => true,
        NoSeat::Waited { last, .. } => matches!(last, WaitedFor::Server(_)),
        _ => false,
    }
}

async fn in_line(
    client: &Client,
    ask: &Ask,
    ticket: &Ticket,
    told: &mut Told<'_>,
    progress: &mut Progress,
    mut stop: Pin<&mut impl Future<Output = Signal>>,
) -> Result<Option<Lease>, NoSeat> {
    let mut last_answer = Instant::now();
    let mut last = WaitedFor::Seat;
    loop {
        let left = ask.time_left();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(NoSeat::waited(ask, last));
        }
        // Once it is silent for that long, each further try may take as long.
        let within = match SILENCE.saturating_sub(last_answer.elapsed()) {
            Duration::ZERO => SILENCE,
            rest => rest,
        };
        let poll = left.map_or(POLL, |left| left.min(POLL)).min(within);
        let path = format!(
            "/v1/tickets/{}?wait_seconds={}",
            escaped(&ticket.id),
            poll.as_secs().max(1)
        );
        let last_asked = Instant::now();
        let asked = client.get_waiting::<TicketAnswer>(&path, poll);
        let answer = tokio::select! {
            answer = timeout(within, asked) => answer.unwrap_or_else(|_| Err(no_answer(client))),
            signal = &mut stop => return Err(NoSeat::Stopped(signal)),
            () = sleep(left.unwrap_or(Duration::MAX)) => {
                let is_silent = last_asked.elapsed() > poll + NOTICED;
                let silence = || WaitedFor::Server(no_answer(client).to_string());
                return Err(NoSeat::waited(ask, if is_silent { silence() } else { last }));
            }
        };
        let pause = match answer {
            Ok(answer) => {
                last_answer = Instant::now();
                let held_up = answer.grants_nothing.as_ref().map(WaitedFor::granting);
                match &held_up {
                    Some(held_up) => {
                        progress.clear();
                        told.waits(held_up);
                    }
                    None => told.goes_on(),
                }
                let is_held_up = held_up.is_some();
                last = held_up.unwrap_or(WaitedFor::Seat);
                match (answer.state, answer.lease) {
                    (TicketState::Granted, Some(lease)) => return Ok(Some(lease)),
                    (TicketState::Waiting, _) => {
                        if !is_held_up {
                            progress.show(
                                &answer.product,
                                answer.position,
                                answer.expected_wait_seconds,
                            );
                        }
                        POLL_APART.saturating_sub(last_asked.elapsed())
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
            Err(error) => {
                let Some(held_up) = holds_up(&error, ask, last_answer.elapsed()) else {
                    return Err(NoSeat::Answer(error));
                };
                if matches!(held_up, WaitedFor::Granting(_)) {
                    last_answer = Instant::now();
                }
                let is_noticed = last_answer.elapsed() > NOTICED;
                if is_noticed || matches!(held_up, WaitedFor::Granting(_)) {
                    progress.clear();
                    told.waits(&held_up);
                    last = held_up;
                }
                ASK_AGAIN
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            signal = &mut stop => return Err(NoSeat::Stopped(signal)),
        }
    }
}

/// What a ticket waits for after an error of the server, or after so long without an answer;
/// `None`: it is of no use to go on waiting.
fn holds_up(error: &ClientError, ask: &Ask, silent: Duration) -> Option<WaitedFor> {
    match WaitedFor::of(error)? {
        WaitedFor::Server(_) if ask.away == Away::Run && silent >= SILENCE => None,
        held_up => Some(held_up),
    }
}

/// Leaves the queue of a server that does not answer, once it does: otherwise it would grant a seat
/// that nobody uses.
async fn leave_later(client: Client, ticket: String) {
    let path = format!("/v1/tickets/{}", escaped(&ticket));
    // An agent that was told goes on by itself.
    let goes_on = matches!(client.endpoint(), Endpoint::Url(_));
    let tries = async {
        while let Err(error) = client.delete(&path).await
            && goes_on
            && is_absence(&error)
        {
            sleep(ASK_AGAIN).await;
        }
    };
    // Nothing is lost by a place that has lapsed meanwhile.
    let _ = timeout(LAPSED, tries).await;
}

/// Leaves the queue. A seat that was granted meanwhile is given back.
pub(super) async fn leave(client: Client, ticket: String) {
    let path = format!("/v1/tickets/{}", escaped(&ticket));
    let left = timeout(GIVE_BACK, async {
        client.delete(&path).await?;
        client.get::<TicketAnswer>(&path).await
    });
    if let Ok(Ok(TicketAnswer {
        lease: Some(lease), ..
    })) = left.await
    {
        give_back(&client, &lease, Later::WithItsTtl).await;
    }
}

#[cfg(test)]
mod tests {
    use usher_api::Problem;

    use super::*;
    use crate::run::ask::Wait;

    #[test]
    fn a_place_outlasts_a_restart_and_who_may_run_without_a_server_waits_for_none_for_longer() {
        let refused = ClientError::Unreachable {
            endpoint: "http://a:1".into(),
            why: "Connection refused".into(),
        };
        let of = |code| ClientError::Problem(Box::new(Problem::new(code, "so")));
        let ask = |away| Ask {
            product: "cad".into(),
            also: Vec::new(),
            user: "anna".into(),
            computer: "pc".into(),
            seats: 1,
            ttl_seconds: None,
            priority: 0,
            program: None,
            wait: Some(Wait::Forever),
            begun: Instant::now(),
            away,
            one_use: false,
        };
        let silent = |seconds| Duration::from_secs(seconds);
        for away in [&refused, &of(Code::Stopping), &of(Code::ServerUnreachable)] {
            let waits = |away_to, seconds| holds_up(away, &ask(away_to), silent(seconds)).is_some();
            assert!(waits(Away::Run, 19));
            assert!(!waits(Away::Run, 20));
            assert!(waits(Away::Wait, 3_600));
        }
        assert!(holds_up(&of(Code::Busy), &ask(Away::Run), silent(3_600)).is_some());
        assert!(holds_up(&of(Code::Forbidden), &ask(Away::Wait), silent(0)).is_none());
    }
}
