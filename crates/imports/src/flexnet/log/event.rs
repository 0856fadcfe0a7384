//! Messages about a use or a wish for one: `WORD: "FEATURE" USER@HOST [TEXT] (NOTE)...`.

use crate::shape;

/// What a message says of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Out,
    In,
    Denied,
    Unsupported,
    Queued,
    Dequeued,
}

/// A message about a use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event<'l> {
    pub(super) kind: Kind,
    pub(super) feature: &'l str,
    pub(super) user: &'l str,
    pub(super) host: &'l str,
    pub(super) seats: u32,
    /// What stands in brackets: of token licences, the component that took the tokens.
    pub(super) bracket: Option<&'l str>,
    /// The note `(INACTIVE)`.
    pub(super) inactive: bool,
    /// Why, in the file's words without names.
    pub(super) reason: String,
    pub(super) version: Option<&'l str>,
    pub(super) handle: Option<&'l str>,
    /// The note `(consisting of ...)`.
    pub(super) consists: Option<&'l str>,
}

/// The kind that a message begins with, and the rest.
pub(super) fn kind_of(message: &str) -> Option<(Kind, &str)> {
    let (word, rest) = message.split_once(':')?;
    let kind = match word.trim() {
        "OUT" => Kind::Out,
        "IN" | "IN server died" => Kind::In,
        "DENIED" => Kind::Denied,
        "UNSUPPORTED" => Kind::Unsupported,
        "QUEUED" => Kind::Queued,
        "DEQUEUED" => Kind::Dequeued,
        _ => return None,
    };
    Some((kind, rest.trim()))
}

/// Reads what follows the kind; none if it cannot be read.
pub(super) fn read(kind: Kind, rest: &str) -> Option<Event<'_>> {
    let (count, rest) = leading_count(rest);
    let (feature, mut rest) = feature(rest)?;
    // `(PORT_AT_HOST_PLUS   )` says how the client came by the server.
    if rest.starts_with('(') {
        rest = group(rest)?.1.trim_start();
    }
    for word in ["to ", "by ", "for "] {
        if let Some(bare) = rest.strip_prefix(word).filter(|bare| bare.contains('@')) {
            rest = bare.trim_start();
            break;
        }
    }
    let (who, tail) = rest.split_at_checked(end_of_who(rest))?;
    let (user, host) = who.trim().rsplit_once('@')?;
    let mut event = Event {
        kind,
        feature,
        user: user.trim(),
        host: host.trim(),
        seats: count.unwrap_or(1).max(1),
        bracket: None,
        inactive: false,
        reason: String::new(),
        version: None,
        handle: None,
        consists: None,
    };
    notes(tail, &mut event)?;
    (!event.user.is_empty() && !event.host.is_empty()).then_some(event)
}

/// `4 "editor" to ...`: some lines have the number first.
fn leading_count(rest: &str) -> (Option<u32>, &str) {
    let Some((word, behind)) = rest.split_once(char::is_whitespace) else {
        return (None, rest);
    };
    let next = behind.trim_start();
    let counts = next.starts_with('"') || next.contains(" to ") || next.contains(" by ");
    match word.parse() {
        Ok(count) if counts => (Some(count), next),
        _ => (None, rest),
    }
}

fn feature(rest: &str) -> Option<(&str, &str)> {
    let (name, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_once(char::is_whitespace)?,
    };
    let name = name.trim();
    (!name.is_empty()).then_some((name, rest.trim_start()))
}

/// Where user and host end: at the first note behind the first `@`. Both may hold blanks.
fn end_of_who(rest: &str) -> usize {
    let Some(at) = rest.find('@') else {
        return rest.len();
    };
    let mut after_blank = false;
    for (place, letter) in rest.char_indices().skip_while(|(place, _)| *place < at) {
        if after_blank && matches!(letter, '(' | '[' | '^') {
            return place;
        }
        after_blank = letter.is_whitespace();
    }
    rest.len()
}

/// Reads `[TEXT]`, `(NOTE)` and `^^^ ... ^^^`; none if a number is none.
fn notes<'l>(mut tail: &'l str, event: &mut Event<'l>) -> Option<()> {
    loop {
        tail = tail.trim_start();
        if let Some(verbose) = tail.strip_prefix("^^^") {
            let (fields, behind) = verbose.split_once("^^^").unwrap_or((verbose, ""));
            event.version = fields.split_whitespace().next();
            event.handle = fields
                .split_whitespace()
                .find(|field| field.starts_with("0x"));
            tail = behind;
        } else if let Some(text) = tail.strip_prefix('[') {
            let (text, behind) = text.split_once(']').unwrap_or((text, ""));
            event.bracket = Some(text.trim()).filter(|text| !text.is_empty());
            tail = behind;
        } else if tail.starts_with('(') {
            let (text, behind) = group(tail)?;
            note(text.trim(), event)?;
            tail = behind;
        } else {
            // Whatever else follows changes nothing of what was said.
            return Some(());
        }
    }
}

fn note<'l>(text: &'l str, event: &mut Event<'l>) -> Option<()> {
    if let Some(count) = seats(text) {
        event.seats = count.parse::<u32>().ok()?.max(1);
    } else if text == "INACTIVE" {
        event.inactive = true;
    } else if let Some(parts) = text.strip_prefix("consisting of") {
        event.consists = Some(parts.trim_start_matches(':').trim());
    } else if matches!(event.kind, Kind::Denied | Kind::Unsupported) && event.reason.is_empty() {
        event.reason = reason(text);
    }
    Some(())
}

