//! `position`: entitlements, and the figures of use. What was refused for good is decided again with
//! other numbers of seats if one product is asked for; of all at once that takes too long.

use usher_api::{CountedBy, Report};
use usher_report::{Figures, Need, PositionInput};
use usher_site::UsedParts;

use super::gathering::Gathering;
use crate::problem::Refusal;
use crate::routes::whatif::{Needed, seats_for_all};

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let entitlements = gathering.owned().await?;
    let figures = gathering.whole_figures(UsedParts::ALL).await?;
    let needs = match gathering.question.product().map(str::to_owned) {
        Some(product) => needed(&mut gathering, &product, &figures).await?,
        None => {
            gathering.note(
                "What is needed is taken from use and refusals. Ask for one product with refusals, \
                 and what it needs is worked out from what was asked for; `usher whatif PRODUCT \
                 --seats 5..12` shows what other numbers of seats would have come to.",
            );
            Vec::new()
        }
    };
    Ok(usher_report::position(
        &gathering.basis(),
        PositionInput {
            entitlements,
            figures,
            needs,
        },
    ))
}

/// What the product needs, if somebody was refused for good here. Else what was used says it.
async fn needed(
    gathering: &mut Gathering<'_>,
    product: &str,
    figures: &Figures,
) -> Result<Vec<Need>, Refusal> {
    let mut items = figures.whole.iter().filter(|it| it.product == product);
    let here = items.find(|it| it.counted == CountedBy::Here);
    let Some(item) = here.filter(|it| it.denials.for_good > 0) else {
        return Ok(Vec::new());
    };
    let period = &gathering.question.period;
    let (time, now_ms) = ((period.from_ms, gathering.until_ms()), period.now_ms);
    match seats_for_all(gathering.app, product, time, now_ms).await? {
        Needed::Seats { seats, asks } => Ok(vec![Need {
            product: product.to_owned(),
            // Seats beyond what is owned may have been used, by an overdraft.
            seats: u64::from(seats).max(item.peak),
            why: format!("what-if over {asks} asks: the fewest seats that refuse nobody"),
        }]),
        Needed::NotKnown(why) => {
            gathering.note(format!(
                "What would have served who was refused was not worked out: {why}."
            ));
            Ok(Vec::new())
        }
    }
}
