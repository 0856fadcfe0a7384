//! Sums by person and by day, as they are listed.

use usher_api::OfTime;

use super::*;
use crate::listing::Form;

#[test]
fn sums_are_shown_by_person_and_by_day() {
    let at = "2026-03-01T09:00:00Z".parse().unwrap();
    let people = Durations::of(Form::default());
    let users = [UserUsage {
        user: "anna".into(),
        authority: "corp.example".into(),
        products: 2,
        sessions: 7,
        running: 1,
        computers: 1,
        total_seconds: 5_400,
        unseated_seconds: 60,
        last_used_at: Some(at),
    }];
    let text = users_table(&users, people)
        .text()
        .replace(&time::local(at), "NINE O'CLOCK");
    insta::assert_snapshot!(text, @r"
        USER  REALM         PRODUCTS  SESSIONS  RUNNING  COMPUTERS        TIME  UNSEATED FOR  LAST USED
        anna  corp.example         2         7        1          1  1 h 30 min         1 min  NINE O'CLOCK
        ");
    let days = [DayUsage {
        day: "2026-03-01".into(),
        from: at,
        to: at,
        sessions: 3,
        users: 2,
        computers: 2,
        products: 1,
        total_seconds: 90,
        unseated_seconds: 0,
    }];
    insta::assert_snapshot!(days_table(&days, people).text(), @r"
        DAY         PRODUCTS  SESSIONS  USERS  COMPUTERS        TIME  UNSEATED FOR
        2026-03-01         1         3      2          2  1 min 30 s           0 s
        ");
}
fn day(day: &str, from: &str, to: &str) -> DayUsage {
    DayUsage {
        day: day.into(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        sessions: 0,
        users: 0,
        computers: 0,
        products: 0,
        total_seconds: 90,
        unseated_seconds: 0,
    }
}

#[test]
fn days_before_anything_was_recorded_are_left_out_and_count_for_no_limit() {
    let page = |limit| {
        let mut page = Page {
            items: vec![
                day("1", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
                day("2", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
                day("3", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"),
            ],
            next: None,
            only: None,
            time: Some(OfTime {
                since: "2026-03-01T00:00:00Z".parse().unwrap(),
                until: "2026-03-04T00:00:00Z".parse().unwrap(),
                recorded_since: Some("2026-03-02T07:30:00Z".parse().unwrap()),
            }),
        };
        leave_out_unrecorded(&mut page, &Extent { limit });
        let days: Vec<String> = page.items.into_iter().map(|it| it.day).collect();
        (days.join(" "), page.next)
    };
    assert_eq!(page(0), ("2 3".to_owned(), None));
    assert_eq!(page(1), ("2".to_owned(), Some("2".to_owned())));
}

#[test]
fn a_spreadsheet_is_given_durations_as_numbers() {
    let days = [day("1", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")];
    let form = Durations::of(Form { csv: true });
    insta::assert_snapshot!(days_table(&days, form).csv().unwrap(), @r"
        day,products,sessions,users,computers,time_seconds,unseated_seconds
        1,0,0,0,0,90,0
        ");
}
