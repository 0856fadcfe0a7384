//! Why there is no seat, in words.

use std::time::Duration;

use usher_api::Code;
use usher_api::client::ClientError;
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
        /// How long that was.
        how_long: Duration,
        /// What it was waited for in the end.
        last: WaitedFor,
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

impl WaitedFor {
    /// What holds up who waits, of an answer without a seat; none: waiting does not help.
    pub(super) fn held_up(error: &ClientError, ask: &Ask) -> Option<WaitedFor> {
        if !ask.waits() {
            return None;
        }
        // What it says to do is for who does not wait.
        let why = error.to_string();
        let why = why.split([':', ';']).next().unwrap_or_default();
        if is_withheld(error) {
            return Some(WaitedFor::Granting(why.to_owned()));
        }
        (ask.away == Away::Wait && is_away(error)).then(|| WaitedFor::Server(error.to_string()))
    }
}

/// Whether no server decides just now, and another time one may. What is wrong with TLS stays so
/// until somebody mends it.
pub(super) fn is_away(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { why, .. } if is_of_tls(why) => false,
        error => is_absence(error),
    }
}

impl From<NoSeat> for Failure {
    fn from(none: NoSeat) -> Self {
        match none {
            NoSeat::Answer(error) => error.into(),
            NoSeat::Waited { how_long, last } => waited(how_long, &last),
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

fn waited(how_long: Duration, last: &WaitedFor) -> Failure {
    let within = time::span(how_long.as_secs());
    let (what, next) = match last {
        WaitedFor::Seat => (
            match how_long.is_zero() {
                true => "no seat is free, and --wait=0 waits for none".to_owned(),
                false => format!("no seat came free within {within}"),
            },
            "`usher queue` shows who else waits, `usher leases` who holds the seats.",
        ),
        WaitedFor::Granting(why) => (
            format!("no seat was granted within {within}: {why}"),
            "`usher doctor` says why, and what ends that.",
        ),
        WaitedFor::Server(why) => (
            format!("no server answered within {within}: {why}"),
            "`usher doctor` looks at what may be wrong.",
        ),
    };
    Failure::new(exit::WAITED, what).next(next)
}

/// Whether the server answers and grants nothing for a while.
fn is_withheld(error: &ClientError) -> bool {
    error
        .problem()
        .is_some_and(|p| p.is(Code::ServicePaused) || p.is(Code::RestoreHold))
}

#[cfg(test)]
mod tests {
    use usher_api::Problem;

    use super::*;
    use crate::run::ask::Wait;

    fn ask(wait: Option<Wait>, away: Away) -> Ask {
        Ask {
            product: "cad".into(),
            also: Vec::new(),
            user: "anna".into(),
            computer: "pc".into(),
            seats: 1,
            ttl_seconds: None,
            priority: 0,
            program: None,
            wait,
            away,
            one_use: false,
        }
    }

    #[test]
    fn who_waits_is_held_up_by_a_pause_and_by_a_server_that_is_away_and_by_no_refusal() {
        let problem = |code| ClientError::Problem(Box::new(Problem::new(code, "it is so: wait")));
        let silent = |why: &str| ClientError::Unreachable {
            endpoint: "http://a:1".into(),
            why: why.into(),
        };
        let waits = ask(Some(Wait::Forever), Away::Wait);
        let held_up = |error: &ClientError| WaitedFor::held_up(error, &waits);
        assert_eq!(
            held_up(&problem(Code::ServicePaused)),
            Some(WaitedFor::Granting("it is so".into()))
        );
        assert!(matches!(
            held_up(&silent("Connection refused")),
            Some(WaitedFor::Server(_))
        ));
        assert!(held_up(&silent("its certificate has expired")).is_none());
        assert!(held_up(&problem(Code::Denied)).is_none());
        let ends = ask(Some(Wait::Forever), Away::End);
        assert!(WaitedFor::held_up(&silent("Connection refused"), &ends).is_none());
        for none in [None, Some(Wait::For(Duration::ZERO))] {
            let ask = ask(none, Away::Wait);
            assert!(WaitedFor::held_up(&problem(Code::ServicePaused), &ask).is_none());
        }
    }

    #[test]
    fn who_waited_in_vain_is_told_for_what() {
        let say = |seconds, last| waited(Duration::from_secs(seconds), &last).to_string();
        let cases = [
            say(5, WaitedFor::Seat),
            say(0, WaitedFor::Seat),
            say(90, WaitedFor::Granting("the service is paused".into())),
            say(5, WaitedFor::Server("cannot reach http://a:1".into())),
        ];
        insta::assert_snapshot!(cases.join("\n"), @r"
        usher: no seat came free within 5 s
          `usher queue` shows who else waits, `usher leases` who holds the seats.
        usher: no seat is free, and --wait=0 waits for none
          `usher queue` shows who else waits, `usher leases` who holds the seats.
        usher: no seat was granted within 1 min 30 s: the service is paused
          `usher doctor` says why, and what ends that.
        usher: no server answered within 5 s: cannot reach http://a:1
          `usher doctor` looks at what may be wrong.
        ");
    }
}
