//! Before a product is enforced: whom its seats would have refused, from what was recorded.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use usher_api::client::Client;
use usher_api::{Counting, Denial, Page, Product, Session};
use usher_core::usage::{Forecast, Use, refusals};

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch};
use crate::output::{counted, line, print_json, tame};
use crate::time;

/// Days that are looked back on.
const DAYS: i64 = 30;
/// Sessions that are looked at: the newest.
const SESSIONS_LIMIT: u32 = 100_000;

/// With how many seats it is played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seats {
    /// So many are owned.
    pub(crate) owned: u64,
    /// So many are tried instead.
    pub(crate) tried: Option<u64>,
}

/// Says whom `product` would have refused with so many seats: alone on stdout where nothing else is
/// to be done, else on stderr before it is done. Not to know it keeps nobody from doing it.
pub(crate) async fn tell(
    client: &Client,
    product: &Product,
    seats: Seats,
    alone: bool,
    context: &Context,
) -> Result<(), Failure> {
    let found = Rehearsal::of(client, product, seats.tried.unwrap_or(seats.owned))
        .await
        .map(|found| Rehearsal {
            owned: seats.tried.map(|_| seats.owned),
            ..found
        });
    match found {
        Ok(found) if alone && context.json() => print_json(&found),
        Ok(found) if alone => line(found.describe()),
        Ok(found) => {
            eprintln_quiet(&found.describe());
            Ok(())
        }
        Err(failure) if alone => Err(failure),
        Err(failure) => {
            eprintln_quiet(&format!(
                "Whom it would have refused is not known: {failure}"
            ));
            Ok(())
        }
    }
}

/// What would have been refused.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Rehearsal {
    product: String,
    /// Seats that it was played with.
    seats: u64,
    /// Seats that are owned; none where those were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    owned: Option<u64>,
    days: i64,
    /// Sessions that were looked at.
    sessions: usize,
    /// Older sessions of these days were left out.
    cut: bool,
    /// Starts that would have been refused.
    refused: usize,
    /// People who would have been refused.
    people: usize,
    /// The first of them.
    first: Option<Refused>,
    /// Seats that were in use at once at the most.
    peak: u64,
    peak_at: Option<Timestamp>,
    /// Checkouts that were asked for by name and refused.
    denials: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Refused {
    user: String,
    computer: String,
    program: Option<String>,
    started_at: Timestamp,
}

impl Rehearsal {
    /// Plays what was recorded of `product` again with so many seats.
    pub(super) async fn of(
        client: &Client,
        product: &Product,
        seats: u64,
    ) -> Result<Self, Failure> {
        let since = Timestamp::now() - SignedDuration::from_hours(24 * DAYS);
        let query = |path| {
            Query::new(path)
                .with("product", Some(&product.id))
                .with("since", Some(since.to_string()))
        };
        let limit = SESSIONS_LIMIT;
        let sessions: Page<Session> =
            fetch(client, &query("/v1/sessions"), &Extent { limit }).await?;
        let denials: Page<Denial> = fetch(client, &query("/v1/denials"), &Extent { limit }).await?;
        let cut = sessions.next.is_some();
        Ok(Rehearsal {
            cut,
            denials: denials.items.iter().map(|denial| denial.count).sum(),
            ..played(product, seats, since, &sessions.items)
        })
    }

    /// What people are told.
    pub(super) fn describe(&self) -> String {
        let Rehearsal {
            seats,
            days,
            refused,
            people,
            peak,
            ..
        } = self;
        let mut lines = vec![match self.sessions {
            0 => format!(
                "Nothing is recorded of it in the last {days} days: whom its {} would refuse is \
                 not known.",
                counted(*seats, "seat")
            ),
            _ => format!(
                "At most {} wanted at once in the last {days} days{}. With {} {} been refused.",
                match peak {
                    1 => "1 seat was".to_owned(),
                    many => format!("{many} seats were"),
                },
                self.peak_at
                    .map(|at| format!(", first at {}", time::local(at)))
                    .unwrap_or_default(),
                counted(*seats, "seat"),
                match refused {
                    0 => "nobody would have".to_owned(),
                    _ => format!(
                        "{} by {} would have",
                        counted(*refused as u64, "start"),
                        counted(*people as u64, "person")
                    ),
                },
            ),
        }];
        if let Some(owned) = self.owned.filter(|owned| owned != seats) {
            lines.push(format!("{} owned now.", is_are(owned)));
        }
        lines.extend(self.first.as_ref().map(|first| {
            let program = first.program.as_deref().unwrap_or(&self.product);
            format!(
                "The first: {} by {} on {} at {}.",
                tame(program),
                tame(&first.user),
                tame(&first.computer),
                time::local(first.started_at)
            )
        }));
        if self.cut {
            lines.push(format!(
                "Only the newest {} sessions were looked at.",
                self.sessions
            ));
        }
        if self.denials > 0 {
            let asked = counted(self.denials, "checkout");
            let verb = if self.denials == 1 { "was" } else { "were" };
            lines.push(format!("Besides, {asked} by name {verb} refused."));
        }
        lines.join("\n")
    }
}

