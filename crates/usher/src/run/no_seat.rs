//! Why there is no seat, in words.

use std::time::Duration;

use usher_api::client::{Client, ClientError, Endpoint};
use usher_api::{Code, GrantsNothing, Problem, Withheld};
use usher_platform::signals::Signal;

use super::ask::{Ask, Away};
use crate::failure::{Failure, exit, is_absence, is_of_tls};
use crate::time;

/// Why there is no seat.
#[derive(Debug)]
pub(crate) enum NoSeat {
    /// The server said no, or could not be asked.
    Answer(ClientError),
    /// Waited as long as asked.
    Waited {
        /// How long the command waited.
        how_long: Duration,
        /// What it was waited for in the end.
        last: WaitedFor,
    },
    /// None is free, and who asked waits for none.
    NoneFree {
        /// The id of the decision, for `usher why`.
        decision: Option<String>,
    },
    /// Refused after it had waited: there are not as many seats.
    Denied {
        /// Product id.
        product: String,
        /// The id of the decision, which `usher why` takes.
        decision: Option<String>,
    },
    /// Told to end by a signal.
    Stopped(Signal),
}

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WaitedFor {
    /// A seat that comes free.
    Seat,
    /// A server that answers and grants nothing: why.
    Granting(String),
    /// A server that answers: why none does.
    Server(String),
}

impl NoSeat {
    /// The wait is over.
    pub(super) fn waited(ask: &Ask, last: WaitedFor) -> NoSeat {
        NoSeat::Waited {
            how_long: ask.begun.elapsed(),
            last,
        }
    }
}

impl WaitedFor {
    /// What an answer without a seat has who waits wait for; none: waiting does not help.
    pub(super) fn of(error: &ClientError) -> Option<WaitedFor> {
        if is_withheld(error) {
            // What it says to do is for who does not wait.
            let why = error.to_string();
            let why = why.split([':', ';']).next().unwrap_or_default();
            return Some(WaitedFor::Granting(why.to_owned()));
        }
        is_away(error).then(|| WaitedFor::Server(error.to_string()))
    }

    /// The same of who has a place in the queue.
    pub(super) fn granting(says: &GrantsNothing) -> WaitedFor {
        let why = match says.reason {
            Withheld::Paused => "the service is paused and grants nothing".to_owned(),
            // What ends it is for who administers it.
            _ => {
                let why = says.why.split(" until ").next().unwrap_or_default();
                let server = |rest| format!("the server {rest}");
                why.strip_prefix("it ")
                    .map_or_else(|| why.to_owned(), server)
            }
        };
        WaitedFor::Granting(why)
    }

    /// The same, for who waits and does not run without a server.
    pub(super) fn held_up(error: &ClientError, ask: &Ask) -> Option<WaitedFor> {
        let held_up = WaitedFor::of(error).filter(|_| ask.waits())?;
        match held_up {
            WaitedFor::Server(_) if ask.away == Away::Run => None,
            held_up => Some(held_up),
        }
    }
}

/// What is said of a server that is silent for too long. An agent is there, and has heard nothing.
pub(super) fn no_answer(client: &Client) -> ClientError {
    let why = "no answer in time";
    match client.endpoint() {
        Endpoint::Socket(_) => {
            let detail = format!("the server gives the agent of this computer {why}");
            ClientError::Problem(Box::new(Problem::new(Code::ServerUnreachable, detail)))
        }
        Endpoint::Url(url) => ClientError::Unreachable {
            endpoint: url.clone(),
            why: why.to_owned(),
        },
    }
}

/// Whether no server decides just now, and another time one may. What is wrong with TLS stays so
/// until somebody mends it.
fn is_away(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { why, .. } if is_of_tls(why) => false,
        error => is_absence(error) && !is_withheld(error),
    }
}

impl From<NoSeat> for Failure {
    fn from(none: NoSeat) -> Self {
        match none {
            NoSeat::Answer(error) => error.into(),
            NoSeat::Waited { how_long, last } => waited(how_long, &last),
            NoSeat::NoneFree { decision } => {
                let what = "no seat is free, and --wait=0 waits for none";
                let next = match decision {
                    Some(decision) => format!(
                        "`usher why {decision}` tells how the seats were held, and what would help."
                    ),
                    None => format!("{WHO_ELSE}."),
                };
                Failure::new(exit::WAITED, what).next(next)
            }
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

/// Each sees their own alone in `usher queue` and `usher leases`, but who may see all.
const WHO_ELSE: &str = "`usher status` shows how many seats are in use and how many requests wait; \
                        to who may see all, `usher leases` names the holders and `usher queue` who \
                        waits";

fn waited(how_long: Duration, last: &WaitedFor) -> Failure {
    let within = time::span(how_long.as_secs());
    let (what, next) = match last {
        WaitedFor::Seat => (
            format!("no seat came free within {within}"),
            format!("{WHO_ELSE}."),
        ),
        WaitedFor::Granting(why) => (
            format!("no seat was granted within {within}: {why}"),
            "`usher doctor` says why, and what ends that.".to_owned(),
        ),
        WaitedFor::Server(why) => (
            format!("no server answered within {within}: {why}"),
            "`usher doctor` looks at what may be wrong.".to_owned(),
        ),
    };
    Failure::new(exit::WAITED, what).next(next)
}

/// Whether the server answers and grants nothing for a while.
fn is_withheld(error: &ClientError) -> bool {
    const FOR_A_WHILE: [Code; 5] = [
        Code::Busy,
        Code::OutcomeUnknown,
        Code::RestoreHold,
        Code::ServicePaused,
        Code::StorageFailed,
    ];
    let problem = error.problem();
    problem.is_some_and(|problem| FOR_A_WHILE.iter().any(|code| problem.is(*code)))
}

#[cfg(test)]
mod tests;
