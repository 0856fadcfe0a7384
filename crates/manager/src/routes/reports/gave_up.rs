//! `gave_up`: who was refused, and whether they came back.

use usher_api::Report;
use usher_core::usage::{Bucket, Counted, Gaps, provisional_from_ms};
use usher_report::{CameBack, GaveUpInput, TurnedDown};
use usher_site::{RefusedPerson, UsedBy, UsedProduct};

use super::denials::refused;
use super::figures::WANTS;
use super::gathering::{Gathering, ROWS_LIMIT};
use super::uses::is_named;
use crate::clock::date;
use crate::problem::Refusal;
use crate::routes::usage::answer::of_product;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.whole_figures(WANTS).await?;
    let mut input = GaveUpInput::default();
    let mut nobody = 0_u64;
    for of in refused(&figures) {
        let mut known = Since::of(&gathering, &of).await?;
        let asked = gathering.sums_asked(&of, UsedBy::Person);
        let found = gathering.app.tools.site.refused(asked).await?;
        known.misses_until_ms = found.archived.missing_until_ms;
        gathering.archived(found.archived);
        let user = gathering.question.parameters.user.clone();
        let mut is_cut = found.left_out > 0;
        for person in found.people {
            if input.turned_down.len() >= ROWS_LIMIT {
                is_cut = true;
                break;
            }
            match turned_down(&of, person, &known) {
                Some(row) if is_named(user.as_deref(), Some(&row.user)) => {
                    input.turned_down.push(row);
                }
                Some(_) => {}
                None => nobody += 1,
            }
        }
        if is_cut {
            gathering.cut(
                "people who were refused",
                format!(
                    "a report has at most {ROWS_LIMIT}, and some of {} are left out: ask for one \
                     product, or for less time",
                    of.product
                ),
            );
        }
    }
    if nobody > 0 {
        gathering.note(
            "Some refusals are of people of whom it is not known any more who they were: they are \
             left out.",
        );
    }
    Ok(usher_report::gave_up(&gathering.basis(), input))
}

/// What is known of the time after a refusal.
struct Since {
    until_ms: i64,
    gaps: Gaps,
    now_ms: i64,
    /// Up to when uses may be in files of the archive that cannot be read.
    misses_until_ms: Option<i64>,
}

impl Since {
    async fn of(gathering: &Gathering<'_>, of: &UsedProduct) -> Result<Since, Refusal> {
        let (from_ms, now_ms) = (
            gathering.question.period.from_ms,
            gathering.question.period.now_ms,
        );
        let elsewhere = match of.counted {
            Counted::Here => None,
            // It is known for the times of which files tell, up to now.
            Counted::Elsewhere => {
                let to_ms = now_ms.max(from_ms.saturating_add(1));
                let whole = [Bucket { from_ms, to_ms }];
                let ground = &gathering.ground;
                of_product(gathering.app, of, &whole, now_ms, (WANTS, ground))
                    .await?
                    .elsewhere
            }
        };
        let known = elsewhere.as_ref().unwrap_or(&gathering.ground.known);
        Ok(Since {
            until_ms: known.until_ms,
            gaps: known.gaps.clone(),
            now_ms,
            misses_until_ms: None,
        })
    }

    fn came_back(&self, last_ms: i64, came_back_ms: Option<i64>) -> CameBack {
        if let Some(at_ms) = came_back_ms {
            return CameBack::At(date(at_ms));
        }
        if last_ms > provisional_from_ms(self.until_ms) {
            let why = "less than 15 minutes after the refusal are known so far";
            return CameBack::NotKnown(why.to_owned());
        }
        if self
            .misses_until_ms
            .is_some_and(|until_ms| last_ms <= until_ms)
        {
            let why = "a file of the archive cannot be read that may tell of it";
            return CameBack::NotKnown(why.to_owned());
        }
        match self.gaps.unobserved_ms(last_ms, self.now_ms) {
            0 => CameBack::Never,
            _ => CameBack::NotKnown(
                "for some of the time since then it is not known what was used".to_owned(),
            ),
        }
    }
}

/// None: it is not known any more who it was.
fn turned_down(of: &UsedProduct, it: RefusedPerson, known: &Since) -> Option<TurnedDown> {
    Some(TurnedDown {
        product: of.product.clone(),
        user: it.name?,
        realm: it.realm.unwrap_or_default(),
        computer: it.computer.unwrap_or_default(),
        refusals: it.refusals,
        first_at: date(it.first_ms),
        last_at: date(it.last_ms),
        came_back: known.came_back(it.last_ms, it.came_back_ms),
        reason: it.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_said_only_if_all_of_the_time_since_is_known() {
        let minute_ms = 60_000;
        let since = |until, gaps: Vec<(i64, i64)>| Since {
            until_ms: until * minute_ms,
            gaps: Gaps::of(gaps),
            now_ms: 100 * minute_ms,
            misses_until_ms: None,
        };
        let known = since(100, Vec::new());
        assert_eq!(known.came_back(0, None), CameBack::Never);
        assert_eq!(known.came_back(0, Some(7)), CameBack::At(date(7)));
        let soon = known.came_back(90 * minute_ms, None);
        assert!(matches!(soon, CameBack::NotKnown(_)), "{soon:?}");
        let gap = since(100, vec![(5, 6)]).came_back(0, None);
        assert!(matches!(gap, CameBack::NotKnown(_)), "{gap:?}");
        let mut missing = since(100, Vec::new());
        missing.misses_until_ms = Some(7);
        let unread = missing.came_back(7, None);
        assert!(matches!(unread, CameBack::NotKnown(_)), "{unread:?}");
        assert_eq!(missing.came_back(8, None), CameBack::Never);
        let before = since(100, vec![(5, 6)]).came_back(6, None);
        assert_eq!(before, CameBack::Never);
    }
}
