//! Tells a waiting user what holds up the wait, and when that is over: each once.

use std::mem::{Discriminant, discriminant};

use super::ask::{Ask, Away, Wait};
use super::bounds::SILENCE;
use super::no_seat::WaitedFor;
use crate::listing::eprintln_quiet;
use crate::output::tame;
use crate::time;

/// What was said last.
#[derive(Debug)]
pub(super) struct Told<'a> {
    ask: &'a Ask,
    of: Option<Discriminant<WaitedFor>>,
}

impl<'a> Told<'a> {
    /// Nothing was said yet.
    pub(super) fn nothing(ask: &'a Ask) -> Self {
        Told { ask, of: None }
    }

    /// Says what the command waits for, unless that was said already.
    pub(super) fn waits(&mut self, held_up: &WaitedFor) {
        let kind = discriminant(held_up);
        if self.of.replace(kind) == Some(kind) {
            return;
        }
        if let Some(said) = waiting(held_up, self.ask) {
            eprintln_quiet(&said);
        }
    }

    /// Says that the wait goes on, if a hold-up was reported before.
    pub(super) fn goes_on(&mut self) {
        let is_of = |other: &WaitedFor, of| discriminant(other) == of;
        let said = match self.of.take() {
            Some(of) if is_of(&WaitedFor::Server(String::new()), of) => "the server answers again",
            Some(of) if is_of(&WaitedFor::Granting(String::new()), of) => {
                "the server grants seats again"
            }
            _ => return,
        };
        eprintln_quiet(&format!("usher: {said}"));
    }
}

/// The text on a wait for something other than a seat, and on what happens if the product may run
/// without a seat.
fn waiting(held_up: &WaitedFor, ask: &Ask) -> Option<String> {
    let (why, is_away) = match held_up {
        WaitedFor::Seat => return None,
        WaitedFor::Granting(why) => (why, false),
        WaitedFor::Server(why) => (why, true),
    };
    let product = tame(&ask.product);
    let without = match (ask.away, is_away, ask.wait) {
        (Away::Wait, _, _) => String::new(),
        (Away::Run, true, wait) => format!(
            "; {product} runs without a seat if it has not answered for {}{}",
            time::span(SILENCE.as_secs()),
            match wait {
                Some(Wait::For(_)) => ", or when the wait is over",
                _ => "",
            }
        ),
        (Away::Run, false, Some(Wait::For(_))) => {
            format!("; {product} runs without a seat if that is still so when the wait is over")
        }
        (Away::Run, false, _) => {
            format!("; without --wait, {product} runs without a seat meanwhile")
        }
    };
    Some(format!("usher: waiting: {}{without}", tame(why)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn who_waits_is_told_what_for_and_whether_the_product_runs_without() {
        let ask = |away, wait| Ask {
            product: "cad".into(),
            also: Vec::new(),
            user: "anna".into(),
            computer: "pc".into(),
            seats: 1,
            ttl_seconds: None,
            priority: 0,
            program: None,
            wait: Some(wait),
            begun: Instant::now(),
            away,
            one_use: false,
        };
        let for_a_minute = Wait::For(Duration::from_secs(60));
        let paused = WaitedFor::Granting("the service is paused and grants nothing".into());
        let away = WaitedFor::Server("cannot reach http://a:1: Connection refused".into());
        let said = [
            waiting(&paused, &ask(Away::Wait, Wait::Forever)),
            waiting(&paused, &ask(Away::Run, Wait::Forever)),
            waiting(&paused, &ask(Away::Run, for_a_minute)),
            waiting(&away, &ask(Away::Wait, for_a_minute)),
            waiting(&away, &ask(Away::Run, for_a_minute)),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        usher: waiting: the service is paused and grants nothing
        usher: waiting: the service is paused and grants nothing; without --wait, cad runs without a seat meanwhile
        usher: waiting: the service is paused and grants nothing; cad runs without a seat if that is still so when the wait is over
        usher: waiting: cannot reach http://a:1: Connection refused
        usher: waiting: cannot reach http://a:1: Connection refused; cad runs without a seat if it has not answered for 20 s, or when the wait is over
        ");
        assert_eq!(
            waiting(&WaitedFor::Seat, &ask(Away::Run, Wait::Forever)),
            None
        );
    }
}
