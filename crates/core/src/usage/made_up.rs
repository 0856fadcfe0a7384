//! Sessions of a made-up site, for measurements and tests: working days and weekends, mornings and
//! nights, a few products that many use and many that few use.
//!
//! The same seed gives the same sessions on every computer: it calculates in whole numbers only.

use super::edge::Span;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Beginnings in each hour of a day, out of 1,000, UTC.
const HOURS: [u64; 24] = [
    4, 3, 3, 3, 4, 8, 25, 70, 110, 105, 95, 80, 60, 85, 95, 85, 65, 40, 20, 14, 10, 7, 5, 4,
];
/// Beginnings in each day of a week, out of 1,000, Monday first.
const WEEKDAYS: [u64; 7] = [190, 200, 200, 195, 165, 30, 20];
/// 1 January 1970 was a Thursday.
const WEEKDAY_OF_EPOCH: i64 = 3;

/// What is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeUp {
    /// Another seed gives other sessions.
    pub seed: u64,
    /// How many of them.
    pub sessions: u64,
    /// The first day begins in it, in Unix milliseconds: it is cut to a day UTC.
    pub from_ms: i64,
    /// How many days they begin in, at least 1.
    pub days: u32,
    /// How many products, at least 1.
    pub products: u32,
    /// How many people, at least 1.
    pub people: u32,
}

/// A session that was made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeUpSession {
    /// From 0.
    pub product: u32,
    /// From 0.
    pub person: u32,
    /// From 0: nine of ten sessions are on the person's own computer, which has their number.
    pub computer: u32,
    /// When, of one seat. One in 500 has no length.
    pub span: Span,
}

impl MadeUp {
    /// 10 million sessions of 90 days, 200 products and 10,000 people.
    pub fn quarter_of_a_large_site(seed: u64) -> MadeUp {
        MadeUp {
            seed,
            sessions: 10_000_000,
            from_ms: 1_767_571_200_000,
            days: 90,
            products: 200,
            people: 10_000,
        }
    }

    /// The sessions, ordered by the day in which they begin.
    pub fn iter(&self) -> impl Iterator<Item = MadeUpSession> + use<> {
        let of = *self;
        let first_day = of.from_ms.div_euclid(DAY_MS);
        let days = i64::from(of.days.max(1));
        let weekday = move |day: i64| {
            let weekday = (first_day + day + WEEKDAY_OF_EPOCH).rem_euclid(7);
            WEEKDAYS[usize::try_from(weekday).unwrap_or(0)]
        };
        let all: u128 = (0..days).map(|day| u128::from(weekday(day))).sum();
        let mut numbers = Numbers(of.seed);
        let (mut passed, mut told) = (0_u128, 0_u64);
        (0..days).flat_map(move |day| {
            passed += u128::from(weekday(day));
            // Rounded so that all days together have exactly as many as there should be.
            let up_to = u128::from(of.sessions) * passed / all.max(1);
            let up_to = u64::try_from(up_to).unwrap_or(u64::MAX);
            let many = up_to.saturating_sub(told);
            told = up_to;
            let seed = numbers.draw();
            let begin_ms = first_day.saturating_add(day).saturating_mul(DAY_MS);
            let mut numbers = Numbers(seed);
            (0..many).map(move |_| of.session(begin_ms, &mut numbers))
        })
    }

    fn session(&self, day_ms: i64, numbers: &mut Numbers) -> MadeUpSession {
        let from_ms = day_ms
            .saturating_add(hour(numbers) * HOUR_MS)
            .saturating_add(numbers.below(HOUR_MS.unsigned_abs()).cast_signed());
        let person = numbers.below_u32(self.people);
        let computer = match numbers.below(10) {
            0 => numbers.below_u32(self.people),
            _ => person,
        };
        MadeUpSession {
            product: product(self.products, numbers),
            person,
            computer,
            span: Span {
                from_ms,
                until_ms: from_ms.saturating_add(length_ms(numbers)),
                seats: 1,
            },
        }
    }
}

fn hour(numbers: &mut Numbers) -> i64 {
    let mut left = numbers.below(HOURS.iter().sum());
    for (hour, weight) in (0..).zip(HOURS) {
        if left < weight {
            return hour;
        }
        left -= weight;
    }
    0
}

/// The first products are used most: two thirds of the sessions are of an eighth of them.
fn product(products: u32, numbers: &mut Numbers) -> u32 {
    let (one, two) = (numbers.below(1 << 20), numbers.below(1 << 20));
    let three = numbers.below(1 << 20);
    let skewed = (u128::from(one) * u128::from(two) * u128::from(three)) >> 40;
    let number = (u128::from(products.max(1)) * skewed) >> 20;
    u32::try_from(number).unwrap_or(0)
}

/// Most last minutes, some hours, a few all night.
fn length_ms(numbers: &mut Numbers) -> i64 {
    let longest_ms = match numbers.below(500) {
        0 => return 0,
        1..=9 => 30 * HOUR_MS,
        10..=149 => 9 * HOUR_MS,
        _ => HOUR_MS,
    };
    let part = numbers.below(1 << 20);
    let skewed = (part * part) >> 20;
    let ms = (u128::from(skewed) * u128::from(longest_ms.unsigned_abs())) >> 20;
    i64::try_from(ms).unwrap_or(0).max(1)
}

/// Numbers that look random, from a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `limit`, or 0.
    fn below(&mut self, limit: u64) -> u64 {
        let number = (u128::from(self.draw()) * u128::from(limit)) >> 64;
        u64::try_from(number).unwrap_or(0)
    }

    fn below_u32(&mut self, limit: u32) -> u32 {
        u32::try_from(self.below(u64::from(limit))).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_sessions_and_as_many_as_were_asked_for() {
        let made_up = MadeUp {
            sessions: 20_003,
            ..MadeUp::quarter_of_a_large_site(7)
        };
        let sessions: Vec<MadeUpSession> = made_up.iter().collect();
        assert_eq!(sessions.len(), 20_003);
        assert!(made_up.iter().eq(sessions.iter().copied()));
        let other = MadeUp { seed: 8, ..made_up };
        assert!(other.iter().ne(sessions.iter().copied()));
        for session in &sessions {
            assert!(
                session.product < 200 && session.person < 10_000,
                "{session:?}"
            );
            assert!(session.span.from_ms >= made_up.from_ms, "{session:?}");
        }
        let first = sessions.iter().filter(|session| session.product < 25);
        assert!(first.count() * 2 > sessions.len());
    }
}
