//! What is wrong with a day that the calendar does not have.

use jiff::civil::Date;

/// What is wrong with `text`, if it looks like a day in figures and is no day; a sentence without
/// its full stop.
pub(super) fn amiss(text: &str) -> Option<String> {
    let text = text.trim();
    let Figures { day, month, year } = figures(text)?;
    if year.len() == 2 {
        return Some(format!(
            "{text:?} may be of any century; write the year with four figures, such as \
             {day:02}.{month:02}.20{year}"
        ));
    }
    let year: i16 = year.parse().ok().filter(|_| year.len() == 4)?;
    if !(1..=12).contains(&month) {
        return Some(format!("{text:?} is not a day: there is no month {month}"));
    }
    let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    let days = u32::try_from(first.days_in_month()).ok()?;
    (!(1..=days).contains(&day)).then(|| {
        let name = first.strftime("%B %Y");
        format!("{text:?} is not a day: {name} has {days} days")
    })
}

/// The parts of a day in figures.
struct Figures<'a> {
    day: u32,
    month: u32,
    year: &'a str,
}

/// `2026-11-31` or `31.11.2026`.
fn figures(text: &str) -> Option<Figures<'_>> {
    let number = |part: &str| {
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    };
    let of = |year: &str, month: &str, day: &str| {
        let is_year = year.bytes().all(|b| b.is_ascii_digit());
        is_year.then_some(())?;
        Some((number(day)?, number(month)?))
    };
    let dashes: Vec<&str> = text.split('-').collect();
    let dots: Vec<&str> = text.split('.').collect();
    let (year, (day, month)) = match (&dashes[..], &dots[..]) {
        ([year, month, day], _) if year.len() == 4 => (*year, of(year, month, day)?),
        (_, [day, month, year]) => (*year, of(year, month, day)?),
        _ => return None,
    };
    Some(Figures { day, month, year })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_a_month_does_not_have_is_told_with_how_many_it_has() {
        for (text, why) in [
            ("2026-11-31", "November 2026 has 30 days"),
            ("31.11.2026", "November 2026 has 30 days"),
            ("2026-02-29", "February 2026 has 28 days"),
            ("2026-01-00", "January 2026 has 31 days"),
            ("2026-13-01", "there is no month 13"),
            ("31.12.26", "such as 31.12.2026"),
        ] {
            let said = amiss(text).unwrap();
            assert!(said.contains(why), "{text}: {said}");
        }
        for text in [
            "2026-11-30",
            "31.12.2026",
            "2024-02-29",
            "7d",
            "1.2",
            "soon",
            "",
            "a.b.c",
        ] {
            assert_eq!(amiss(text), None, "{text}");
        }
    }
}
