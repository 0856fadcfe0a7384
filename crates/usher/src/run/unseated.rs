//! Running without a seat: if no server decides, and the product's policy, which the agent of this
//! computer knows, allows it.

use std::path::Path;

use serde::Deserialize;
use usher_api::client::{Client, ClientError};
use usher_api::{OnLostLease, OnUnreachable};

use super::ask::{Ask, Away};
use super::child::Child;
use super::door::Door;
use super::no_seat::{NoSeat, WaitedFor};
use super::order::Order;
use super::passed::Passed;
use super::signals::Signals;
use crate::failure::answered::is_silence;
use crate::failure::{Failure, is_absence, is_of_tls};
use crate::listing::{eprintln_quiet, escaped};
use crate::output::tame;

/// A product's policy for times when no server answers or a lease is lost.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BadDays {
    on_unreachable: OnUnreachable,
    on_lost_lease: OnLostLease,
}

/// The policy of a product, if the agent or server knows it.
async fn policy(client: &Client, product: &str) -> Option<BadDays> {
    client
        .get(&format!("/v1/products/{}", escaped(product)))
        .await
        .ok()
}

/// What to do while no server answers, by the policies that the agent knows: if several products
/// are asked for together, each has to allow running without a seat.
pub(super) async fn when_away(door: &Door, products: impl Iterator<Item = &str>) -> Away {
    let Some(agent) = &door.agent else {
        return Away::Wait;
    };
    for product in products {
        let known = policy(agent, product).await;
        if known.is_none_or(|policy| policy.on_unreachable == OnUnreachable::Refuse) {
            return Away::Wait;
        }
    }
    Away::Run
}

/// What happens to a command whose seats are lost: it is ended if one of the products says so.
pub(super) async fn when_lost(
    client: &Client,
    products: impl Iterator<Item = &str>,
) -> OnLostLease {
    for product in products {
        let policy = policy(client, product).await.unwrap_or_default();
        if policy.on_lost_lease == OnLostLease::End {
            return OnLostLease::End;
        }
    }
    OnLostLease::Run
}

/// Why a command of a product that may run without a server runs without a seat; `None`: a seat was
/// refused, or the wait for one ended.
pub(super) fn why(none: &NoSeat) -> Option<String> {
    match none {
        NoSeat::Answer(error) if is_absence(error) => Some(undecided(error)),
        NoSeat::Waited {
            last: WaitedFor::Granting(why),
            ..
        } => Some(not_granted(why)),
        NoSeat::Waited {
            last: WaitedFor::Server(_),
            ..
        } => Some(NO_SERVER.to_owned()),
        _ => None,
    }
}

const NO_SERVER: &str = "no server answers";

fn undecided(error: &ClientError) -> String {
    match (error, error.problem()) {
        (_, Some(problem)) if !is_silence(error) => match WaitedFor::of(error) {
            Some(WaitedFor::Granting(why)) => not_granted(&why),
            _ => not_granted(&problem.detail),
        },
        (ClientError::Unreachable { why, .. }, _) if is_of_tls(why) => {
            format!("cannot talk to the server: {why}")
        }
        _ => NO_SERVER.to_owned(),
    }
}

fn not_granted(why: &str) -> String {
    format!("no seat is granted now ({why})")
}

/// Runs the command without a seat.
pub(super) async fn run(
    order: &Order,
    file: &Path,
    ask: &Ask,
    why: &str,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    eprintln_quiet(&format!("usher: {}; {}", tame(why), allowed(ask)));
    let environment = Passed::NoSeat {
        product: &ask.product,
    }
    .variables();
    let child = Child::start(file, &order.words, &environment, signals.mask_before())?;
    loop {
        if let Some(code) = child.attend(signals.next().await) {
            return Ok(code);
        }
    }
}

/// The text that it runs without a seat, and which policy allows it.
fn allowed(ask: &Ask) -> String {
    let others: Vec<String> = ask.products().skip(1).map(tame).collect();
    let whose = match &others[..] {
        [] => "its policy allows".to_owned(),
        [one] => format!("its policy and that of {one} allow"),
        many => format!("its policy and those of {} allow", many.join(", ")),
    };
    format!("{} runs without a seat, as {whose}", tame(&ask.product))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use usher_api::{Code, Problem};

    use super::*;

    #[test]
    fn a_command_runs_without_a_seat_if_nobody_decides_and_not_if_a_seat_is_refused() {
        let answer = |code| {
            NoSeat::Answer(ClientError::Problem(Box::new(Problem::new(
                code,
                "it is so: wait",
            ))))
        };
        let waited = |last| NoSeat::Waited {
            how_long: Duration::from_secs(5),
            last,
        };
        let silent = NoSeat::Answer(ClientError::Unreachable {
            endpoint: "http://a:1".into(),
            why: "Connection refused".into(),
        });
        let cases = [
            silent,
            answer(Code::ServerUnreachable),
            answer(Code::ServicePaused),
            answer(Code::Stopping),
            waited(WaitedFor::Server("cannot reach http://a:1".into())),
            waited(WaitedFor::Granting("the service is paused".into())),
        ];
        let said: Vec<String> = cases.iter().filter_map(why).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        no server answers
        no server answers
        no seat is granted now (it is so)
        no seat is granted now (it is so: wait)
        no server answers
        no seat is granted now (the service is paused)
        ");
        for refused in [
            answer(Code::Denied),
            answer(Code::UnknownProduct),
            waited(WaitedFor::Seat),
        ] {
            assert_eq!(why(&refused), None, "{refused:?}");
        }
    }
}
