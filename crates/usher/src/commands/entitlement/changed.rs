//! What an edit of an entitlement has changed, in words.

use usher_api::Entitlement as Wire;

use super::details::changes;
use super::named::called;
use super::validity::end;
use crate::output::counted;

/// What an edit has changed.
pub(super) fn said(old: &Wire, new: &Wire, here: &str) -> String {
    let mut parts = Vec::new();
    if old.seats != new.seats {
        let before = counted(old.seats.into(), "seat");
        parts.push(format!("{before} before, {} now", new.seats));
    }
    if old.overdraft != new.overdraft {
        parts.push(format!(
            "overdraft {} before, {} now",
            old.overdraft, new.overdraft
        ));
    }
    let (before, now) = (valid(old, here), valid(new, here));
    if before != now {
        parts.push(format!("valid {before} before, {now} now"));
    }
    parts.extend(changes(old, new));
    match parts.is_empty() {
        true => format!("Entitlement {} is unchanged.", called(new)),
        false => format!("Entitlement {}: {}.", called(new), parts.join("; ")),
    }
}

/// When an entitlement is valid.
fn valid(it: &Wire, here: &str) -> String {
    let shown = |day: &Option<String>, at: Option<jiff::Timestamp>| {
        at.map(|at| end(day.as_ref(), it.time_zone.as_ref(), Some(at), here))
    };
    let ends = (shown(&it.from_day, it.from), shown(&it.to_day, it.to));
    match ends {
        (Some(from), Some(to)) => format!("from {from} to {to}"),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(to)) => format!("until {to}"),
        (None, None) => "at all times".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::wire;
    use super::*;

    #[test]
    fn an_edit_says_what_it_has_changed() {
        let old = wire("E1", 10, Some(("2026-01-01", "2026-12-31")));
        let mut seats = old.clone();
        (seats.seats, seats.overdraft) = (12, 1);
        let longer = wire("E1", 10, Some(("2026-01-01", "2027-12-31")));
        let mut for_ever = longer.clone();
        (for_ever.to, for_ever.to_day) = (None, None);
        let mut named = old.clone();
        named.name = Some("cad-2026".to_owned());
        named.notice_days = Some(90);
        let mut noted = named.clone();
        (noted.name, noted.note) = (None, Some("for the lab".to_owned()));
        let mut noticed = for_ever.clone();
        noticed.notice_days = Some(30);
        let told = [
            said(&old, &seats, "UTC"),
            said(&old, &longer, "UTC"),
            said(&longer, &for_ever, "UTC"),
            said(&old, &named, "UTC"),
            said(&named, &noted, "UTC"),
            said(&for_ever, &noticed, "UTC"),
            said(&old, &old, "UTC"),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        Entitlement E1: 10 seats before, 12 now; overdraft 0 before, 1 now.
        Entitlement E1: valid from 2026-01-01 to 2026-12-31 before, from 2026-01-01 to 2027-12-31 now.
        Entitlement E1: valid from 2026-01-01 to 2027-12-31 before, from 2026-01-01 on now.
        Entitlement cad-2026 (E1): name none before, cad-2026 now; notice none before, by 2026-10-02 (90 d) now.
        Entitlement E1: name cad-2026 before, none now; note none before, for the lab now.
        Entitlement E1: notice none before, 30 days before its end now.
        Entitlement E1 is unchanged.
        ");
    }
}
