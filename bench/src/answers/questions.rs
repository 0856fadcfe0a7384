//! What a manager does for `GET /v1/usage` and for reports, of one product and of all, asked of a filled
//! site.

use std::sync::Arc;
use std::time::Instant;

use jiff::tz::TimeZone;
use usher_core::usage::made_up::MadeUp;
use usher_core::usage::{Beside, Bucket, Counted, Gaps, Grain, buckets, items, judged};
use usher_site::{SumsAsked, UsedAsked, UsedBy, UsedParts};

use super::asked::{GOAL, REPORT_LINES, asked};
use super::fill::Filling;
use super::goals::{Figure, Goal, Unit};
use super::making::product_id;
use super::past::DAY_MS;
use super::whose;
use crate::beside::table::grouped;

/// Days of products that are packed in one call, as a manager does.
const PACKED_AT_ONCE: u32 = 10;
/// Items on a page: the most that the route gives.
const PAGE: usize = 1_000;

const GRAINS: [(Grain, &str); 5] = [
    (Grain::Hour, "by hours"),
    (Grain::Day, "by days"),
    (Grain::Week, "by weeks"),
    (Grain::Month, "by months"),
    (Grain::Whole, "as one stretch"),
];

/// What a report of levels asks for: peaks, heat maps, products that are not used.
const LEVELS: UsedParts = UsedParts {
    levels: true,
    who: false,
    wants: false,
};

/// Packs the days that are over, as a manager does in the background; how long that takes.
pub(super) fn pack(filling: &Filling, made_up: &MadeUp) -> Result<Figure, String> {
    eprintln!("packed: the days");
    // Some sessions last for longer than the last day in which one begins.
    let days = i64::from(made_up.days).saturating_add(3);
    let end_ms = made_up.from_ms.saturating_add(days.saturating_mul(DAY_MS));
    let began = Instant::now();
    loop {
        let packed = filling.site.pack_days(end_ms, PACKED_AT_ONCE);
        let packed = filling.runtime.block_on(packed);
        if packed.map_err(|error| error.to_string())? == 0 {
            break;
        }
    }
    let took = began.elapsed().as_secs_f64();
    let what = "packing all days, in the background";
    Ok(Figure::new(what, Goal::None, took, Unit::Seconds))
}

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
    let mut figures = vec![pack(filling, made_up)?];
    for (whose, products) in [("the busiest product", &busiest[..]), (&*several, &*all)] {
        for ((grain, by), (of, parts)) in GRAINS
            .into_iter()
            .flat_map(|grain| [(grain, ("use", UsedParts::ALL)), (grain, ("peaks", LEVELS))])
        {
            let stretches =
                buckets(from_ms, to_ms, grain, zone).map_err(|error| error.to_string())?;
            let answered = products.len() * stretches.len();
            let plural = if answered == 1 { "" } else { "s" };
            let what = format!(
                "{of} of {whose} {by}, {} item{plural}",
                grouped(answered as f64)
            );
            let goal = match answered <= REPORT_LINES {
                true => Goal::AtMost(GOAL),
                false => Goal::None,
            };
            figures.push(asked(what, goal, rounds, || {
                match ask(filling, products, &stretches, parts)? {
                    given if given == answered => Ok(()),
                    given => Err(format!("{given} items were given instead of {answered}")),
                }
            })?);
        }
        for (by, each) in [(UsedBy::Person, "people"), (UsedBy::Computer, "computers")] {
            let what =
                format!("{each} of {whose}, with how long each used it, 10,000 rows at most");
            figures.push(asked(what, Goal::AtMost(GOAL), rounds, || {
                // A report has no room for more.
                let mut rows = 0;
                for product in products {
                    rows += ask_sums(filling, product, by, (from_ms, to_ms))?;
                    if rows >= REPORT_LINES {
                        break;
                    }
                }
                Ok(())
            })?);
        }
    }
    figures.extend(whose::figures(filling, &all, (from_ms, to_ms), rounds)?);
    figures.push(asked(
        "when each product was last used".to_owned(),
        Goal::AtMost(GOAL),
        rounds,
        || {
            let last = filling.site.last_used(String::new(), PAGE as u32);
            let last = filling.runtime.block_on(last);
            last.map(drop).map_err(|error| error.to_string())
        },
    )?);
    Ok(figures)
}

/// Who used a product in a time, and for how long: so many rows.
fn ask_sums(
    filling: &Filling,
    product: &str,
    by: UsedBy,
    (from_ms, to_ms): (i64, i64),
) -> Result<usize, String> {
    let asked = SumsAsked {
        product: product.to_owned(),
        counted: Counted::Here,
        by,
        from_ms,
        to_ms,
        people: None,
        running: Vec::new(),
        limit: REPORT_LINES as u32,
    };
    let sums = filling.runtime.block_on(filling.site.use_sums(asked));
    let sums = sums.map_err(|error| error.to_string())?;
    Ok(std::hint::black_box(sums.rows).len())
}

/// All pages of an answer; how many items they have. Nothing is running, and nothing is owned.
fn ask(
    filling: &Filling,
    products: &[String],
    stretches: &[Bucket],
    parts: UsedParts,
) -> Result<usize, String> {
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
            let found = of_product(filling, product, now, parts)?;
            left_of_page -= now.len();
            given += found;
            rest = later;
        }
    }
    Ok(given)
}

fn of_product(
    filling: &Filling,
    product: &str,
    stretches: &[Bucket],
    parts: UsedParts,
) -> Result<usize, String> {
    let now_ms = i64::MAX;
    let asked = UsedAsked {
        product: product.to_owned(),
        counted: Counted::Here,
        buckets: stretches.to_vec(),
        now_ms,
        gaps: Gaps::default(),
        running: Vec::new(),
        parts,
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
