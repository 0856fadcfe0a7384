//! Who used a product on a day, packed: everybody with the hours (UTC) in which they did. Buckets of days,
//! weeks and months of most zones consist of whole hours, so people and computers of them are united
//! without a look at each use.

use usher_core::usage::{Bucket, Distinct, Span};

use super::hours::{HOUR_MS, HOURS_OF_DAY};
use super::packed::{Unreadable, put, take};
use super::quarter::DAY_MS;
use super::within::Whose;

/// Hours of a day, a bit for each.
type Hours = u32;

/// The bytes of a number by which somebody is known. These are random: fewer would not do.
const WHO_BYTES: usize = 8;
/// The bytes of 24 hours.
const HOURS_BYTES: usize = 3;

/// People and computers of a day while it is packed.
pub(crate) struct DayWho {
    day_ms: i64,
    people: Vec<(u64, Hours)>,
    computers: Vec<(u64, Hours)>,
}

impl DayWho {
    /// Nobody, of the day that begins at `day_ms`.
    pub(crate) fn new(day_ms: i64) -> DayWho {
        DayWho {
            day_ms,
            people: Vec::new(),
            computers: Vec::new(),
        }
    }

    /// Adds a use, whenever it was. Whoever is not known any more is nobody.
    pub(crate) fn add(&mut self, person: Whose, computer: Whose, span: Span) {
        let hours = self.hours(span);
        if hours == 0 {
            return;
        }
        self.people.extend(person.map(|person| (person, hours)));
        self.computers
            .extend(computer.map(|computer| (computer, hours)));
    }

    /// The hours of the day that a use overlaps.
    fn hours(&self, span: Span) -> Hours {
        let end_ms = self.day_ms.saturating_add(DAY_MS);
        // One of no length is in the hour of its instant.
        let last_ms = match span.is_instant() {
            true => span.from_ms,
            false => span.until_ms.saturating_sub(1),
        };
        if span.from_ms >= end_ms || last_ms < self.day_ms {
            return 0;
        }
        let hour = |ms: i64| (ms - self.day_ms) / HOUR_MS;
        let first = hour(span.from_ms.max(self.day_ms));
        let last = hour(last_ms.min(end_ms - 1));
        (first..=last).fold(0, |hours, hour| hours | 1 << hour)
    }

    /// In few bytes: how many people, these, and the computers.
    pub(crate) fn packed(self) -> Vec<u8> {
        let people = united(self.people);
        let computers = united(self.computers);
        let each = people.len().saturating_add(computers.len());
        let mut bytes = Vec::with_capacity(each.saturating_mul(WHO_BYTES + HOURS_BYTES) + 4);
        put(&mut bytes, u64::try_from(people.len()).unwrap_or(u64::MAX));
        for (who, hours) in people.into_iter().chain(computers) {
            bytes.extend_from_slice(&who.to_le_bytes());
            bytes.extend_from_slice(&hours.to_le_bytes()[..HOURS_BYTES]);
        }
        bytes
    }
}

/// Each once.
fn united(mut all: Vec<(u64, Hours)>) -> Vec<(u64, Hours)> {
    all.sort_unstable();
    all.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 |= next.1;
        }
        is_same
    });
    all
}

/// Adds what is packed of a day to people and computers that are counted. `places` are those of
/// [`places`].
pub(crate) fn add_day(
    bytes: &[u8],
    places: &[(usize, Hours)],
    (users, computers): (&mut Distinct<'_>, &mut Distinct<'_>),
) -> Result<(), Unreadable> {
    let mut rest = bytes;
    let people = take(&mut rest).and_then(|people| usize::try_from(people).ok());
    let length = people.and_then(|people| people.checked_mul(WHO_BYTES + HOURS_BYTES));
    let parts = length.and_then(|length| rest.split_at_checked(length));
    let (of_people, of_computers) = parts.ok_or(Unreadable)?;
    add(of_people, places, users)?;
    add(of_computers, places, computers)
}

fn add(
    bytes: &[u8],
    places: &[(usize, Hours)],
    distinct: &mut Distinct<'_>,
) -> Result<(), Unreadable> {
    let all = places.iter().fold(0, |all, (_, of_place)| all | of_place);
    let (each, rest) = bytes.as_chunks::<{ WHO_BYTES + HOURS_BYTES }>();
    if !rest.is_empty() {
        return Err(Unreadable);
    }
    for [a, b, c, d, e, f, g, h, one, two, three] in each {
        let who = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
        let hours = Hours::from_le_bytes([*one, *two, *three, 0]);
        if hours & all != 0 {
            let overlapped = places.iter().filter(|(_, of_place)| hours & of_place != 0);
            distinct.add_to(who, overlapped.map(|(place, _)| *place));
        }
    }
    Ok(())
}

