//! Service levels: `95% within 5m`.

use std::fmt;
use std::str::FromStr;

/// Millionths of a whole.
const WHOLE: u32 = 1_000_000;

/// So large a share of the asks is to be granted within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceLevel {
    /// The share, in millionths, from 1 to 1,000,000.
    pub share_millionths: u32,
    /// Seconds from the first ask of a wish to its grant.
    pub within_seconds: u64,
}

/// A text that is no service level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a service level: write a share and a time, such as \"95% within 5m\" (s, m, h and \
     d; \"within 0s\" is at once)"
)]
pub struct NotALevel(pub String);

impl ServiceLevel {
    /// Whether it is kept if so many of the asks were granted in time. Of no ask it is.
    pub fn is_kept(&self, in_time: u64, asks: u64) -> bool {
        let wanted = u128::from(self.share_millionths).saturating_mul(u128::from(asks));
        u128::from(in_time).saturating_mul(u128::from(WHOLE)) >= wanted
    }
}

impl FromStr for ServiceLevel {
    type Err = NotALevel;

    /// Reads a share in percent with at most four decimals, `within`, and a time such as `5m`,
    /// `90s` or `1h30m`. Blanks do not matter, nor does the case of letters.
    fn from_str(text: &str) -> Result<ServiceLevel, NotALevel> {
        let wrong = || NotALevel(text.chars().take(64).collect());
        let lower = text.to_ascii_lowercase();
        let (share, within) = lower.split_once("within").ok_or_else(wrong)?;
        let percent = share.trim().strip_suffix('%').ok_or_else(wrong)?;
        Ok(ServiceLevel {
            share_millionths: share_of(percent.trim()).ok_or_else(wrong)?,
            within_seconds: seconds_of(within).ok_or_else(wrong)?,
        })
    }
}

/// Millionths of a share in percent.
fn share_of(percent: &str) -> Option<u32> {
    let (units, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !are_digits(units) || !are_digits(decimals) || decimals.len() > 4 {
        return None;
    }
    let units: u32 = units.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
    let share = units.checked_mul(10_000)?.checked_add(decimals)?;
    (1..=WHOLE).contains(&share).then_some(share)
}

/// Seconds of numbers with units, one after the other.
fn seconds_of(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut number: Option<u64> = None;
    let mut has_unit = false;
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        if let Some(digit) = letter.to_digit(10) {
            let so_far = number.unwrap_or(0).checked_mul(10)?;
            number = Some(so_far.checked_add(u64::from(digit))?);
            continue;
        }
        let unit_seconds = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let seconds = number.take()?.checked_mul(unit_seconds)?;
        total = total.checked_add(seconds)?;
        has_unit = true;
    }
    (has_unit && number.is_none()).then_some(total)
}

impl fmt::Display for ServiceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, decimals) = (
            self.share_millionths / 10_000,
            self.share_millionths % 10_000,
        );
        write!(f, "{units}")?;
        if decimals > 0 {
            let text = format!("{decimals:04}");
            write!(f, ".{}", text.trim_end_matches('0'))?;
        }
        f.write_str("% within ")?;
        let seconds = self.within_seconds;
        let parts = [
            (seconds / 86_400, 'd'),
            (seconds / 3_600 % 24, 'h'),
            (seconds / 60 % 60, 'm'),
            (seconds % 60, 's'),
        ];
        for (count, unit) in parts {
            if count > 0 || (unit == 's' && seconds == 0) {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_service_level_is_read_as_people_write_it() {
        let level = |share_millionths, within_seconds| {
            Ok(ServiceLevel {
                share_millionths,
                within_seconds,
            })
        };
        assert_eq!("95% within 5m".parse(), level(950_000, 300));
        assert_eq!("99.5 % WITHIN 1h30m".parse(), level(995_000, 5_400));
        assert_eq!("100%within 0s".parse(), level(1_000_000, 0));
        assert_eq!(" 0.0001% within 2 d ".parse(), level(1, 172_800));
        for wrong in [
            "",
            "95%",
            "95 within 5m",
            "within 5m",
            "0% within 5m",
            "100.1% within 5m",
            "95% within",
            "95% within 5",
            "95% within m",
            "95% within 5x",
            "9,5% within 5m",
            "95.12345% within 5m",
            "95% within 99999999999999999999d",
            "99999999999% within 5m",
            "-5% within 5m",
            "µ% within 5µ",
        ] {
            assert!(wrong.parse::<ServiceLevel>().is_err(), "{wrong} was read");
        }
    }

    #[test]
    fn a_level_is_kept_from_its_very_share_on() {
        let level: ServiceLevel = "95% within 5m".parse().unwrap();
        assert!(level.is_kept(95, 100));
        assert!(!level.is_kept(94, 100));
        assert!(level.is_kept(0, 0));
        assert!(level.is_kept(u64::MAX, u64::MAX));
    }

    proptest! {
        #[test]
        fn a_level_is_read_back_as_it_is_shown(
            share_millionths in 1_u32..=WHOLE,
            within_seconds in 0_u64..10_000_000,
        ) {
            let level = ServiceLevel { share_millionths, within_seconds };
            prop_assert_eq!(level.to_string().parse::<ServiceLevel>(), Ok(level));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<ServiceLevel>();
        }
    }
}
