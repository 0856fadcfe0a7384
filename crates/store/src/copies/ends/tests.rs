//! Ends of lives that are written to a file and read again.

use super::*;

fn end(incarnation: u32, next_number: u64, last: u64) -> End {
    End {
        incarnation: Incarnation(incarnation),
        next_number,
        last: Steady(last),
    }
}

fn of(ends: &[End]) -> Ends {
    let mut all = Ends::default();
    ends.iter().for_each(|end| all.add(*end));
    all
}

#[test]
fn ends_come_back_from_the_file_that_keeps_them_but_for_what_cannot_be_read() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL)")
        .unwrap();
    assert_eq!(Ends::kept_in(&connection).unwrap(), Ends::default());
    let ends = of(&[end(7, 40, 900), end(u32::MAX, u64::MAX, u64::MAX)]);
    ends.keep_in(&connection).unwrap();
    assert_eq!(Ends::kept_in(&connection).unwrap(), ends);
    for text in ["", "7", "7:40", "7:40:900:1", "x:40:900", "7:-1:900"] {
        meta::put_text(&connection, ENDS, &format!("{text} 8:1:2")).unwrap();
        let read = Ends::kept_in(&connection).unwrap();
        assert_eq!(read, of(&[end(8, 1, 2)]), "{text:?}");
    }
}

#[test]
fn of_two_ends_of_a_life_the_earlier_counts_and_the_oldest_lives_are_forgotten() {
    let joined = of(&[end(1, 50, 900), end(2, 60, 950)]).joined(&of(&[end(1, 70, 800)]));
    assert_eq!(joined, Ends(vec![end(2, 60, 950), end(1, 50, 800)]));
    let many: Vec<End> = (0..100).map(|number| end(number, 1, 1)).collect();
    let kept = of(&many);
    assert_eq!(kept.0.len(), ENDS_LIMIT);
    assert_eq!(kept.0.last(), many.last());
}
