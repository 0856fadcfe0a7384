//! Takes in the lines of an options file, each by its keyword.

use super::rule::{Access, FeatureSpec, Limit, Nature, Quantity, Right, Seats, Unread, Whom};
use super::whole::Options;

/// Keywords that have no part in who may use how many seats.
const OTHER: [&str; 6] = [
    "ACTIVATION_EXPIRY_DAYS",
    "AUTOMATIC_REREAD",
    "COMMUNICATION_TIMEOUT",
    "DAEMON_SELECT_TIMEOUT",
    "FQDN_MATCHING",
    "MAX_CONNECTIONS",
];

/// What `NOLOG` may leave out.
const EVENTS: [&str; 5] = ["IN", "OUT", "DENIED", "QUEUED", "UNSUPPORTED"];

/// Takes in a line; false: it is not understood.
pub(super) fn take_in(options: &mut Options, line: u64, words: &[String]) -> bool {
    read(options, line, words).is_some()
}

fn read(options: &mut Options, line: u64, words: &[String]) -> Option<()> {
    let (keyword, words) = words.split_first()?;
    let keyword = keyword.to_ascii_uppercase();
    match keyword.as_str() {
        "RESERVE" => {
            let seats = seats(options, line, words)?;
            options.reserved.push(seats);
        }
        "MAX" => {
            let seats = seats(options, line, words)?;
            options.at_most.push(seats);
        }
        "GROUP" | "HOST_GROUP" => group(options, line, keyword == "HOST_GROUP", words)?,
        "GROUPCASEINSENSITIVE" => ignore_case(options, line, only(words)?)?,
        "DEBUGLOG" => options.debug_log = Some(words.first()?.clone()),
        "REPORTLOG" => options.report_log = Some(words.first()?.clone()),
        "NOLOG" => no_log(options, words)?,
        other if OTHER.contains(&other) => options.other.push(Unread {
            line,
            keyword: other.to_owned(),
        }),
        other => match access_of(other) {
            Some((right, allowed, all)) => {
                let (feature, words) = match all {
                    true => (None, words),
                    false => {
                        let (feature, words) = words.split_first()?;
                        (Some(FeatureSpec::read(feature)), words)
                    }
                };
                let whom = whom(options, line, words)?;
                options.access.push(Access {
                    line,
                    right,
                    allowed,
                    feature,
                    whom,
                });
            }
            None => options.limits.push(limit(other, line, words)?),
        },
    }
    Some(())
}

/// Right, whether it is given, and whether the line is of all features; none: it is another keyword.
fn access_of(keyword: &str) -> Option<(Right, bool, bool)> {
    let (keyword, allowed) = match keyword.strip_prefix("INCLUDE") {
        Some(rest) => (rest, true),
        None => (keyword.strip_prefix("EXCLUDE")?, false),
    };
    let (right, all) = match keyword {
        "" => (Right::Use, false),
        "ALL" => (Right::Use, true),
        "_BORROW" => (Right::Borrow, false),
        "_ENTITLEMENT" => (Right::Activate, false),
        "ALL_ENTITLEMENT" => (Right::Activate, true),
        _ => return None,
    };
    Some((right, allowed, all))
}

/// `feature number`, or `number` alone after `TIMEOUTALL`.
fn limit(keyword: &str, line: u64, words: &[String]) -> Option<Limit> {
    let (feature, number) = match (keyword, words) {
        ("TIMEOUTALL", [number]) => (None, number),
        ("TIMEOUTALL", _) => return None,
        (_, [feature, number]) => (Some(FeatureSpec::read(feature)), number),
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    let quantity = match keyword {
        "TIMEOUT" | "TIMEOUTALL" => Quantity::TimeoutSeconds(number),
        "LINGER" => Quantity::LingerSeconds(number),
        "BORROW_LOWWATER" => Quantity::NotBorrowable(number),
        "ACTIVATION_LOWWATER" => Quantity::NotActivatable(number),
        "MAX_BORROW_HOURS" => Quantity::BorrowHours(number),
        "MAX_OVERDRAFT" => Quantity::Overdraft(number),
        _ => return None,
    };
    Some(Limit {
        line,
        feature,
        quantity,
    })
}

/// `number feature NATURE name`
fn seats(options: &mut Options, line: u64, words: &[String]) -> Option<Seats> {
    let (number, words) = words.split_first()?;
    let (feature, words) = words.split_first()?;
    Some(Seats {
        line,
        seats: number.parse().ok()?,
        feature: FeatureSpec::read(feature),
        whom: whom(options, line, words)?,
    })
}

/// `NATURE name`
fn whom(options: &mut Options, line: u64, words: &[String]) -> Option<Whom> {
    let (nature, names) = words.split_first()?;
    let nature = Nature::read(nature)?;
    if names.is_empty() {
        return None;
    }
    if names.len() > 1 {
        let what = format!(
            "it has {} names, and a daemon may read only the first",
            names.len()
        );
        options.doubt(line, what);
    }
    Some(Whom {
        nature,
        names: names.to_vec(),
    })
}

/// `name member...`
fn group(options: &mut Options, line: u64, of_hosts: bool, words: &[String]) -> Option<()> {
    let (name, members) = words.split_first()?;
    let groups = match of_hosts {
        true => &mut options.host_groups,
        false => &mut options.groups,
    };
    let group = groups.entry(name.clone()).or_default();
    if group.line == 0 {
        group.line = line;
    }
    group.members.extend_from_slice(members);
    Some(())
}

/// `ON` or `OFF`
fn ignore_case(options: &mut Options, line: u64, word: &str) -> Option<()> {
    options.ignores_case_in_groups = match word.to_ascii_uppercase().as_str() {
        "ON" => true,
        "OFF" => false,
        _ => return None,
    };
    if !options.groups.is_empty() || !options.host_groups.is_empty() {
        let what = "a daemon may not apply it to groups that are defined before it";
        options.doubt(line, what.to_owned());
    }
    Some(())
}

fn no_log(options: &mut Options, words: &[String]) -> Option<()> {
    let events: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
    if events.is_empty() || !events.iter().all(|event| EVENTS.contains(&event.as_str())) {
        return None;
    }
    for event in events {
        if !options.not_logged.contains(&event) {
            options.not_logged.push(event);
        }
    }
    Some(())
}

fn only(words: &[String]) -> Option<&String> {
    match words {
        [word] => Some(word),
        _ => None,
    }
}
