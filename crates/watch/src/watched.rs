//! What is watched, and how.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use usher_imports::{How, Import, Kind, ProductMap};

/// The longest name of a watch, in bytes.
const NAME_LIMIT_BYTES: usize = 64;

/// What is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What it is called: [`check_name`] says what may be one.
    pub name: String,
    /// What kind of log or report it is.
    pub kind: Kind,
    /// Whose rows these are: keys are compared within a source.
    pub source: String,
    /// Where it comes from.
    pub origin: Origin,
    /// How often a command is run; how often what is open in a log is told, at the most.
    pub every: Duration,
    /// The zone that somebody asked for: it wins over what a log or report says.
    pub zone: Option<TimeZone>,
    /// The day of the first line of a log, if somebody says it.
    pub first_day: Option<Date>,
    /// Which products features are.
    pub map: ProductMap,
}

/// Where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A log that grows.
    Log(PathBuf),
    /// What a command prints.
    Command {
        /// The program and its arguments: no shell reads them.
        words: Vec<String>,
        /// It is ended after so long, and what it has printed until then is not read.
        within: Duration,
    },
}

impl Watched {
    /// Why this kind cannot be watched in this way; none: it can.
    pub fn unfit(&self) -> Option<String> {
        let (is_log, is_report) = match self.kind {
            Kind::FlexnetLog | Kind::RlmLog => (true, false),
            // The usage, and the log of the server.
            Kind::Dsls => (true, true),
            Kind::Lmstat
            | Kind::Rlmstat
            | Kind::Lmx
            | Kind::Lsmon
            | Kind::Olicense
            | Kind::Lstc
            | Kind::Slurm => (false, true),
            Kind::FlexnetLicence | Kind::FlexnetOptions | Kind::Configmgr | Kind::SessionsCsv => {
                (false, false)
            }
        };
        let kind = self.kind;
        match (&self.origin, is_log, is_report) {
            (_, false, false) => Some(format!("{kind} neither grows nor is asked for")),
            (Origin::Log(_), false, true) => Some(format!("{kind} is printed by a command")),
            (Origin::Command { .. }, true, false) => Some(format!("{kind} is a log")),
            _ => None,
        }
    }

    /// What makes keys: a watch that goes on with other ones sends all of a log again.
    pub(crate) fn keys_depend_on(&self) -> String {
        let zone = self.zone.as_ref().and_then(TimeZone::iana_name);
        format!(
            "{} {:?} {:?} {:?}",
            self.kind, self.source, zone, self.first_day
        )
    }

    pub(crate) fn import(&self) -> Import {
        let now = Timestamp::now();
        let site_zone = TimeZone::system();
        let how = How {
            kind: self.kind,
            time_zone: self.zone.clone(),
            today: site_zone.to_datetime(now).date(),
            site_zone,
            first_day: self.first_day,
            day_first: false,
            server: None,
            written: now,
        };
        Import::live(how, self.map.clone(), &[])
    }
}

/// What is wrong with a name of a watch: a file is called by it.
///
/// # Errors
/// It is empty, longer than 64 bytes, begins with a point, or has something else than letters and digits
/// of ASCII, `.`, `_` and `-`.
pub fn check_name(name: &str) -> Result<(), String> {
    let usual = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let is_name = (1..=NAME_LIMIT_BYTES).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(usual);
    match is_name {
        true => Ok(()),
        false => Err(format!(
            "{name:?} is no name for a watch: give 1 to {NAME_LIMIT_BYTES} letters, digits, points, _ \
             and -, and no point at the beginning"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_a_file_may_have_everywhere() {
        for name in ["lic1", "lic1.example.com", "a_b-c"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for wrong in ["", ".", "../a", "a/b", "a b", "ü", &"x".repeat(65)] {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_log_is_followed_and_a_report_is_asked_for() {
        let unfit = |kind, origin| {
            let watched = Watched {
                name: "w".to_owned(),
                kind,
                source: "w".to_owned(),
                origin,
                every: Duration::from_secs(30),
                zone: None,
                first_day: None,
                map: ProductMap::default(),
            };
            watched.unfit().is_some()
        };
        let log = || Origin::Log(PathBuf::from("debug.log"));
        let command = || Origin::Command {
            words: vec!["true".to_owned()],
            within: Duration::from_secs(1),
        };
        for kind in Kind::ALL {
            let both = (!unfit(kind, log()), !unfit(kind, command()));
            let expected = match kind {
                Kind::FlexnetLog | Kind::RlmLog => (true, false),
                Kind::Dsls => (true, true),
                Kind::FlexnetLicence
                | Kind::FlexnetOptions
                | Kind::Configmgr
                | Kind::SessionsCsv => (false, false),
                _ => (false, true),
            };
            assert_eq!(both, expected, "{kind}");
        }
    }
}
