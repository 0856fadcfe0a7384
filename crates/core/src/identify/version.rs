//! Versions as people write them, and ranges of them.
//!
//! Versions compare part by part, numbers as numbers: 2.10 is after 2.9. A missing part counts as
//! zero (4 = 4.0); `~`, `alpha`, `beta`, `pre`, `rc` and `dev` come before the release that they
//! lead to. An epoch (`1:`) of a package version is not looked at.

use std::cmp::Ordering;
use std::fmt;

/// A version, split into parts that can be compared.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    parts: Vec<Part>,
}

/// The order of the variants is the order of versions; the end of a version stands at `Zero`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Before,
    PreRelease(String),
    Number(u128),
    Word(String),
}

const END: Part = Part::Number(0);
/// How many bytes of a version text are read; the rest is ignored.
const TEXT_LIMIT: usize = 128;

impl Version {
    /// Parses a version. Every text is one.
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(TEXT_LIMIT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = &text[..end];
        let without_epoch = match text.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|b| b.is_ascii_digit()) => rest,
            _ => text,
        };
        Version {
            text: text.to_owned(),
            parts: parts(without_epoch),
        }
    }

    /// Whether this version begins with all parts of `prefix`: 2.1.7 and 2.1 do with 2.1, 2.11
    /// does not.
    pub fn starts_with(&self, prefix: &Version) -> bool {
        self.parts.starts_with(&prefix.parts)
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        if byte.is_ascii_digit() {
            while at < bytes.len() && bytes[at].is_ascii_digit() {
                at += 1;
            }
            // A number too long for 128 bits is longer than any real one: the largest will do.
            parts.push(Part::Number(text[start..at].parse().unwrap_or(u128::MAX)));
        } else if byte.is_ascii_alphabetic() {
            while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
                at += 1;
            }
            let word = text[start..at].to_ascii_lowercase();
            let leads_to_a_release =
                matches!(word.as_str(), "alpha" | "beta" | "pre" | "rc" | "dev");
            parts.push(if leads_to_a_release {
                Part::PreRelease(word)
            } else {
                Part::Word(word)
            });
        } else {
            if byte == b'~' {
                parts.push(Part::Before);
            }
            at += 1;
        }
    }
    // A leading "v" is a habit of writing, not a part.
    if parts.len() > 1 && parts[0] == Part::Word("v".to_owned()) {
        parts.remove(0);
    }
    parts
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.parts.len().max(other.parts.len());
        (0..longest)
            .map(|i| {
                let (mine, theirs) = (self.parts.get(i), other.parts.get(i));
                mine.unwrap_or(&END).cmp(theirs.unwrap_or(&END))
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Which versions a rule means. Written as conditions with spaces between them, all of which must
/// hold: `2.1` (2.1 and every 2.1.x), `=2.1`, `>=3 <4`, `>2`, `<=5.2`, or `3.0..4.0` (from 3.0 to
/// before 4.0; either end may be left out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange(Vec<Condition>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Prefix(Version),
    Equal(Version),
    AtLeast(Version),
    After(Version),
    AtMost(Version),
    Before(Version),
}

/// The largest number of conditions in one range.
const CONDITIONS_LIMIT: usize = 16;

impl VersionRange {
    /// Reads a range; the error says what is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        // "> = 3" is a slip of the space bar that would otherwise mean something else.
        for word in text.split_ascii_whitespace() {
            parse_condition(word, &mut conditions)?;
        }
        if conditions.is_empty() {
            return Err("the version range is empty".to_owned());
        }
        if conditions.len() > CONDITIONS_LIMIT {
            return Err(format!("more than {CONDITIONS_LIMIT} conditions"));
        }
        Ok(VersionRange(conditions))
    }

    /// Whether `version` is in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Prefix(prefix) => version.starts_with(prefix),
            Condition::Equal(other) => version == other,
            Condition::AtLeast(other) => version >= other,
            Condition::After(other) => version > other,
            Condition::AtMost(other) => version <= other,
            Condition::Before(other) => version < other,
        })
    }
}

fn parse_condition(word: &str, conditions: &mut Vec<Condition>) -> Result<(), String> {
    if let Some((from, to)) = word.split_once("..") {
        if from.is_empty() && to.is_empty() {
            return Err("\"..\" needs a version on one side at least".to_owned());
        }
        if !from.is_empty() {
            conditions.push(Condition::AtLeast(number(from)?));
        }
        if !to.is_empty() {
            conditions.push(Condition::Before(number(to)?));
        }
        return Ok(());
    }
    let condition = if let Some(rest) = word.strip_prefix(">=") {
        Condition::AtLeast(number(rest)?)
    } else if let Some(rest) = word.strip_prefix("<=") {
        Condition::AtMost(number(rest)?)
    } else if let Some(rest) = word.strip_prefix('>') {
        Condition::After(number(rest)?)
    } else if let Some(rest) = word.strip_prefix('<') {
        Condition::Before(number(rest)?)
    } else if let Some(rest) = word.strip_prefix('=') {
        Condition::Equal(number(rest)?)
    } else {
        let prefix = word.strip_suffix(".*").unwrap_or(word);
        Condition::Prefix(number(prefix)?)
    };
    conditions.push(condition);
    Ok(())
}

fn number(text: &str) -> Result<Version, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-+_~:".contains(c);
    if text.is_empty() || !text.contains(|c: char| c.is_ascii_digit()) {
        return Err(format!("\"{text}\" is not a version"));
    }
    // Two dots are the sign of a range: within a version they would be read as one.
    if text.len() > TEXT_LIMIT || !text.chars().all(allowed) || text.contains("..") {
        return Err(format!("\"{text}\" is not a version"));
    }
    Ok(Version::new(text))
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, condition) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            match condition {
                Condition::Prefix(version) => write!(f, "{version}")?,
                Condition::Equal(version) => write!(f, "={version}")?,
                Condition::AtLeast(version) => write!(f, ">={version}")?,
                Condition::After(version) => write!(f, ">{version}")?,
                Condition::AtMost(version) => write!(f, "<={version}")?,
                Condition::Before(version) => write!(f, "<{version}")?,
            }
        }
        Ok(())
    }
}
