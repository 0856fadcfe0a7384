//! Reads a file of groups: lines `group: member, member`, or a table with a header.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{Member, group_name};

/// Bytes of a file at the most.
pub const FILE_LIMIT_BYTES: usize = 16 << 20;
/// Memberships of one source at the most.
pub const ENTRIES_LIMIT: usize = 500_000;
/// Faults that are named; the rest are counted.
const FAULTS_LIMIT: usize = 20;
/// What may separate the columns of a table.
const SEPARATORS: [char; 3] = [',', ';', '\t'];
/// The columns of a table, in any order; it may have others.
const GROUP: &str = "group";
const USER: &str = "user";

/// That something is a member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The group's name.
    pub group: String,
    /// The member; none: this only says that there is the group.
    pub member: Option<Member>,
}

/// What is wrong in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// Why it cannot be used.
    pub why: String,
}

/// Why a file cannot be used: its faults, in the order of their lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Faulty {
    /// The first faults.
    pub faults: Vec<Fault>,
    /// How many further faults there are.
    pub more: usize,
}

impl Faulty {
    fn add(&mut self, line: u64, why: impl Into<String>) {
        match self.faults.len() < FAULTS_LIMIT {
            true => self.faults.push(Fault {
                line,
                why: why.into(),
            }),
            false => self.more += 1,
        }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.faults.iter().enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            write!(f, "{separator}line {}: {}", fault.line, fault.why)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Reads a file. A person without a realm is of `realm`, if there is one. Everything in the file is
/// taken, or nothing.
///
/// # Errors
/// The faults of its lines.
pub fn read(bytes: &[u8], realm: Option<&str>) -> Result<Vec<Entry>, Faulty> {
    let mut read = Reading {
        realm,
        entries: Vec::new(),
        faulty: Faulty::default(),
    };
    if bytes.len() > FILE_LIMIT_BYTES {
        let why = format!("the file is longer than {} MiB", FILE_LIMIT_BYTES >> 20);
        read.faulty.add(1, why);
        return Err(read.faulty);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => read.text(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
            read.faulty.add(line, "it is not UTF-8");
        }
    }
    match read.faulty.faults.is_empty() {
        true => Ok(read.entries),
        false => Err(read.faulty),
    }
}

struct Reading<'r> {
    realm: Option<&'r str>,
    entries: Vec<Entry>,
    faulty: Faulty,
}

impl Reading<'_> {
    fn text(&mut self, text: &str) {
        let first = text.lines().map(content).find(|line| !line.is_empty());
        match first.and_then(separator_of) {
            Some(separator) => self.table(text, separator),
            None => self.lines(text),
        }
    }

    /// Lines `group: member, member`; `#` begins a comment.
    fn lines(&mut self, text: &str) {
        for (number, line) in (1_u64..).zip(text.lines()) {
            let line = content(line);
            if line.is_empty() {
                continue;
            }
            let Some((group, members)) = line.split_once(':') else {
                let why = "it has no colon: write `group: member, member`";
                self.faulty.add(number, why);
                continue;
            };
            let group = match group_name(group.trim()) {
                Ok(group) => group,
                Err(why) => {
                    self.faulty.add(number, why);
                    continue;
                }
            };
            self.enter(number, &group, None);
            let members = members.trim();
            let members = members.strip_suffix(',').unwrap_or(members);
            for member in members.split(',').map(str::trim) {
                match member {
                    "" if members.trim().is_empty() => {}
                    member => self.member(number, &group, member),
                }
            }
        }
    }

    /// A table with a header that has at least the columns `group` and `user`.
    fn table(&mut self, text: &str, separator: u8) {
        if let Some(line) = unclosed_quote(text, separator) {
            let why = "a cell begins with a quote that is not closed, so that further lines belong \
                       to it";
            self.faulty.add(line, why);
            return;
        }
        let mut table = csv::ReaderBuilder::new()
            .delimiter(separator)
            .comment(Some(b'#'))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let place = |header: &csv::StringRecord, name: &str| {
            header.iter().position(|it| it.eq_ignore_ascii_case(name))
        };
        let places = table
            .headers()
            .ok()
            .and_then(|header| Some((place(header, GROUP)?, place(header, USER)?)));
        let Some((group_at, user_at)) = places else {
            self.faulty
                .add(1, "the header has no columns group and user");
            return;
        };
        let mut row = csv::StringRecord::new();
        while let Ok(true) = table.read_record(&mut row) {
            // Comments and empty lines may stand before a row: its own line is where it ends.
            let end = table.position();
            let byte = usize::try_from(end.byte())
                .ok()
                .and_then(|end| end.checked_sub(1));
            let is_next = byte.and_then(|at| text.as_bytes().get(at)) == Some(&b'\n');
            let line = end.line() - u64::from(is_next);
            let (Some(group), Some(user)) = (row.get(group_at), row.get(user_at)) else {
                let why = format!("it has {} cells, too few for group and user", row.len());
                self.faulty.add(line, why);
                continue;
            };
            match group_name(group) {
                Ok(group) => self.member(line, &group, user),
                Err(why) => self.faulty.add(line, why),
            }
        }
    }

