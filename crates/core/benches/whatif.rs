//! What-if alone, on one thread: asks that are decided each second, with seats enough and with too
//! few.
//!
//! `cargo bench -p usher-core --bench whatif`; the bar is a million asks with 20 numbers of seats in
//! less than 15 s on two cores, so 670,000 asks a second and core with one draw. Asks of unknown
//! length are drawn 20 times, so with them a what-if takes up to 20 times as long.

use divan::counter::ItemsCount;
use usher_core::replay::*;

fn main() {
    divan::main();
}

const ASKS: u64 = 200_000;
/// Each of so many people asks in turn.
const PEOPLE: u64 = 2_000;
/// Milliseconds from one ask to the next in the middle of the day.
const PACE_MS: u64 = 3_000;
/// The longest time that a seat is held, in milliseconds: half of it on average.
const LONGEST_MS: u64 = 3_600_000;

/// Days with few asks by night, so that 600 seats are in use at once at the most, nearly.
fn recording(refused_of_100: u64) -> Recording {
    let mut state = 7_u64;
    let mut number = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut at_ms = 0_u64;
    let asks: Vec<Ask> = (0..ASKS)
        .map(|_| {
            let is_night = (at_ms / 43_200_000) % 2 == 1;
            let slower = if is_night { 10 } else { 1 };
            at_ms += number(2 * PACE_MS * slower);
            let held_ms = Some(number(LONGEST_MS));
            Ask {
                at_ms: at_ms as i64,
                person: number(PEOPLE),
                computer: 1,
                seats: 1,
                waits: Waits::No,
                priority: 0,
                outcome: match number(100) < refused_of_100 {
                    true => Outcome::Refused,
                    false => Outcome::Granted { held_ms },
                },
            }
        })
        .collect();
    Recording {
        product: "cad".to_owned(),
        until_ms: at_ms as i64 + 1,
        asks,
        ..Recording::default()
    }
}

fn replay(bencher: divan::Bencher<'_, '_>, recording: &Recording, seats: u32, on_full: OnFull) {
    let prepared = Prepared::of(recording);
    let parameters = Parameters {
        on_full,
        ..Parameters::of([seats])
    };
    let draw = prepared.draw(0, 0);
    bencher
        .counter(ItemsCount::new(ASKS))
        .bench_local(|| prepared.replay(seats, &parameters, &draw, &mut |_| true));
}

#[divan::bench(args = [400, 550, 700], sample_count = 20)]
fn refused_if_full(bencher: divan::Bencher<'_, '_>, seats: u32) {
    replay(bencher, &recording(0), seats, OnFull::Deny);
}

#[divan::bench(args = [400, 550, 700], sample_count = 20)]
fn queued_if_full(bencher: divan::Bencher<'_, '_>, seats: u32) {
    replay(bencher, &recording(0), seats, OnFull::Wait);
}

#[divan::bench(args = [550], sample_count = 20)]
fn one_draw_with_unknown_lengths(bencher: divan::Bencher<'_, '_>, seats: u32) {
    replay(bencher, &recording(10), seats, OnFull::Deny);
}

#[divan::bench(sample_count = 20)]
fn a_recording_is_prepared(bencher: divan::Bencher<'_, '_>) {
    let recording = recording(10);
    bencher
        .counter(ItemsCount::new(ASKS))
        .bench_local(|| Prepared::of(&recording));
}

#[divan::bench(sample_count = 20)]
fn unknown_lengths_are_drawn(bencher: divan::Bencher<'_, '_>) {
    let prepared = Prepared::of(&recording(10));
    bencher
        .counter(ItemsCount::new(ASKS))
        .bench_local(|| prepared.draw(0, 0));
}
