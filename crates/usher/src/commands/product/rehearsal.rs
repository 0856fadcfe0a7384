//! Before a product is enforced: whom its seats would have refused, by the recorded sessions.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Counting, Demand, Product};

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Query, eprintln_quiet, segment};
use crate::output::{counted, line, print_json, tame, times};
use crate::time;

/// Days that are looked back on.
const DAYS: i64 = 30;

/// With how many seats it is played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seats {
    /// Seats that are owned.
    pub(crate) owned: u64,
    /// So many are tried instead.
    pub(crate) tried: Option<u64>,
    /// It is looked back to then instead of for [`DAYS`].
    pub(crate) since: Option<Timestamp>,
}

/// Says whom `product` would have refused with so many seats: alone on stdout if nothing else is
/// to be done, else on stderr before it is done. Not to know it keeps nobody from doing it.
pub(crate) async fn tell(
    client: &Client,
    product: &Product,
    seats: Seats,
    alone: bool,
    context: &Context,
) -> Result<(), Failure> {
    match Rehearsal::of(client, product, seats).await {
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
struct Rehearsal {
    /// Days that were asked for; less may be known.
    days: i64,
    #[serde(flatten)]
    demand: Demand,
    #[serde(skip)]
    asked: Seats,
}

impl Rehearsal {
    /// Lets the server play what it knows of `product` again with so many seats.
    async fn of(client: &Client, product: &Product, seats: Seats) -> Result<Self, Failure> {
        let now = Timestamp::now();
        let usual = now - SignedDuration::from_hours(24 * DAYS);
        let since = seats.since.unwrap_or(usual);
        let played = seats.tried.unwrap_or(seats.owned);
        let query = Query::new(&format!("/v1/products/{}/demand", segment(&product.id)?))
            .with("since", Some(since.to_string()))
            .with("seats", Some(played.to_string()))
            .with("counting", Some(word(product.counting)));
        let demand = match client.get::<Demand>(query.path()).await {
            // It is to be added: nothing can be known of it.
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownProduct) => {
                nothing(product, played, since, now)
            }
            found => found?,
        };
        Ok(Rehearsal {
            days: (now.duration_since(since).as_secs() + 86_399) / 86_400,
            demand: Demand {
                owned: seats.owned,
                ..demand
            },
            asked: seats,
        })
    }

    /// What people are told.
    fn describe(&self) -> String {
        let demand = &self.demand;
        let seats = counted(demand.seats, "seat");
        let Some(from) = demand.from else {
            return format!(
                "Nothing is recorded of {} {}: whom {seats} would refuse is not known.",
                tame(&demand.product),
                self.asked_for()
            );
        };
        let mut lines = vec![
            format!(
                "{} wanted at once {}{}.",
                self.most(),
                self.period(from),
                demand
                    .peak_at
                    .map(|at| format!(", first at {}", time::local(at)))
                    .unwrap_or_default(),
            ),
            match demand.refused {
                0 => format!("With {seats} nobody would have been refused, or have had to wait."),
                starts => format!(
                    "With {seats} {} by {} would have been refused, or have had to wait.",
                    counted(starts, "start"),
                    counted(demand.people, "person")
                ),
            },
        ];
        if self.asked.tried.is_some() && demand.owned != demand.seats {
            lines.push(format!(
                "{} may be in use now.",
                counted(demand.owned, "seat")
            ));
        }
        lines.extend(demand.first.as_ref().map(|first| {
            let program = first.program.as_deref().unwrap_or(&demand.product);
            format!(
                "The first: {} by {} on {} at {}.",
                tame(program),
                tame(&first.user),
                tame(&first.computer),
                time::local(first.started_at)
            )
        }));
        lines.extend(self.what_happened());
        if demand.cut {
            lines.push("Only the newest 100,000 records of a kind were looked at.".to_owned());
        }
        lines.join("\n")
    }

    /// Nobody knows how long those who were refused would have used it.
    fn most(&self) -> String {
        let is_exact = self.demand.denials == 0 && !self.demand.cut;
        let bound = if is_exact { "At most" } else { "At least" };
        match self.demand.peak {
            1 => format!("{bound} 1 seat was"),
            many => format!("{bound} {many} seats were"),
        }
    }

    /// Which time was asked for.
    fn asked_for(&self) -> String {
        match self.asked.since {
            None => format!("in the last {DAYS} days"),
            Some(since) => format!("since {}", time::local(since)),
        }
    }

    /// Of which time something is known.
    fn period(&self, from: Timestamp) -> String {
        let demand = &self.demand;
        if from <= demand.since {
            return self.asked_for();
        }
        let seconds = demand.until.as_second().saturating_sub(from.as_second());
        format!(
            "in the last {} (nothing is recorded of {} before {})",
            time::span(u64::try_from(seconds).unwrap_or(0).max(1)),
            tame(&demand.product),
            time::local(from)
        )
    }

    /// Why who was refused counts for as long as they do.
    fn why_so_long(&self) -> String {
        match self.demand.ended_sessions {
            None => ": the median of its sessions, or 15 min if none has ended".to_owned(),
            Some(0) => ", as none of its sessions has ended".to_owned(),
            Some(1) => ", as long as the one of its sessions lasted that has ended".to_owned(),
            Some(many) => format!(": the median of its {many} sessions that have ended"),
        }
    }

    /// Who was refused and who waited, with the seats that there were.
    fn what_happened(&self) -> Option<String> {
        let demand = &self.demand;
        let refused = (demand.denials > 0).then(|| {
            format!(
                "{} {} refused, {} in all",
                counted(demand.denied_people, "person"),
                was_were(demand.denied_people),
                times(demand.denials)
            )
        });
        let waited = (demand.waits > 0).then(|| {
            format!(
                "{} by {} waited",
                counted(demand.waits, "request"),
                counted(demand.waiting_people, "person")
            )
        });
        let said: Vec<String> = [refused, waited].into_iter().flatten().collect();
        if said.is_empty() {
            return None;
        }
        let taken = match demand.denials {
            0 => String::new(),
            _ => format!(
                " Who was refused, and was not seated later, counts for {}{}.",
                time::span(demand.denied_seconds),
                self.why_so_long()
            ),
        };
        Some(format!(
            "In this time {}; that is counted as wanted.{taken}",
            said.join(", and ")
        ))
    }
}

fn nothing(product: &Product, seats: u64, since: Timestamp, until: Timestamp) -> Demand {
    Demand {
        product: product.id.clone(),
        seats,
        owned: 0,
        since,
        from: None,
        until,
        sessions: 0,
        cut: false,
        peak: 0,
        peak_at: None,
        refused: 0,
        people: 0,
        first: None,
        denials: 0,
        denied_people: 0,
        denied_seconds: 0,
        ended_sessions: Some(0),
        waits: 0,
        waiting_people: 0,
    }
}

/// The word of the API for it.
fn word(counting: Counting) -> &'static str {
    match counting {
        Counting::UserOnComputer => "user_on_computer",
        Counting::Process => "process",
        Counting::User => "user",
    }
}

fn was_were(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}
