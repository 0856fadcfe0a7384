//! `FEATURE`, `INCREMENT` and `UPGRADE` lines: their fields and attributes.

use jiff::civil::Date;

use crate::fact::{Feature, Owned, Place, Until, Written};
use crate::flexnet::day;

/// A note is cut after so many characters.
const NOTE_LIMIT_CHARS: usize = 1_000;
/// Place among lines of one name that have no `sort=`.
const DEFAULT_SORT: u32 = 100;

/// In a list of names: all features of the daemon.
pub(super) const ALL: &str = "*ALL*";

/// Which of the three a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gives seats unless another `FEATURE` of its name comes before it.
    Feature,
    /// Gives further seats.
    Increment,
    /// Moves seats from versions from that one on.
    Upgrade {
        /// The lowest version that it upgrades.
        from: String,
    },
}

/// A line that gives seats, with what tells whether they count.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) owned: Owned,
    /// Names of features whose older lines it supersedes; [`ALL`]: those of each.
    pub(super) supersedes: Vec<String>,
    /// Name and beginning of the signature of lines that it supersedes.
    pub(super) supersedes_signed: Vec<(String, String)>,
    /// Its own signature: letters and digits in upper case, without blanks.
    pub(super) signature: String,
    /// Lines with less come first.
    pub(super) sort: u32,
}

impl Entry {
    /// `{FEATURE|INCREMENT} name daemon version until seats [attributes]`, or
    /// `UPGRADE name daemon from to until seats [attributes]`; none: it is no such line, or a number or a
    /// day in it cannot be read.
    pub(super) fn read(words: &[String], place: Place) -> Option<Entry> {
        let (keyword, name, daemon) = (words.first()?, words.get(1)?, words.get(2)?);
        let (kind, fields) = match keyword.to_ascii_uppercase().as_str() {
            "FEATURE" => (Kind::Feature, words.get(3..)?),
            "INCREMENT" => (Kind::Increment, words.get(3..)?),
            "UPGRADE" => {
                let from = words.get(3)?.clone();
                (Kind::Upgrade { from }, words.get(4..)?)
            }
            _ => return None,
        };
        let (version, until, seats) = (fields.first()?, fields.get(1)?, fields.get(2)?);
        let mut entry = Entry {
            kind,
            owned: Owned {
                version: Some(version.clone()),
                written: Written {
                    place,
                    ..Written::default()
                },
                ..Owned::new(
                    Feature {
                        daemon: Some(daemon.clone()),
                        name: name.clone(),
                    },
                    read_seats(seats)?,
                    day::read(until)?,
                )
            },
            supersedes: Vec::new(),
            supersedes_signed: Vec::new(),
            signature: String::new(),
            sort: DEFAULT_SORT,
        };
        let rest = fields.get(3..)?;
        // Two lines that an editor has joined: what a daemon makes of the second nobody can tell.
        if rest
            .iter()
            .any(|word| word == "INCREMENT" || word == "FEATURE")
        {
            return None;
        }
        for (key, value) in attributes(rest) {
            entry.attribute(&key, value)?;
        }
        if rest
            .iter()
            .any(|word| word.eq_ignore_ascii_case("SUPERSEDE"))
        {
            entry.supersedes.push(name.clone());
        }
        entry.supersedes_signed = superseded_signatures(rest);
        Some(entry)
    }

    /// Takes in `key=value`; none: the value cannot be read.
    fn attribute(&mut self, key: &str, value: &str) -> Option<()> {
        let owned = &mut self.owned;
        match key {
            "START" => owned.from = first_day(value)?,
            "ISSUED" => owned.written.issued = first_day(value)?,
            "OVERDRAFT" => owned.overdraft = value.parse().ok()?,
            "DUP_GROUP" => owned.grouping = Some(value.to_owned()),
            "SUITE_DUP_GROUP" => owned.written.suite_grouping = Some(value.to_owned()),
            "HOSTID" => owned.host_id = Some(value.to_owned()),
            "SORT" => self.sort = value.parse().ok()?,
            "SIGN" => self.signature = signature(value),
            "SUPERSEDE" => self.supersedes.extend(names(value).map(str::to_owned)),
            "SN" | "NOTICE" | "ISSUER" | "VENDOR_STRING" | "USER_BASED" | "HOST_BASED"
            | "PLATFORMS" | "ASSET_INFO" | "DIST_INFO" | "USER_INFO" | "VENDOR_INFO" => {
                self.remark(key, value)
            }
            _ => {}
        }
        Some(())
    }

    fn remark(&mut self, key: &str, value: &str) {
        let note = self.owned.note.get_or_insert_default();
        if !note.is_empty() {
            note.push_str("; ");
        }
        note.push_str(key);
        note.push('=');
        note.push_str(value);
        if note.chars().count() > NOTE_LIMIT_CHARS {
            *note = note.chars().take(NOTE_LIMIT_CHARS).collect();
        }
    }

    /// The day that says which of two lines is older: that of issue, else the first on which it is valid.
    pub(super) fn issued(&self) -> Option<Date> {
        self.owned.written.issued.or(self.owned.from)
    }

    /// Daemon and name: lines that have both in common are of one feature.
    pub(super) fn key(&self) -> (&str, &str) {
        let feature = &self.owned.feature;
        (feature.daemon.as_deref().unwrap_or_default(), &feature.name)
    }

    /// The version, as it is written.
    pub(super) fn version(&self) -> &str {
        self.owned.version.as_deref().unwrap_or_default()
    }
}

/// The `key=value` words, with keys in upper case. Old licence keys and flags have no `=`.
pub(super) fn attributes(words: &[String]) -> impl Iterator<Item = (String, &str)> {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(key, value)| (key.to_ascii_uppercase(), value))
}

/// Outer none: it is no number. Inner none: uncounted, written as `uncounted` or 0.
fn read_seats(text: &str) -> Option<Option<u32>> {
    if text.eq_ignore_ascii_case("uncounted") {
        return Some(None);
    }
    let seats: u32 = text.parse().ok()?;
    Some((seats > 0).then_some(seats))
}

/// Outer none: it is no day. Inner none: a day that says nothing, such as `1-jan-0`.
fn first_day(text: &str) -> Option<Option<Date>> {
    Some(match day::read(text)? {
        Until::Day(day) => Some(day),
        Until::Permanent => None,
    })
}

/// Names of features, divided by blanks.
fn names(value: &str) -> impl Iterator<Item = &str> {
    let parts = value.split(|letter: char| letter.is_whitespace() || letter == ',');
    parts.filter(|part| !part.is_empty())
}

/// `SUPERSEDE_SIGN={"name:signature" "name:signature"}`, of which each quoted text is a word.
fn superseded_signatures(words: &[String]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut in_braces = false;
    for word in words {
        let text = match word.split_once('=') {
            Some((key, value)) if key.eq_ignore_ascii_case("SUPERSEDE_SIGN") => {
                in_braces = value.contains('{');
                value
            }
            _ if in_braces => word.as_str(),
            _ => continue,
        };
        in_braces = in_braces && !text.contains('}');
        let pair = text.trim_matches(['{', '}', ' ']).rsplit_once(':');
        let signed = pair.map(|(name, sign)| (name.to_owned(), signature(sign)));
        pairs.extend(signed.filter(|(_, sign)| !sign.is_empty()));
    }
    pairs
}

/// Letters and digits of a signature in upper case.
fn signature(value: &str) -> String {
    let letters = value.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}