/// The buckets that a day has hours of, by their places, each with these hours. None: one of them begins
/// or ends within an hour of the day.
pub(crate) fn places(buckets: &[Bucket], day: i64) -> Option<Vec<(usize, Hours)>> {
    let day_ms = day.saturating_mul(DAY_MS);
    let end_ms = day_ms.saturating_add(DAY_MS);
    let first = buckets.partition_point(|bucket| bucket.to_ms <= day_ms);
    let mut places = Vec::new();
    for (place, bucket) in buckets.iter().enumerate().skip(first) {
        if bucket.from_ms >= end_ms {
            break;
        }
        let from_ms = bucket.from_ms.max(day_ms) - day_ms;
        let to_ms = bucket.to_ms.min(end_ms) - day_ms;
        if from_ms % HOUR_MS != 0 || to_ms % HOUR_MS != 0 {
            return None;
        }
        let hours = (from_ms / HOUR_MS..to_ms / HOUR_MS).filter(|hour| *hour < HOURS_OF_DAY);
        places.push((place, hours.fold(0, |hours, hour| hours | 1 << hour)));
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from_ms: i64, until_ms: i64) -> Span {
        Span {
            from_ms,
            until_ms,
            seats: 1,
        }
    }

    fn bucket(from_ms: i64, to_ms: i64) -> Bucket {
        Bucket { from_ms, to_ms }
    }

    #[test]
    fn people_and_computers_of_a_day_are_those_of_its_uses() {
        let day_ms = -DAY_MS;
        let uses = [
            (Some(7), Some(9), span(day_ms - 5, day_ms)),
            (Some(7), Some(9), span(day_ms - 5, day_ms + 1)),
            (Some(u64::MAX), None, span(-1, 30)),
            (Some(7), None, span(day_ms + HOUR_MS, day_ms + 3 * HOUR_MS)),
            (None, Some(1), span(-HOUR_MS, -HOUR_MS)),
            (Some(2), Some(1), span(0, 0)),
            (Some(3), Some(3), span(day_ms - DAY_MS, DAY_MS)),
        ];
        let mut day = DayWho::new(day_ms);
        for (person, computer, span) in uses {
            day.add(person, computer, span);
        }
        let bytes = day.packed();
        let cuts = [0, 1, 3, 23, 24, 25].map(|hour| day_ms + hour * HOUR_MS);
        let buckets: Vec<Bucket> = cuts.windows(2).map(|it| bucket(it[0], it[1])).collect();
        let (mut users, mut computers) = (Distinct::new(&buckets), Distinct::new(&buckets));
        let places = places(&buckets, -1).unwrap();
        add_day(&bytes, &places, (&mut users, &mut computers)).unwrap();
        // The last bucket is of the next day.
        assert_eq!(users.counts(), [2, 2, 1, 2, 0]);
        assert_eq!(computers.counts(), [2, 1, 1, 2, 0]);
        for cut in 0..bytes.len() {
            let (mut users, mut computers) = (Distinct::new(&buckets), Distinct::new(&buckets));
            let whole = add_day(&bytes[..cut], &places, (&mut users, &mut computers));
            assert!(whole.is_err() || computers.counts() != [2, 1, 1, 2, 0]);
        }
    }

    #[test]
    fn a_day_of_which_a_bucket_cuts_an_hour_is_not_united() {
        let half = HOUR_MS / 2;
        assert_eq!(
            places(&[bucket(-half, DAY_MS)], 0),
            Some(vec![(0, 0xff_ffff)])
        );
        assert_eq!(places(&[bucket(half, DAY_MS)], 0), None);
        assert_eq!(places(&[bucket(0, half), bucket(half, DAY_MS)], 0), None);
        let two = [bucket(0, HOUR_MS), bucket(2 * HOUR_MS, DAY_MS)];
        assert_eq!(places(&two, 0), Some(vec![(0, 1), (1, 0xff_fffc)]));
        assert_eq!(places(&two, 1), Some(Vec::new()));
    }
}
