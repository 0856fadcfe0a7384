//! What one line of an options file says.

use std::fmt;

/// Keys by which lines of one feature are told apart (FLEXnet Licensing End User Guide, "Feature
/// Specification").
const KEYS: [&str; 13] = [
    "VERSION",
    "HOSTID",
    "EXPDATE",
    "KEY",
    "SIGN",
    "ISSUER",
    "NOTICE",
    "VENDOR_STRING",
    "DIST_INFO",
    "USER_INFO",
    "ASSET_INFO",
    "VENDOR_INFO",
    "ID",
];

/// A feature, or those of its lines that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureSpec {
    /// The feature's name, or that of a package: then all its components are meant.
    pub name: String,
    /// Key and value that its lines in the licence file have, such as `VERSION` and `2.0`.
    pub only: Option<(String, String)>,
}

impl FeatureSpec {
    /// `feature`, `feature:KEY=value` or `feature KEY=value`. A colon that no key follows is of the name.
    pub(super) fn read(text: &str) -> FeatureSpec {
        for (at, _) in text.match_indices([':', ' ']) {
            let pair = text
                .get(at.saturating_add(1)..)
                .and_then(|rest| rest.split_once('='));
            let (Some((key, value)), Some(name)) = (pair, text.get(..at)) else {
                continue;
            };
            if !name.is_empty() && KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)) {
                return FeatureSpec {
                    name: name.to_owned(),
                    only: Some((key.to_owned(), value.to_owned())),
                };
            }
        }
        FeatureSpec {
            name: text.to_owned(),
            only: None,
        }
    }
}

impl fmt::Display for FeatureSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.only {
            Some((key, value)) => write!(f, "{} with {key} {value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a name in an options file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// `USER`: an account.
    User,
    /// `HOST`: a computer, by its name or address.
    Host,
    /// `DISPLAY`: a display or terminal.
    Display,
    /// `INTERNET`: addresses, with `*` for any part.
    Internet,
    /// `PROJECT`: what the user has in `LM_PROJECT`.
    Project,
    /// `GROUP`: a group of users.
    Group,
    /// `HOST_GROUP`: a group of computers.
    HostGroup,
}

impl Nature {
    /// None: it is no such word.
    pub(super) fn read(word: &str) -> Option<Nature> {
        Some(match word.to_ascii_uppercase().as_str() {
            "USER" => Nature::User,
            "HOST" => Nature::Host,
            "DISPLAY" => Nature::Display,
            "INTERNET" => Nature::Internet,
            "PROJECT" => Nature::Project,
            "GROUP" => Nature::Group,
            "HOST_GROUP" => Nature::HostGroup,
            _ => return None,
        })
    }
}

impl fmt::Display for Nature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nature::User => "user",
            Nature::Host => "host",
            Nature::Display => "display",
            Nature::Internet => "address",
            Nature::Project => "project",
            Nature::Group => "group",
            Nature::HostGroup => "host group",
        })
    }
}

/// To whom a line applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whom {
    /// The kind of thing that the names stand for.
    pub nature: Nature,
    /// At least one name. The manual knows one; files are found that have several.
    pub names: Vec<String>,
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.nature, self.names.join(", "))
    }
}

/// A number of seats for some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// The line, from 1.
    pub line: u64,
    /// Seats.
    pub seats: u32,
    /// The feature that they are of.
    pub feature: FeatureSpec,
    /// Who has them, or may use no more.
    pub whom: Whom,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Use a seat.
    Use,
    /// Borrow a seat.
    Borrow,
    /// Activate a licence of trusted storage.
    Activate,
}

/// Who may do something, or may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The line, from 1.
    pub line: u64,
    /// The right that the line gives or takes.
    pub right: Right,
    /// Only those who are named anywhere may (`INCLUDE`); false: those who are named may not
    /// (`EXCLUDE`), also if they are included.
    pub allowed: bool,
    /// The feature; none: all that the daemon serves. With [`Right::Activate`] it is an entitlement's id.
    pub feature: Option<FeatureSpec>,
    /// For whom it holds.
    pub whom: Whom,
}

/// What a number of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// `TIMEOUT`, `TIMEOUTALL`: a seat whose holder does nothing for so many seconds is taken back, if
    /// the vendor's program agrees. The vendor sets a lowest value.
    TimeoutSeconds(u64),
    /// `LINGER`: a seat stays in use for so many seconds after its use.
    LingerSeconds(u64),
    /// `BORROW_LOWWATER`: so many seats cannot be borrowed.
    NotBorrowable(u64),
    /// `ACTIVATION_LOWWATER`: so many seats cannot be activated.
    NotActivatable(u64),
    /// `MAX_BORROW_HOURS`: a seat can be borrowed for so many hours.
    BorrowHours(u64),
    /// `MAX_OVERDRAFT`: so many seats of the overdraft may be used.
    Overdraft(u64),
}

/// A time or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The line, from 1. If two lines say the same of one feature, the last holds.
    pub line: u64,
    /// The feature; none: all that the daemon serves.
    pub feature: Option<FeatureSpec>,
    /// What is limited, and to how much.
    pub quantity: Quantity,
}

/// A group of users or computers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The line on which it is first defined, from 1.
    pub line: u64,
    /// Its members, as they are written.
    pub members: Vec<String>,
}

/// A line of which only the keyword is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The line, from 1.
    pub line: u64,
    /// Its keyword, in upper case.
    pub keyword: String,
}

/// Something that a daemon may read in another way than its author meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The line, from 1.
    pub line: u64,
    /// What it is, in plain words.
    pub what: String,
}