    fn member(&mut self, line: u64, group: &str, member: &str) {
        match Member::read(member, self.realm) {
            Ok(Member::Group(other)) if other == group => {
                let why = format!("the group {group:?} is a member of itself");
                self.faulty.add(line, why);
            }
            Ok(member) => self.enter(line, group, Some(member)),
            Err(why) => self.faulty.add(line, why),
        }
    }

    fn enter(&mut self, line: u64, group: &str, member: Option<Member>) {
        match self.entries.len() < ENTRIES_LIMIT {
            true => self.entries.push(Entry {
                group: group.to_owned(),
                member,
            }),
            false => {
                let why = format!("there are more than {ENTRIES_LIMIT} memberships");
                self.faulty.add(line, why);
            }
        }
    }
}

/// What of a line is no comment.
fn content(line: &str) -> &str {
    let is_comment = |(at, _): &(usize, &str)| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let comment = line.match_indices('#').find(is_comment);
    let end = comment.map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or_default().trim()
}

/// The separator of a table's header; none: the line is none.
fn separator_of(line: &str) -> Option<u8> {
    let has = |separator: char, name: &str| {
        let mut cells = line
            .split(separator)
            .map(|cell| cell.trim().trim_matches('"'));
        cells.any(|cell| cell.eq_ignore_ascii_case(name))
    };
    let fits = |separator: &char| has(*separator, GROUP) && has(*separator, USER);
    let found = SEPARATORS.into_iter().find(fits)?;
    u8::try_from(found).ok()
}

/// Where a reader of a table is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the first byte of a row.
    Row,
    /// At the first byte of another cell.
    Cell,
    /// In a cell without quotes, or behind them.
    Plain,
    Quoted,
    /// At what follows a quote in a quoted cell.
    Closed,
    Comment,
}

/// The line of the first cell whose quote is closed nowhere, or by a quote of a later line that
/// begins another cell. A reader of tables takes the lines between for a part of the cell.
fn unclosed_quote(text: &str, separator: u8) -> Option<u64> {
    let (mut place, mut line, mut opened) = (Place::Row, 1, 0);
    for byte in text.bytes() {
        place = match (place, byte) {
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Closed, b'"') | (Place::Quoted, _) => Place::Quoted,
            (Place::Comment, it) if it != b'\n' => Place::Comment,
            (_, b'\n' | b'\r') => Place::Row,
            (_, it) if it == separator => Place::Cell,
            (Place::Row, b'#') => Place::Comment,
            (Place::Row | Place::Cell, b'"') => {
                opened = line;
                Place::Quoted
            }
            (Place::Closed, it) if it != b' ' && opened != line => return Some(opened),
            _ => Place::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    (place == Place::Quoted).then_some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_is_not_closed_is_a_fault_of_its_line() {
        for rows in [
            "cfd,ann,\"note\ncfd,bob,\n",
            "cfd,ann,\"note\r\ncfd,bob,\"note\"\r\ncfd,cid,\n",
            "cfd,ann,\"note \"\"\ncfd,bob,",
        ] {
            let text = format!("# a \" too\ngroup,user,note\ndan,eve,\"a\nb\"\n{rows}");
            let faulty = read(text.as_bytes(), None).unwrap_err();
            assert_eq!(faulty.faults.len(), 1, "{faulty}");
            assert_eq!(faulty.faults[0].line, 5, "{faulty}");
        }
    }

    #[test]
    fn a_quoted_cell_may_have_several_lines_and_quotes() {
        let rows = "cfd,ann,\"a,\n\"\"b\"\"\n\"\ncfd,bob,5\" disk\ncfd,cid,\"a\nb\" \n";
        let text = format!("group,user,note\n{rows}");
        assert_eq!(read(text.as_bytes(), None).unwrap().len(), 3);
    }
}
