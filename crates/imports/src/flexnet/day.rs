//! Days as licence files write them: `31-dec-2026`, also with months of other languages, and what never
//! ends.

use jiff::civil::Date;

use crate::fact::Until;

/// Names of months as they are found, in lower case and without accents: English, German, French,
/// Italian, Spanish.
const MONTHS: [&[&str]; 12] = [
    &[
        "jan", "january", "januar", "janner", "jaenner", "janv", "janvier", "gen", "gennaio",
        "ene", "enero",
    ],
    &[
        "feb", "february", "februar", "fev", "fevr", "fevrier", "febbraio", "febrero",
    ],
    &["mar", "march", "mrz", "marz", "maerz", "mars", "marzo"],
    &["apr", "april", "avr", "avril", "aprile", "abr", "abril"],
    &["may", "mai", "mag", "maggio", "mayo"],
    &["jun", "june", "juni", "juin", "giu", "giugno", "junio"],
    &[
        "jul", "july", "juli", "juil", "juillet", "lug", "luglio", "julio",
    ],
    &["aug", "august", "aou", "aout", "ago", "agosto"],
    &[
        "sep",
        "sept",
        "september",
        "septembre",
        "set",
        "settembre",
        "septiembre",
    ],
    &[
        "oct", "october", "okt", "oktober", "octobre", "ott", "ottobre", "octubre",
    ],
    &["nov", "november", "novembre", "noviembre"],
    &[
        "dec",
        "december",
        "dez",
        "dezember",
        "decembre",
        "dic",
        "dicembre",
        "diciembre",
    ],
];

/// Words for what never ends.
const PERMANENT: [&str; 5] = ["permanent", "permanente", "perpetual", "never", "0"];

/// Reads a day. The year 0, in any number of digits up to four, and `permanent` never end (FLEXnet
/// Licensing End User Guide, table B-1). Years of two digits are 1970 to 2069.
///
/// None: it is no day, or `1/2/2026`, of which nobody can tell the month.
pub(super) fn read(text: &str) -> Option<Until> {
    let text = text.trim();
    if PERMANENT.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(Until::Permanent);
    }
    let by_slash = text.contains('/');
    let mut parts = text
        .split(['-', '/', '.', ' ', '年', '月', '日'])
        .filter(|part| !part.is_empty());
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    if first.len() == 4 && number(first).is_some() {
        return day(first, month(second)?, number(third)?);
    }
    let second_number = number(second);
    match (by_slash, number(first)?, second_number) {
        (true, first, Some(second)) if first <= 12 && second <= 12 && first != second => None,
        (true, first, Some(second)) if second > 12 => day(third, first, second),
        (_, first, _) => day(third, month(second)?, first),
    }
}

fn day(year: &str, month: i16, day: i16) -> Option<Until> {
    let digits = year.len();
    let year = number(year)?;
    if year == 0 {
        return Some(Until::Permanent);
    }
    let year = match (digits, year) {
        (4, year) => year,
        (2, 70..) => year.saturating_add(1900),
        (2, _) => year.saturating_add(2000),
        _ => return None,
    };
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(year, month, day).ok().map(Until::Day)
}

/// From 1 to 12, if the name is known; a number is what it says.
fn month(text: &str) -> Option<i16> {
    if let Some(number) = number(text) {
        return Some(number);
    }
    let name: String = text.chars().filter_map(folded).collect();
    let at = MONTHS
        .iter()
        .position(|names| names.contains(&name.as_str()))?;
    i16::try_from(at).ok()?.checked_add(1)
}

/// A letter in lower case without its accent; none: it is an accent alone.
fn folded(letter: char) -> Option<char> {
    Some(match letter.to_lowercase().next().unwrap_or(letter) {
        'é' | 'è' | 'ê' => 'e',
        'û' | 'ù' | 'ü' => 'u',
        'ä' | 'á' | 'à' => 'a',
        '\u{300}'..='\u{36f}' => return None,
        plain => plain,
    })
}

/// A number of at most four ASCII digits.
fn number(text: &str) -> Option<i16> {
    let digits = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_never_ends_is_known_by_its_word_and_by_the_year_0() {
        for text in [
            "permanent",
            "PERMANENT",
            "0",
            "1-jan-0",
            "1-jan-00",
            "01-Jan-000",
            "1-jan-0000",
            "31-dec-0",
            "1-JANV-0000",
        ] {
            assert_eq!(read(text), Some(Until::Permanent), "{text}");
        }
    }

    #[test]
    fn months_of_other_languages_are_months() {
        for text in [
            "31-dec-2026",
            "31-DEC-2026",
            "31-Dez-2026",
            "31-déc-2026",
            "31-d\u{65}\u{301}c.-2026",
            "31-dic-2026",
            "31-Dezember-2026",
            "31-12-2026",
            "31-12月-2026",
            "2026-12-31",
            "2026/12/31",
            "2026年12月31日",
            "31.12.2026",
            "31/12/2026",
            "12/31/2026",
            "31-dec-26",
        ] {
            assert_eq!(read(text), Some(Until::Day(date(2026, 12, 31))), "{text}");
        }
        for (text, month) in [
            ("1-mai-2026", 5),
            ("1-mrz-2026", 3),
            ("1-März-2026", 3),
            ("1-févr.-2026", 2),
            ("1-août-2026", 8),
            ("1-gen-2026", 1),
            ("1-ene-2026", 1),
            ("1-ott-2026", 10),
            ("1-janv-2026", 1),
            ("1-juil-2026", 7),
            ("1-giu-2026", 6),
            ("1-sept-2026", 9),
        ] {
            assert_eq!(read(text), Some(Until::Day(date(2026, month, 1))), "{text}");
        }
        assert_eq!(read("1-jan-95"), Some(Until::Day(date(1995, 1, 1))));
    }

    #[test]
    fn what_is_no_day_or_may_be_two_is_not_read() {
        for text in [
            "",
            "soon",
            "31-feb-2026",
            "1/2/2026",
            "1-jan",
            "1-jan-2026-1",
            "1-jan-12345",
            "0-jan-2026",
            "1-jan-100",
            "1-13-2026",
            "１-jan-2026",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_fault(text in "\\PC{0,20}") {
            let _ = read(&text);
        }

        #[test]
        fn each_day_is_read_as_it_was_written(year in 1970i16..=9999, month in 1i8..=12, day in 1i8..=28) {
            let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
            let name = names[usize::try_from(month - 1).unwrap()];
            let read = read(&format!("{day:02}-{name}-{year}"));
            prop_assert_eq!(read, Some(Until::Day(date(year, month, day))));
        }
    }
}
