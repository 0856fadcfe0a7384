//! The lines of a feature: its header, its pools, who holds or waits, and what is reserved.

/// `Users of FEATURE:  (...)`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'l> {
    pub(super) name: &'l str,
    pub(super) issued: Option<u64>,
    pub(super) in_use: Option<u64>,
    pub(super) trouble: Option<&'l str>,
}

/// Reads a feature's header. A name may hold blanks and colons: what is known ends the name, searched
/// from the line's end.
pub(super) fn header(line: &str) -> Option<Header<'_>> {
    let rest = line.trim().strip_prefix("Users of ")?;
    let bare = |name| Header {
        name,
        issued: None,
        in_use: None,
        trouble: None,
    };
    if let Some((name, reason)) = rest.split_once(": Cannot get users of ") {
        let why = reason
            .strip_prefix(name)
            .and_then(|why| why.strip_prefix(": "));
        return Some(Header {
            trouble: Some(why.unwrap_or(reason)),
            ..bare(name)
        });
    }
    let opening = ["(Total of ", "(Uncounted", "(uncounted", "(Error:"];
    let at = opening.iter().filter_map(|text| rest.rfind(*text)).max()?;
    let (name, inside) = rest.split_at(at);
    let name = name.trim_end().strip_suffix(':')?.trim();
    let inside = inside.strip_prefix('(')?.trim_end();
    let inside = inside.strip_suffix(')').unwrap_or(inside);
    if name.is_empty() {
        return None;
    }
    if inside.to_ascii_lowercase().starts_with("uncounted") {
        return Some(bare(name));
    }
    if let Some(error) = inside.strip_prefix("Error:") {
        let (count, why) = error.trim().split_once(", ")?;
        return Some(Header {
            issued: Some(first_number(count)?),
            trouble: Some(why),
            ..bare(name)
        });
    }
    let (issued, in_use) = inside.split_once(';')?;
    let of = |text: &str| first_number(text.trim().strip_prefix("Total of ")?);
    Some(Header {
        issued: Some(of(issued).filter(|_| issued.contains("issued"))?),
        in_use: Some(of(in_use).filter(|_| in_use.contains("in use"))?),
        ..bare(name)
    })
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The vendor's daemon in `"FEATURE" v1.0, vendor: DAEMON, expiry: ...`, a pool's header.
pub(super) fn pool_vendor(line: &str) -> Option<&str> {
    let line = line.trim();
    if !line.starts_with('"') || !line.contains("\" v") {
        return None;
    }
    let (_, vendor) = line.rsplit_once(", vendor: ")?;
    let vendor = vendor.split(',').next()?.trim();
    (!vendor.is_empty()).then_some(vendor)
}

/// Whether a line says of what kind a pool is.
pub(super) fn pool_kind(line: &str) -> bool {
    let line = line.trim();
    [
        "floating license",
        "nodelocked license",
        "uncounted nodelocked license",
        "vendor_string:",
    ]
    .iter()
    .any(|kind| line.starts_with(kind))
}

/// A line of somebody who holds or waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UserLine<'l> {
    /// User, computer and display, which may all hold blanks.
    pub(super) who: &'l str,
    pub(super) version: Option<&'l str>,
    pub(super) seats: u32,
    pub(super) state: State<'l>,
}

/// What somebody does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State<'l> {
    Holds {
        /// Weekday, date and time.
        start: Vec<&'l str>,
        linger: Option<Linger>,
    },
    Waits,
}

/// `(linger: TOTAL)` or `(linger: LEFT / TOTAL)`, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Linger {
    pub(super) left: Option<u64>,
    pub(super) total: u64,
}

/// Reads `WHO (vVERSION) (SERVER/PORT HANDLE), start DAY M/D H:MM[, N licenses][ (linger: N)][, PID: N]`
/// or `WHO (vVERSION) (SERVER/PORT HANDLE) queued for N licenses`, from its end, because what is at its
/// beginning may hold anything.
pub(super) fn user(line: &str) -> Option<UserLine<'_>> {
    let line = line.trim();
    let (head, seats, state) = match line.rsplit_once("), start ") {
        Some((head, tail)) => {
            let (start, seats, linger) = holding(tail)?;
            (head, seats, State::Holds { start, linger })
        }
        None => {
            let (head, count) = line.rsplit_once(" queued for ")?;
            let seats = count.split_whitespace().next()?.parse().ok()?;
            (head.trim_end().strip_suffix(')')?, seats, State::Waits)
        }
    };
    let (before, server) = head.rsplit_once('(')?;
    if !server.contains('/') {
        return None;
    }
    let before = before.trim_end();
    let (who, version) = match before
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once("(v"))
    {
        Some((who, version)) => (who.trim_end(), Some(version)),
        None => (before, None),
    };
    (!who.is_empty()).then_some(UserLine {
        who,
        version,
        seats,
        state,
    })
}

/// The part behind `start `.
fn holding(tail: &str) -> Option<(Vec<&str>, u32, Option<Linger>)> {
    // Both letters are one byte, so the place is a boundary.
    let (start, rest) = tail.split_at(tail.find([',', '(']).unwrap_or(tail.len()));
    let (before, linger, behind) = match rest.split_once("(linger:") {
        Some((before, inside)) => {
            let (inside, behind) = inside.split_once(')')?;
            (before, Some(lingering(inside)?), behind)
        }
        None => (rest, None, ""),
    };
    let mut seats = 1;
    for part in before.split(',').chain(behind.split(',')) {
        let words: Vec<&str> = part.split_whitespace().collect();
        if let [count, "license" | "licenses"] = words[..] {
            seats = count.parse().ok()?;
        }
    }
    Some((start.split_whitespace().collect(), seats, linger))
}

fn lingering(inside: &str) -> Option<Linger> {
    Some(match inside.split_once('/') {
        Some((left, total)) => Linger {
            left: Some(left.trim().parse().ok()?),
            total: total.trim().parse().ok()?,
        },
        None => Linger {
            left: None,
            total: inside.trim().parse().ok()?,
        },
    })
}

/// Reads `N RESERVATIONs for GROUP NAME (SERVER/PORT)`: for whom, as it is written, and how many.
pub(super) fn reservation(line: &str) -> Option<(&str, u32)> {
    let (count, rest) = line.trim().split_once(' ')?;
    let count = count.parse().ok()?;
    let (word, whom) = rest.trim_start().split_once(' ')?;
    if !["reservation", "reservations"].contains(&word.to_ascii_lowercase().as_str()) {
        return None;
    }
    let whom = whom.trim_start().strip_prefix("for ")?;
    let whom = match whom.rsplit_once(" (") {
        Some((whom, server)) if server.contains('/') && server.ends_with(')') => whom,
        _ => whom,
    };
    Some((whom.trim(), count))
}
