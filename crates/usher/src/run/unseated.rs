//! Running without a seat: if no server decides, and the product's policy, as the agent of this
//! computer knows it, lets its programs run all the same.

use std::path::Path;

use serde::Deserialize;
use usher_api::client::{Client, ClientError};
use usher_api::{OnLostLease, OnUnreachable};

use super::ask::Away;
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

/// What a product says for bad days.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BadDays {
    on_unreachable: OnUnreachable,
    pub(super) on_lost_lease: OnLostLease,
}

/// The policy of a product, if who is asked knows it.
pub(super) async fn policy(client: &Client, product: &str) -> Option<BadDays> {
    client
        .get(&format!("/v1/products/{}", escaped(product)))
        .await
        .ok()
}

/// What is done while no server answers, by the policy that the agent knows.
pub(super) async fn when_away(door: &Door, product: &str) -> Away {
    let known = match &door.agent {
        Some(agent) => policy(agent, product).await,
        None => None,
    };
    match known.is_some_and(|policy| policy.on_unreachable != OnUnreachable::Refuse) {
        true => Away::Run,
        false => Away::Wait,
    }
}

/// Why a command without a seat may run, of a product that may run without a server; none: a seat was
/// refused, or is waited for in vain.
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
            format!("no word with the server: {why}")
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
    product: &str,
    why: &str,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    eprintln_quiet(&format!(
        "usher: {}; {} runs without a seat, as its policy allows",
        tame(why),
        tame(product)
    ));
    let environment = Passed::NoSeat { product }.variables();
    let child = Child::start(file, &order.words, &environment, signals.mask_before())?;
    loop {
        if let Some(code) = child.attend(signals.next().await) {
            return Ok(code);
        }
    }
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
