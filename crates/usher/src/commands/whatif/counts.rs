//! Numbers of seats, as people write them: `5..12`, `2,4,6`, `100..500/20`.

use usher_api::{WHATIF_COUNTS_LIMIT, WHATIF_SEATS_LIMIT};

/// Numbers of seats to try, in ascending order, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts(pub(super) Vec<u32>);

/// Reads numbers and ranges of them, with commas between. A range has both its ends, and may have a
/// step.
pub(super) fn counts(text: &str) -> Result<Counts, String> {
    let mut all: Vec<u32> = Vec::new();
    for part in text.split(',') {
        let range = range(part.trim()).ok_or_else(|| {
            format!("{text:?} is no list of numbers; write it like 5..12, 2,4,6 or 100..500/20")
        })?;
        let (first, last, step) = range;
        if first > last {
            return Err(format!("{first}..{last} ends before it begins"));
        }
        if last > WHATIF_SEATS_LIMIT {
            return Err(format!("{last} is more than {WHATIF_SEATS_LIMIT} seats"));
        }
        let many = u64::from(last - first) / u64::from(step) + 1;
        if many > WHATIF_COUNTS_LIMIT as u64 {
            return Err(too_many(first, last));
        }
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        all.extend((first..=last).step_by(step));
    }
    all.sort_unstable();
    all.dedup();
    match all.len() {
        many if many > WHATIF_COUNTS_LIMIT => Err(format!(
            "{text:?} has {many} numbers of seats, and {WHATIF_COUNTS_LIMIT} are tried at most"
        )),
        _ => Ok(Counts(all)),
    }
}

/// The ends of a range and its step, 1 or more.
fn range(text: &str) -> Option<(u32, u32, u32)> {
    let (ends, step) = match text.split_once('/') {
        Some((ends, step)) => (
            ends,
            step.trim().parse::<u32>().ok().filter(|step| *step > 0)?,
        ),
        None => (text, 1),
    };
    let (first, last) = ends.split_once("..").unwrap_or((ends, ends));
    // As in a Rust program, too.
    let last = last.strip_prefix('=').unwrap_or(last);
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?, step))
}

fn too_many(first: u32, last: u32) -> String {
    let apart = u64::from(last - first);
    let step = apart / (WHATIF_COUNTS_LIMIT as u64 - 1) + 1;
    format!(
        "{first}..{last} are {} numbers of seats, and {WHATIF_COUNTS_LIMIT} are tried at most: \
         {first}..{last}/{step} tries some of them",
        apart + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<u32> {
        counts(text).unwrap().0
    }

    #[test]
    fn numbers_of_seats_are_read_as_people_write_them() {
        assert_eq!(read("5..8"), [5, 6, 7, 8]);
        assert_eq!(read("5..=8"), [5, 6, 7, 8]);
        assert_eq!(read("7"), [7]);
        assert_eq!(read("0"), [0]);
        assert_eq!(read("6, 2,4,2"), [2, 4, 6]);
        assert_eq!(read("10..30/10,12"), [10, 12, 20, 30]);
        assert_eq!(read("1..100").len(), 100);
    }

    #[test]
    fn what_is_no_list_of_numbers_or_too_long_a_one_is_refused_with_what_would_do() {
        for wrong in [
            "",
            "a",
            "1..",
            "..5",
            "1-5",
            "5..1",
            "1..5/0",
            "-1",
            "1,,2",
            "1..5/x",
            "4294967296",
        ] {
            assert!(counts(wrong).is_err(), "{wrong}");
        }
        let why = counts("10..500").unwrap_err();
        assert!(
            why.contains("491 numbers") && why.contains("10..500/5"),
            "{why}"
        );
        assert!(counts("10..500/5").is_ok());
        assert!(counts("1..100,200").is_err());
        assert!(counts("0..4000000000/2000000000").is_err());
        // Whatever its length, the step that is proposed will do.
        for last in [100, 101, 150, 199, 200, 1_000, 999_999_999] {
            let why = counts(&format!("0..{last}")).unwrap_err();
            let (_, proposed) = why.split_once(": ").unwrap();
            let (proposed, _) = proposed.split_once(' ').unwrap();
            assert!(counts(proposed).is_ok(), "{why}");
        }
    }
}
