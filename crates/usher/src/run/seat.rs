//! Seats: asking for one, waiting in the queue, keeping it, giving it back.
//!
//! Promises: a request is repeated only under its idempotency key; whoever stops waiting leaves the
//! queue, and a seat that comes while they leave is given back; every retry is bounded, but for
//! those of a renewal, which go on as long as the command runs.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use usher_api::client::{Client, ClientError};
use usher_api::{
    AlsoWanted, CheckoutAnswer, CheckoutRequest, Code, Lease, ProgramFacts, Ticket, TicketAnswer,
    TicketState,
};
use usher_platform::signals::Signal;

use super::progress::Progress;
use crate::failure::{Failure, exit, is_absence};
use crate::host;
use crate::listing::{eprintln_quiet, escaped};
use crate::time;

/// How long one poll of a ticket may take: a seat that comes ends it at once, and the place that is
/// shown is at most so old.
const POLL: Duration = Duration::from_secs(5);
/// The least time between two polls: a server that is stopping answers each at once.
const POLL_APART: Duration = Duration::from_millis(200);
/// How long a waiter puts up with a server that does not answer: as long as its place is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the first answer may take: a server that is there gives one within 15 seconds, and be it
/// that it does not know the outcome. One that hangs is as one that is away.
const FIRST_ANSWER: Duration = Duration::from_secs(20);
/// And how long at least, for who waits no longer than a moment.
const AT_LEAST: Duration = Duration::from_secs(2);
/// How often it is asked again of a server that grants nothing for a while.
const WITHHELD: Duration = Duration::from_secs(2);
/// How long giving back may take: who waits for the end of `usher run` does not wait for more.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// How long to wait in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Until a seat comes.
    Forever,
    /// At most so long.
    For(Duration),
}

impl Wait {
    /// Reads the value of `--wait`.
    pub(crate) fn read(text: &str) -> Result<Wait, String> {
        match text {
            "forever" | "true" => Ok(Wait::Forever),
            _ => time::duration(text).map(Wait::For),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Product id.
    pub(crate) product: String,
    /// Further products and seats of each: all, or none.
    pub(crate) also: Vec<(String, u32)>,
    /// Who is counted.
    pub(crate) user: String,
    /// Where.
    pub(crate) computer: String,
    /// How many.
    pub(crate) seats: u32,
    /// How long the lease lives without renewal, where it is said.
    pub(crate) ttl_seconds: Option<u32>,
    /// Place in the queue before arrival counts.
    pub(crate) priority: i8,
    /// What is started, for the record.
    pub(crate) program: Option<String>,
    /// Whether, and how long, to wait.
    pub(crate) wait: Option<Wait>,
    /// Whether the agent may answer with a lease that is held for the same use already.
    pub(crate) one_use: bool,
}

impl Ask {
    fn path(&self) -> &'static str {
        match self.one_use {
            true => "/v1/checkouts?one_use=true",
            false => "/v1/checkouts",
        }
    }

    fn request(&self, wait: bool) -> CheckoutRequest<'_> {
        CheckoutRequest {
            product: Cow::Borrowed(&self.product),
            also: self
                .also
                .iter()
                .map(|(product, seats)| AlsoWanted {
                    product: Cow::Borrowed(product),
                    seats: *seats,
                })
                .collect(),
            user: Cow::Borrowed(&self.user),
            computer: Cow::Borrowed(&self.computer),
            seats: self.seats,
            wait,
            ttl_seconds: self.ttl_seconds,
            priority: self.priority,
            program: self.program.as_deref().map(|name| ProgramFacts {
                name: Some(Cow::Borrowed(name)),
                version: None,
            }),
            subject: None,
        }
    }
}

/// Why there is no seat.
#[derive(Debug)]
pub(crate) enum NoSeat {
    /// The server said no, or could not be asked.
    Answer(ClientError),
    /// Waited as long as asked.
    Waited(Duration),
    /// Refused after it had waited: there are not as many seats.
    Denied {
        /// Product id.
        product: String,
        /// For `usher why`.
        decision: Option<String>,
    },
    /// Told to end by a signal.
    Stopped(Signal),
}

