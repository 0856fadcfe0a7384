//! What a manager does for `GET /v1/usage`, of one product and of all, asked of a filled site.

use std::sync::Arc;
use std::time::Instant;

use jiff::tz::TimeZone;
use usher_core::usage::made_up::MadeUp;
use usher_core::usage::{Beside, Bucket, Counted, Gaps, Grain, buckets, items, judged};
use usher_site::UsedAsked;

use super::fill::Filling;
use super::goals::{Figure, Goal, Unit};
use super::making::product_id;
use super::past::DAY_MS;
use crate::beside::table::grouped;
use crate::figures::median;

/// Each question, in seconds.
const GOAL: f64 = 0.5;
/// Items on a page: the most that the route gives.
const PAGE: usize = 1_000;

const GRAINS: [(Grain, &str); 5] = [
    (Grain::Hour, "by hours"),
    (Grain::Day, "by days"),
    (Grain::Week, "by weeks"),
    (Grain::Month, "by months"),
    (Grain::Whole, "as one stretch"),
];

/// Asks each question so many times, on the clock of a zone, and gives the median of each.
pub(super) fn figures(
    filling: &Filling,
    made_up: &MadeUp,
    zone: &TimeZone,
    rounds: usize,
) -> Result<Vec<Figure>, String> {
    let from_ms = made_up.from_ms;
    let to_ms = from_ms.saturating_add(i64::from(made_up.days).saturating_mul(DAY_MS));
    // The first product is used most.
    let busiest = [product_id(0)];
    let all: Vec<String> = (0..made_up.products).map(product_id).collect();
    let several = format!("{} products", all.len());
    let mut figures = Vec::new();
    for (whose, products) in [("the busiest product", &busiest[..]), (&*several, &*all)] {
        for (grain, by) in GRAINS {
            let stretches =
                buckets(from_ms, to_ms, grain, zone).map_err(|error| error.to_string())?;
            let answered = products.len() * stretches.len();
            let plural = if answered == 1 { "" } else { "s" };
            let what = format!(
                "use of {whose} {by}, {} item{plural}",
                grouped(answered as f64)
            );
            eprintln!("asked: {what}");
            let mut seconds = Vec::new();
            for _ in 0..rounds {
                let began = Instant::now();
                let given = ask(filling, products, &stretches)?;
                seconds.push(began.elapsed().as_secs_f64());
                if given != answered {
                    return Err(format!("{given} items were given instead of {answered}"));
                }
            }
            let goal = Goal::AtMost(GOAL);
            figures.push(Figure::new(what, goal, median(&seconds), Unit::Seconds));
        }
    }
    Ok(figures)
}

/// All pages of an answer; how many items they have. Nothing is running, and nothing is owned.
fn ask(filling: &Filling, products: &[String], stretches: &[Bucket]) -> Result<usize, String> {
    let Filling { site, runtime } = filling;
    let failed = |error: usher_site::SiteError| error.to_string();
    let mut given = 0;
    let mut left_of_page = 0_usize;
    for product in products {
        let mut rest = stretches;
        while !rest.is_empty() {
            if left_of_page == 0 {
                // As each page begins.
                runtime.block_on(site.used_record()).map_err(failed)?;
                let known = site.used_products(product.clone(), PAGE as u32 + 1);
                runtime.block_on(known).map_err(failed)?;
                left_of_page = PAGE;
            }
            let (now, later) = rest.split_at(rest.len().min(left_of_page));
            let found = of_product(filling, product, now)?;
            left_of_page -= now.len();
            given += found;
            rest = later;
        }
    }
    Ok(given)
}

fn of_product(filling: &Filling, product: &str, stretches: &[Bucket]) -> Result<usize, String> {
    let now_ms = i64::MAX;
    let asked = UsedAsked {
        product: product.to_owned(),
        counted: Counted::Here,
        buckets: stretches.to_vec(),
        now_ms,
        gaps: Gaps::default(),
        running: Vec::new(),
    };
    let used = filling.runtime.block_on(filling.site.used(asked));
    let used = used.map_err(|error| error.to_string())?;
    let denials = judged(&used.denials, used.granted.iter().copied(), now_ms);
    let gaps = Gaps::default();
    let beside = Beside {
        product: &Arc::from(product),
        gaps: &gaps,
        denials: &denials,
        waits: &used.waits,
        now_ms,
        known_until_ms: now_ms,
    };
    let items = items(Counted::Here, stretches, &used.lines, &used.who, &beside);
    Ok(std::hint::black_box(items).len())
}