/// The number of `N licenses`.
fn seats(text: &str) -> Option<&str> {
    let (count, word) = text.split_once(char::is_whitespace)?;
    let word = word.trim();
    let licences = matches!(
        word,
        "license" | "licenses" | "lic" | "licence" | "licences"
    );
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    (licences && digits).then_some(count)
}

/// `Licensed number of users already reached. (-4,342:10054 "...")` without what the operating system
/// said, which differs from computer to computer.
fn reason(text: &str) -> String {
    let Some((words, code)) = text.rsplit_once("(-") else {
        return shape::reason(text);
    };
    let end = code.find([':', ')', ' ']).unwrap_or(code.len());
    let code = code.get(..end).unwrap_or(code);
    format!("{} (-{code})", shape::reason(words.trim()))
}

/// What stands between a bracket and its partner, and what follows; quoted brackets do not count. One
/// without a partner ends with the line.
fn group(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('(')?;
    let (mut depth, mut quoted) = (0_usize, false);
    for (place, letter) in inner.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted && depth == 0 => {
                return Some((inner.get(..place)?, inner.get(place + 1..)?));
            }
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    Some((inner, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> Option<Event<'_>> {
        let (kind, rest) = kind_of(message)?;
        read(kind, rest)
    }

    #[test]
    fn seats_versions_and_handles_are_read() {
        let read = event("OUT: \"hpc\" ann@n7.example  (20 licenses) ").expect("an event");
        assert_eq!(
            (read.feature, read.user, read.host),
            ("hpc", "ann", "n7.example")
        );
        assert_eq!(read.seats, 20);
        let verbose =
            "OUT: \"f1\" ADas@pc (2 licenses) ^^^ 1.0 ADas 127.0.0.1 29865 0x12CE 1 2 x ^^^";
        let read = event(verbose).expect("an event");
        assert_eq!(
            (read.seats, read.version, read.handle),
            (2, Some("1.0"), Some("0x12CE"))
        );
        assert_eq!(event("OUT: \"f\" a@b (99999999999 licenses)"), None);
    }

    #[test]
    fn names_may_hold_blanks_signs_and_any_letters() {
        let read = event("IN: \"CAD Pro\" Jörg Müller@Büro PC 3  (INACTIVE)").expect("an event");
        assert_eq!((read.user, read.host), ("Jörg Müller", "Büro PC 3"));
        assert!(read.inactive);
        let read = event("OUT: \"f\" ann@corp.example@pc1 (SHUTDOWN)").expect("an event");
        assert_eq!((read.user, read.host), ("ann@corp.example", "pc1"));
        let read = event("OUT: \"f\" Ann (ext)@pc1").expect("an event");
        assert_eq!((read.user, read.host), ("Ann (ext)", "pc1"));
    }

    #[test]
    fn denials_say_why_in_one_form_for_all_computers() {
        let one = "DENIED: \"f\" a@b  (Licensed number of users already reached. (-4,342))";
        let two =
            "DENIED: \"f\" a@b  (Licensed number of users already reached. (-4,342:10054 \"x)\"))";
        let expected = "Licensed number of users already reached. (-4,342)";
        assert_eq!(event(one).expect("an event").reason, expected);
        assert_eq!(event(two).expect("an event").reason, expected);
        let queued =
            "DENIED: \"f\" a@b  (25 licenses) (Users are queued for this feature. (-24,332))";
        let read = event(queued).expect("an event");
        assert_eq!(read.seats, 25);
        assert_eq!(read.reason, "Users are queued for this feature. (-24,332)");
        let counted = event("DENIED: 4 \"editor\" to ann@pc").expect("an event");
        assert_eq!((counted.seats, counted.user), (4, "ann"));
    }

    #[test]
    fn an_unsupported_feature_is_read_behind_how_the_client_came() {
        let line = "UNSUPPORTED: \"x.exe\" (PORT_AT_HOST_PLUS   ) LOCAL SERVICE@DESK-1  (No such feature exists. (-5,346))";
        let read = event(line).expect("an event");
        assert_eq!((read.kind, read.feature), (Kind::Unsupported, "x.exe"));
        assert_eq!((read.user, read.host), ("LOCAL SERVICE", "DESK-1"));
        assert_eq!(read.reason, "No such feature exists. (-5,346)");
    }

    #[test]
    fn brackets_and_linger_are_no_part_of_a_host() {
        let read = event("OUT: \"TOKENS\" ann@pc1 [DOORS] (3 licenses)").expect("an event");
        assert_eq!(
            (read.host, read.bracket, read.seats),
            ("pc1", Some("DOORS"), 3)
        );
        let read = event("IN: \"f\" ann@pc1  (linger: 300)").expect("an event");
        assert_eq!((read.host, read.seats), ("pc1", 1));
    }

    #[test]
    fn what_is_cut_or_names_nobody_is_not_read() {
        for message in [
            "OUT:",
            "OUT: \"f",
            "OUT: \"f\"",
            "OUT: \"f\" ann",
            "OUT: \"\" a@b",
            "HELLO: a@b",
            "IN: \"f\" @pc",
        ] {
            assert_eq!(event(message), None, "{message}");
        }
    }
}
