//! Whatever happens meanwhile: of random starts of ten products by twenty people never more seats
//! are out than owned, none waits longer than it may, and each run is one whole session in the end.
//!
//! `cargo xtask soak storm` has ten thousand starts; the seed of a storm that failed makes the same
//! dice fall again (`USHER_STORM_SEED`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::storm::dice::Dice;
use crate::storm::judge::Judge;
use crate::storm::now_ms;
use crate::storm::products::TTL_SECONDS;
use crate::storm::site::Site;
use crate::storm::users::start_programs;
use crate::storm::weather::Weather;

const SEED: &str = "USHER_STORM_SEED";
/// How many starts, if not ten thousand.
const STARTS: &str = "USHER_STORM_STARTS";

#[test]
fn five_hundred_starts_in_a_storm_are_kept_right() {
    weather_a_storm(500, Duration::from_secs(4), Duration::from_secs(150));
}

#[test]
#[ignore = "lasts some minutes: `cargo xtask soak storm` runs it"]
fn ten_thousand_starts_in_a_storm_are_kept_right() {
    let count = number(STARTS).unwrap_or(10_000);
    // Longer than a lease lives without renewal.
    let longest = Duration::from_secs(TTL_SECONDS + 3);
    weather_a_storm(count as usize, longest, Duration::from_secs(3_000));
}

fn weather_a_storm(count: usize, longest_trouble: Duration, at_most: Duration) {
    let seed = number(SEED).unwrap_or_else(|| now_ms().cast_unsigned());
    println!("{SEED}={seed}");
    let dice = Dice::of(seed);
    let Some(site) = Site::up(at_most) else {
        return;
    };
    let place = site.place.clone();
    let judge = Judge::follow(&site);
    let is_over = AtomicBool::new(false);
    let weather = Weather::over(site, dice.child(1_000), longest_trouble);
    let (starts, (site, log)) = std::thread::scope(|scope| {
        let weather = scope.spawn(|| weather.rage(&is_over));
        let starts = start_programs(&place, &dice, count);
        is_over.store(true, Ordering::Relaxed);
        (starts, weather.join().unwrap())
    });
    let wrong = judge.judges(site, &starts, &log);
    assert!(wrong.is_empty(), "{SEED}={seed}\n{}", wrong.join("\n"));
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
