//! What is owned, by the word of a licence file or of a server.

use std::fmt;

use jiff::civil::Date;

use super::feature::Feature;

/// When something that is owned may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// It never ends.
    Permanent,
    /// To the end of that day.
    Day(Date),
}

/// What is owned, as a licence file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The feature.
    pub feature: Feature,
    /// The highest version that it is for.
    pub version: Option<String>,
    /// Seats; none: uncounted, bound to a computer.
    pub seats: Option<u32>,
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub until: Until,
    /// Seats that may be used beyond.
    pub overdraft: u32,
    /// What counts as one use, as it is written (`UHD`).
    pub grouping: Option<String>,
    /// The computer that it is bound to.
    pub host_id: Option<String>,
    /// The components, if it is a package.
    pub components: Vec<Component>,
    /// A note, serial number or the like that people put there.
    pub note: Option<String>,
    /// Where the file says so, and whether the seats count.
    pub written: Written,
}

impl Owned {
    /// Seats of a feature until then; all else is not told.
    pub fn new(feature: Feature, seats: Option<u32>, until: Until) -> Owned {
        Owned {
            feature,
            version: None,
            seats,
            from: None,
            until,
            overdraft: 0,
            grouping: None,
            host_id: None,
            components: Vec::new(),
            note: None,
            written: Written::default(),
        }
    }

    /// Whether its seats count on that day.
    pub fn is_valid_on(&self, day: Date) -> bool {
        let begun = self.from.is_none_or(|from| from <= day);
        let lasts = match self.until {
            Until::Permanent => true,
            Until::Day(last) => day <= last,
        };
        begun && lasts && self.written.set_aside.is_none()
    }
}

/// Where and how a licence file says what is owned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The line on which it begins.
    pub place: Place,
    /// The day of issue.
    pub issued: Option<Date>,
    /// It is a suite: who uses a component uses a seat of this feature, too.
    pub suite: bool,
    /// What counts as one use of the suite, as it is written (`UHV`).
    pub suite_grouping: Option<String>,
    /// Why the seats do not count; none: they count.
    pub set_aside: Option<SetAside>,
}

/// A line of the files that are read together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, from 0 in the order of reading.
    pub file: u32,
    /// The line, from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file {
            0 => write!(f, "line {}", self.line),
            file => write!(f, "line {} of file {}", self.line, u64::from(file) + 1),
        }
    }
}

/// What keeps the seats of a line from counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAside {
    /// That newer line supersedes it.
    Superseded(Place),
    /// Only the first `FEATURE` line of a name counts, which is that line.
    NotTheFirst(Place),
    /// That `UPGRADE` line has moved all its seats to a newer version.
    Upgraded(Place),
    /// It is an upgrade, and there is no line that it upgrades.
    NothingToUpgrade,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetAside::Superseded(by) => write!(f, "superseded by {by}"),
            SetAside::NotTheFirst(first) => write!(f, "only the FEATURE of {first} counts"),
            SetAside::Upgraded(by) => write!(f, "upgraded by {by}"),
            SetAside::NothingToUpgrade => f.write_str("there is nothing that it upgrades"),
        }
    }
}

/// A component of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Seats of it that a seat of the package has; none: one.
    pub seats: Option<u32>,
}
