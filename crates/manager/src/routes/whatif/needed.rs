//! How many seats would have served everybody: the smallest number with which a what-if refuses nobody.

use std::sync::Arc;

use usher_api::{OnFull, WHATIF_SEATS_LIMIT};
use usher_core::replay::{Parameters, Prepared, recorded};

use super::asked::Asked;
use super::held::Held;
use super::past;
use super::replays::{Stopped, on_cores};
use crate::app::App;
use crate::kept_replays::Results;
use crate::problem::Refusal;

/// What is replayed at the most, of leases, sessions, waits and refusals: a report waits for it.
const ITEMS_LIMIT: usize = 50_000;

/// A number of seats, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Needed {
    /// So many would have served everybody, by so many asks.
    Seats { seats: u32, asks: u64 },
    /// Why that is not known, as the end of a sentence.
    NotKnown(String),
}

/// Works it out for a product from what was asked for from the first instant to the second, in Unix
/// milliseconds.
pub(crate) async fn seats_for_all(
    app: &Arc<App>,
    product: &str,
    (from_ms, until_ms): (i64, i64),
    now_ms: i64,
) -> Result<Needed, Refusal> {
    let asked = Asked {
        product: product.to_owned(),
        parameters: Parameters::of([]),
        on_full: OnFull::AsRecorded,
        from_ms: Some(from_ms),
        until_ms: Some(until_ms),
        now_ms,
    };
    let site = &app.tools.site;
    let (past, held) = tokio::join!(
        past::read_at_most(site, &asked, ITEMS_LIMIT),
        Held::of(app, &asked)
    );
    let Some(past) = past? else {
        return Ok(Needed::NotKnown(format!(
            "more than {ITEMS_LIMIT} leases, sessions, waits and refusals are recorded in that time"
        )));
    };
    let Some(turn) = app.turns.next().await else {
        let why = "what-ifs keep the cores of the manager's computer busy";
        return Ok(Needed::NotKnown(why.to_owned()));
    };
    let frame = past.frame(&asked, &held);
    let mut items = past.items;
    items.extend(held.leases(&past.sources));
    let found = on_cores(turn, move |cores| -> Result<Needed, Stopped> {
        let made = recorded(frame, &items);
        let prepared = Prepared::of(&made.recording);
        let with = |seats| cores.answer(&prepared, &Parameters::of([seats]), &Results::new());
        if let Some(why) = with(1)?.why {
            return Ok(Needed::NotKnown(why));
        }
        let refused = |seats| -> Result<u64, Stopped> {
            Ok(with(seats)?.results.first().map_or(0, |it| it.denied))
        };
        Ok(match smallest(WHATIF_SEATS_LIMIT, refused)? {
            Some(seats) => Needed::Seats {
                seats,
                asks: prepared.asks(),
            },
            None => Needed::NotKnown(format!("{WHATIF_SEATS_LIMIT} seats refuse somebody")),
        })
    });
    // It has stopped with a panic, for this waits for it.
    let stopped = |_| Needed::NotKnown("it stopped with a fault, which is in the log".to_owned());
    Ok(found.await.unwrap_or_else(stopped))
}

/// The smallest number from 1 to `limit` with which nobody is refused, if more seats never refuse more
/// people. None: even that many refuse somebody.
fn smallest<E>(
    limit: u32,
    mut refused: impl FnMut(u32) -> Result<u64, E>,
) -> Result<Option<u32>, E> {
    let (mut too_few, mut enough) = (0, 1);
    while refused(enough)? > 0 {
        if enough >= limit {
            return Ok(None);
        }
        too_few = enough;
        enough = enough.saturating_mul(2).min(limit);
    }
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        match refused(middle)? {
            0 => enough = middle,
            _ => too_few = middle,
        }
    }
    Ok(Some(enough))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_number_that_refuses_nobody_is_found_in_few_steps() {
        for limit in [1, 2, 7, 1_000_000] {
            for needed in [1, 2, 3, 6, 7, 8, 65_535, 65_536, 999_999, 1_000_000] {
                let mut steps = 0;
                let found = smallest(limit, |seats| {
                    steps += 1;
                    assert!((1..=limit).contains(&seats));
                    Ok::<u64, ()>(u64::from(needed).saturating_sub(u64::from(seats)))
                });
                let expected = (needed <= limit).then_some(needed);
                assert_eq!(found, Ok(expected), "{needed} of {limit}");
                assert!(steps <= 42, "{steps}");
            }
        }
        assert_eq!(smallest(5, |_| Err("stopped")), Err("stopped"));
    }
}