fn is_are(seats: u64) -> String {
    match seats {
        1 => "1 seat is".to_owned(),
        many => format!("{many} seats are"),
    }
}

fn played(product: &Product, seats: u64, since: Timestamp, sessions: &[Session]) -> Rehearsal {
    let mut people: HashMap<(&str, &str), u64> = HashMap::new();
    let mut uses = Vec::with_capacity(sessions.len());
    for (at, session) in sessions.iter().enumerate() {
        let next = people.len() as u64;
        let person = *people.entry(who(session)).or_insert(next);
        let holder = match product.counting {
            Counting::User => person,
            Counting::UserOnComputer | Counting::Process => at as u64,
        };
        uses.push(Use {
            holder,
            from_ms: session.started_at.as_millisecond(),
            until_ms: session.ended_at.map_or(i64::MAX, Timestamp::as_millisecond),
        });
    }
    let Forecast {
        refused,
        peak,
        peak_at_ms,
    } = refusals(&uses, seats);
    let refused: Vec<&Session> = refused
        .into_iter()
        .map(|at| &sessions[at])
        .filter(|session| session.started_at >= since)
        .collect();
    let refused_people: HashSet<_> = refused.iter().map(|session| who(session)).collect();
    Rehearsal {
        product: product.id.clone(),
        seats,
        owned: None,
        days: DAYS,
        sessions: sessions.len(),
        cut: false,
        refused: refused.len(),
        people: refused_people.len(),
        first: refused.first().map(|session| Refused {
            user: session.user.clone(),
            computer: session.computer.clone(),
            program: session.program.clone(),
            started_at: session.started_at,
        }),
        peak,
        peak_at: peak_at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        denials: 0,
    }
}

fn who(session: &Session) -> (&str, &str) {
    (&session.authority, &session.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn session(user: &str, from: i64, to: Option<i64>) -> Session {
        Session {
            id: format!("{user}{from}"),
            product: "cad".into(),
            program: Some("cad.bin".into()),
            user: user.into(),
            authority: "example.org".into(),
            real_user: None,
            computer: "pc1".into(),
            started_at: at(from),
            ended_at: to.map(at),
            duration_seconds: 0,
            unseated_seconds: 0,
            lease: None,
        }
    }

    fn product(counting: &str) -> Product {
        let text = serde_json::json!({ "id": "cad", "counting": counting });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn whom_the_seats_would_have_refused_is_told_with_the_first() {
        let sessions = [
            session("cora", 30, Some(40)),
            session("bert", 20, None),
            session("cora", 12, Some(13)),
            session("anna", 10, Some(60)),
        ];
        let found = played(&product("user_on_computer"), 1, at(0), &sessions);
        assert_eq!((found.refused, found.people, found.peak), (3, 2, 3));
        let text = Rehearsal {
            cut: true,
            denials: 7,
            peak_at: None,
            first: found.first.map(|first| Refused {
                started_at: first.started_at,
                ..first
            }),
            ..found
        }
        .describe();
        let shown = text.replace(&time::local(at(12)), "TIME");
        insta::assert_snapshot!(shown, @r"
        At most 3 seats were wanted at once in the last 30 days. With 1 seat 3 starts by 2 people would have been refused.
        The first: cad.bin by cora on pc1 at TIME.
        Only the newest 4 sessions were looked at.
        Besides, 7 checkouts by name were refused.
        ");
    }

    #[test]
    fn what_was_wanted_at_once_is_told_where_nobody_would_have_been_refused() {
        let sessions = [session("bert", 20, None), session("anna", 10, Some(60))];
        let found = Rehearsal {
            owned: Some(12),
            denials: 1,
            ..played(&product("user_on_computer"), 2, at(0), &sessions)
        };
        let shown = found.describe().replace(&time::local(at(20)), "TIME");
        insta::assert_snapshot!(shown, @r"
        At most 2 seats were wanted at once in the last 30 days, first at TIME. With 2 seats nobody would have been refused.
        12 seats are owned now.
        Besides, 1 checkout by name was refused.
        ");
    }

    #[test]
    fn what_began_before_is_no_start_of_these_days_but_holds_its_seat() {
        let sessions = [
            session("anna", 0, Some(60)),
            session("bert", 5, Some(60)),
            session("cora", 30, Some(40)),
        ];
        let found = played(&product("user_on_computer"), 1, at(20), &sessions);
        assert_eq!((found.refused, found.people), (1, 1));
        assert_eq!(found.first.unwrap().user, "cora");
    }

    #[test]
    fn a_person_who_holds_one_seat_everywhere_is_not_refused_a_second() {
        let sessions = [
            session("anna", 0, Some(60)),
            session("anna", 5, Some(60)),
            session("bert", 30, Some(40)),
        ];
        assert_eq!(played(&product("user"), 1, at(0), &sessions).refused, 1);
        assert_eq!(played(&product("process"), 1, at(0), &sessions).refused, 2);
    }

    #[test]
    fn nothing_recorded_is_not_called_nobody_refused() {
        let text = played(&product("user"), 2, at(0), &[]).describe();
        assert!(text.starts_with("Nothing is recorded"), "{text}");
    }
}