impl From<NoSeat> for Failure {
    fn from(none: NoSeat) -> Self {
        match none {
            NoSeat::Answer(error) => error.into(),
            NoSeat::Waited(how_long) => Failure::new(
                exit::WAITED,
                format!(
                    "no seat came free within {}",
                    time::span(how_long.as_secs())
                ),
            )
            .next("`usher queue` shows who else waits, `usher leases` who holds the seats."),
            NoSeat::Denied { product, decision } => {
                let failure = Failure::new(
                    exit::REFUSED,
                    format!("there are not as many seats of {product} as were waited for"),
                );
                match decision {
                    Some(decision) => {
                        failure.next(format!("`usher why {decision}` tells what would help."))
                    }
                    None => failure,
                }
            }
            NoSeat::Stopped(signal) => Failure::Quiet(signal.exit_code()),
        }
    }
}

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
    let mut is_said = false;
    loop {
        let ticket = match first_answer(client, ask, deadline, stop.as_mut()).await {
            Ok(CheckoutAnswer::Granted { lease, .. }) => return Ok(lease),
            Ok(CheckoutAnswer::Queued { ticket, .. }) => ticket,
            // It is there, and will grant again: who waits waits for that, too.
            Err(NoSeat::Answer(error)) if ask.wait.is_some() && is_withheld(&error) => {
                if !std::mem::replace(&mut is_said, true) {
                    eprintln_quiet(&format!("usher: waiting: {error}"));
                }
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                tokio::select! {
                    () = sleep(left.map_or(WITHHELD, |left| left.min(WITHHELD))) => {}
                    signal = &mut stop => return Err(NoSeat::Stopped(signal)),
                }
                if left.is_some_and(|left| left <= WITHHELD) {
                    return Err(NoSeat::Waited(begun.elapsed()));
                }
                continue;
            }
            Err(none) => return Err(none),
        };
        progress.show(
            &ticket.product,
            Some(ticket.position),
            ticket.expected_wait_seconds,
        );
        let end = in_line(client, &ticket, deadline, &mut progress, stop.as_mut()).await;
        progress.clear();
        match end {
            Ok(Some(lease)) => return Ok(lease),
            Ok(None) => eprintln_quiet("usher: the place in the queue was lost; queueing again"),
            Err(none) => {
                leave(client, &ticket.id).await;
                return Err(match none {
                    NoSeat::Waited(_) => NoSeat::Waited(begun.elapsed()),
                    other => other,
                });
            }
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
            Some(left) if left < FIRST_ANSWER => NoSeat::Waited(left),
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
    let request = ask.request(ask.wait.is_some());
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

/// Whether the server answers and grants nothing for a while.
fn is_withheld(error: &ClientError) -> bool {
    error
        .problem()
        .is_some_and(|p| p.is(Code::ServicePaused) || p.is(Code::RestoreHold))
}

fn is_passing(error: &ClientError) -> bool {
    error
        .problem()
        .is_some_and(|p| p.is(Code::Busy) || p.is(Code::OutcomeUnknown))
}

/// Waits in the queue: the lease, or nothing where the place was lost.
async fn in_line(
    client: &Client,
    ticket: &Ticket,
    deadline: Option<Instant>,
    progress: &mut Progress,
    mut stop: Pin<&mut impl Future<Output = Signal>>,
) -> Result<Option<Lease>, NoSeat> {
    let mut last_answer = Instant::now();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(NoSeat::Waited(Duration::ZERO));
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
            () = sleep(left.unwrap_or(Duration::MAX)) => return Err(NoSeat::Waited(Duration::ZERO)),
        };
        match answer {
            Ok(answer) => {
                let took = last_asked.elapsed();
                last_answer = Instant::now();
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
            Err(error) if is_absence(&error) && last_answer.elapsed() < PATIENCE => {
                tokio::select! {
                    () = sleep(Duration::from_millis(500)) => {}
                    signal = &mut stop => return Err(NoSeat::Stopped(signal)),
                }
            }
            Err(error) => return Err(NoSeat::Answer(error)),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_for_ever_or_as_long_as_said() {
        assert_eq!(Wait::read("forever"), Ok(Wait::Forever));
        assert_eq!(Wait::read("5m"), Ok(Wait::For(Duration::from_secs(300))));
        assert!(Wait::read("soon").is_err());
    }
}
