//! The options for a product, when it is added and when it is changed.

use clap::Args;
use usher_api::{
    CLAIM_LIMIT_SECONDS, Counting, GRACE_LIMITS_SECONDS, IDLE_LIMITS_SECONDS,
    IMPOSSIBLE_LIMIT_SECONDS, Mode, OnIdle, OnLostLease, OnUnreachable, Product as Wire,
};
use usher_core::identify::Rule;

use crate::commands::one_of;
use crate::time;

/// What can be said of a product.
#[derive(Debug, Default, Clone, Args, PartialEq)]
pub(crate) struct Traits {
    /// Title and edition, for people
    #[arg(long, value_name = "TEXT")]
    pub(super) name: Option<String>,
    /// Who publishes it
    #[arg(long, value_name = "TEXT")]
    pub(super) publisher: Option<String>,
    /// A program rule; repeat it for more
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(super) program: Vec<String>,
    /// What agents do with programs that nobody wrapped [default: track]
    #[arg(long, value_name = "MODE", value_parser = one_of::<Mode>(&["track", "enforce"]))]
    pub(super) mode: Option<Mode>,
    /// What counts as one use on a computer [default: user-on-computer]
    #[arg(long, value_name = "WHAT",
        value_parser = one_of::<Counting>(&["user-on-computer", "process", "user"]))]
    pub(super) counting: Option<Counting>,
    /// How many may wait at once [default: 1000]
    #[arg(long, value_name = "N")]
    pub(super) queue_limit: Option<u32>,
    /// How long who waits for more seats than there are keeps their place [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = impossible)]
    pub(super) impossible_seconds: Option<u32>,
    /// The longest ttl that a checkout may ask for [default: 1d]
    #[arg(long, value_name = "DURATION", value_parser = crate::commands::checkout::ttl)]
    pub(super) max_ttl: Option<u32>,
    /// What an agent does with a start when no server answers [default: run]
    #[arg(long, value_name = "WHAT",
        value_parser = one_of::<OnUnreachable>(&["run", "refuse"]))]
    pub(super) on_unreachable: Option<OnUnreachable>,
    /// What happens to a running program whose lease is lost [default: run]
    #[arg(long, value_name = "WHAT", value_parser = one_of::<OnLostLease>(&["run", "end"]))]
    pub(super) on_lost_lease: Option<OnLostLease>,
    /// How long a seat that came free for who waited is kept for their next start [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = claim)]
    pub(super) claim_seconds: Option<u32>,
    /// How long nobody may touch a program before its user is asked; 0 is for ever [default: 0]
    #[arg(long, value_name = "DURATION", value_parser = idle)]
    pub(super) idle_seconds: Option<u32>,
    /// What happens then, when the grace is over [default: nothing]
    #[arg(long, value_name = "WHAT",
        value_parser = one_of::<OnIdle>(&["nothing", "warn", "release", "end"]))]
    pub(super) on_idle: Option<OnIdle>,
    /// How long a program has after its user was asked [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = grace)]
    pub(super) grace_seconds: Option<u32>,
    /// Whether who is refused is told by name who holds the seats, rather than only how many do and
    /// since when [default: no]
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub(super) show_holders: Option<bool>,
}

/// A rule as it was written, once it has been checked.
pub(super) fn rule(text: &str) -> Result<String, String> {
    Rule::parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn claim(text: &str) -> Result<u32, String> {
    within(text, (1, CLAIM_LIMIT_SECONDS))
}

fn impossible(text: &str) -> Result<u32, String> {
    within(text, (1, IMPOSSIBLE_LIMIT_SECONDS))
}

fn grace(text: &str) -> Result<u32, String> {
    within(text, GRACE_LIMITS_SECONDS)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

fn idle(text: &str) -> Result<u32, String> {
    match time::duration(text).map(|idle| idle.as_secs()) {
        Ok(0) => Ok(0),
        _ => within(text, IDLE_LIMITS_SECONDS).map_err(|why| format!("{why}, or 0")),
    }
}

fn within(text: &str, (least, most): (u32, u32)) -> Result<u32, String> {
    let seconds = time::within(text, least.into(), Some(most.into()))?;
    // It is at most what `most` is.
    Ok(u32::try_from(seconds).unwrap_or(most))
}

impl Traits {
    pub(super) fn apply(self, product: &mut Wire) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut product.name, self.name);
        set(&mut product.publisher, self.publisher);
        set(&mut product.mode, self.mode);
        set(&mut product.counting, self.counting);
        set(&mut product.queue_limit, self.queue_limit);
        set(&mut product.impossible_seconds, self.impossible_seconds);
        set(&mut product.max_ttl_seconds, self.max_ttl);
        set(&mut product.on_unreachable, self.on_unreachable);
        set(&mut product.on_lost_lease, self.on_lost_lease);
        set(&mut product.claim_seconds, self.claim_seconds);
        set(&mut product.idle_seconds, self.idle_seconds);
        set(&mut product.on_idle, self.on_idle);
        set(&mut product.grace_seconds, self.grace_seconds);
        set(&mut product.show_holders, self.show_holders);
        if !self.program.is_empty() {
            product.programs = self.program;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;

    #[test]
    fn how_long_something_may_take_has_bounds_that_are_told() {
        assert_eq!((claim("1"), claim("1d")), (Ok(1), Ok(86_400)));
        assert_eq!((idle("0"), idle("30m")), (Ok(0), Ok(1_800)));
        assert_eq!(grace("10s"), Ok(10));
        for wrong in [
            claim("0"),
            claim("2d"),
            idle("9"),
            idle("8d"),
            grace("9"),
            grace("2d"),
        ] {
            let why = wrong.unwrap_err();
            assert!(why.starts_with("give "), "{why}");
        }
    }

    #[test]
    fn what_an_edit_does_not_name_stays_as_it_is() {
        let mut product = plain("gimp").unwrap();
        Traits {
            name: Some("GIMP".into()),
            program: vec!["gimp-2.10".into()],
            ..Traits::default()
        }
        .apply(&mut product);
        let before = product.clone();
        Traits {
            publisher: Some("GNOME".into()),
            ..Traits::default()
        }
        .apply(&mut product);
        assert_eq!(
            product,
            Wire {
                publisher: "GNOME".into(),
                ..before
            }
        );
    }
}
