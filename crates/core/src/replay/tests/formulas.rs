//! The formulas of teletraffic theory (Erlang 1917, Engset 1918), and demand by their laws.

use crate::replay::chance;

/// Share of asks that are refused if `erlangs` are offered to `seats`, whatever the law of holding.
pub(super) fn erlang_b(seats: u32, erlangs: f64) -> f64 {
    (1..=seats).fold(1.0, |before, count| {
        let offered = erlangs * before;
        offered / (f64::from(count) + offered)
    })
}

/// Share of asks that wait if all who find no seat wait, and seats are held for exponential times.
pub(super) fn erlang_c(seats: u32, erlangs: f64) -> f64 {
    let blocked = erlang_b(seats, erlangs);
    let seats = f64::from(seats);
    seats * blocked / (seats - erlangs * (1.0 - blocked))
}

/// Share of asks that are refused if each of so many people, while it holds nothing, asks at
/// `ratio` times the rate at which a seat comes back.
pub(super) fn engset(people: u32, seats: u32, ratio: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for held in 1..=seats {
        let others = f64::from(people) - f64::from(held);
        term *= others / f64::from(held) * ratio;
        sum += term;
    }
    term / sum
}

/// A stream of random numbers.
pub(super) struct Stream {
    seed: u64,
    next: u32,
}

impl Stream {
    pub(super) fn new(seed: u64) -> Stream {
        Stream { seed, next: 0 }
    }

    /// Between 0 and 1, neither of them.
    pub(super) fn uniform(&mut self) -> f64 {
        self.next += 1;
        let number = chance::number(self.seed, 0, self.next) >> 11;
        (number as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Of an exponential law with that mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -self.uniform().ln() * mean
    }
}

/// That the mean of independent values is the formula's within the larger of 1 % and three standard
/// errors.
pub(super) fn assert_is_near(what: &str, values: &[f64], formula: f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let tolerance = (formula * 0.01).max(3.0 * error);
    assert!(
        (mean - formula).abs() <= tolerance,
        "{what}: {mean} instead of {formula}, with a standard error of {error}"
    );
}

#[test]
fn the_formulas_give_the_values_of_the_tables() {
    let is_near = |value: f64, table: f64| (value - table).abs() < 0.000_5;
    assert!(is_near(erlang_b(10, 8.0), 0.1217));
    assert!(is_near(erlang_b(1, 1.0), 0.5));
    assert!(is_near(erlang_c(10, 8.0), 0.4092));
    assert!(
        is_near(erlang_c(1, 0.7), 0.7),
        "one seat: the share of its time in use"
    );
    assert!(
        is_near(engset(2, 1, 1.0), 0.5),
        "the other one holds the seat half of the time"
    );
    assert!(is_near(engset(5, 5, 0.3), 0.0), "a seat for each");
}
