//! The reader of a kind, with what it knows beside facts.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_api::{DatesFrom, ImportKind as Kind};

use super::How;
use crate::configmgr::{self, Configmgr};
use crate::dates::Reference;
use crate::dsls::Dsls;
use crate::flexnet::licence::Licence;
use crate::flexnet::lmstat::Lmstat;
use crate::flexnet::log::Log;
use crate::flexnet::options::{Options, OptionsFile};
use crate::instant::DateOrder;
use crate::lmx::Lmx;
use crate::lsmon::Lsmon;
use crate::lstc::Lstc;
use crate::olicense::Olicense;
use crate::reading::{Out, Reader};
use crate::rlm::report::{Clock, Report};
use crate::rlm::rlmstat::Rlmstat;
use crate::sessions_csv::SessionsCsv;
use crate::slurm::Slurm;
use crate::taken::Taken;

/// Notes of one file; further ones are counted.
const NOTES_LIMIT: usize = 100;

/// A reader that has a file open.
pub(super) enum Opened {
    Licence(Box<Licence>),
    Options(Box<OptionsFile>),
    Log(Box<Log>),
    Lmstat(Box<Lmstat>),
    RlmLog(Box<Report>),
    Rlmstat(Box<Rlmstat>),
    /// A status that says no time of its own.
    Status(Box<dyn Reader>),
    Dsls(Box<Dsls>),
    Configmgr(Box<Configmgr>),
    Sessions(Box<SessionsCsv>),
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

impl Opened {
    /// Before the first line of a file that was last written then; of a report that was asked for then, if
    /// that is known.
    pub(super) fn new(how: &How, written: Timestamp, is_asked: bool) -> Opened {
        let taken = match is_asked {
            true => Taken::At(written),
            false => Taken::Written(Some(written)),
        };
        let zone = || how.zone().clone();
        let asked = || how.asked(written);
        match how.kind {
            Kind::FlexnetLicence => Opened::Licence(Box::new(Licence::new())),
            Kind::FlexnetOptions => Opened::Options(Box::new(OptionsFile::new())),
            Kind::FlexnetLog => Opened::Log(Box::new(Log::new(Reference {
                file_time: how.written,
                first_day: how.first_day,
                zone: how.time_zone.clone(),
                site_zone: how.site_zone.clone(),
            }))),
            Kind::Lmstat => Opened::Lmstat(Box::new(Lmstat::new(zone(), taken))),
            Kind::RlmLog => Opened::RlmLog(Box::new(Report::new(match &how.time_zone {
                Some(zone) => Clock::Asked(zone.clone()),
                None => Clock::Site(how.site_zone.clone()),
            }))),
            Kind::Rlmstat => Opened::Rlmstat(Box::new(Rlmstat::new(zone(), taken))),
            Kind::Lmx => Opened::Status(Box::new(Lmx::new(asked()))),
            Kind::Dsls => Opened::Dsls(Box::new(Dsls::new(asked()))),
            Kind::Lsmon => Opened::Status(Box::new(Lsmon::new(asked()))),
            Kind::Olicense => Opened::Status(Box::new(Olicense::new(asked()))),
            Kind::Lstc => Opened::Status(Box::new(Lstc::new(asked()))),
            Kind::Slurm => Opened::Status(Box::new(Slurm::new(asked()))),
            Kind::Configmgr => Opened::Configmgr(Box::new(Configmgr::new(configmgr::How {
                time_zone: zone(),
                dates: match how.day_first {
                    true => DateOrder::DayFirst,
                    false => DateOrder::MonthFirst,
                },
            }))),
            Kind::SessionsCsv => Opened::Sessions(Box::new(SessionsCsv::new())),
        }
    }

    pub(super) fn reader(&mut self) -> &mut dyn Reader {
        match self {
            Opened::Licence(reader) => &mut **reader,
            Opened::Options(reader) => &mut **reader,
            Opened::Log(reader) => &mut **reader,
            Opened::Lmstat(reader) => &mut **reader,
            Opened::RlmLog(reader) => &mut **reader,
            Opened::Rlmstat(reader) => &mut **reader,
            Opened::Status(reader) => &mut **reader,
            Opened::Dsls(reader) => &mut **reader,
            Opened::Configmgr(reader) => &mut **reader,
            Opened::Sessions(reader) => &mut **reader,
        }
    }

    /// Whether the next file goes on with this one: what is open in a log ends in the next, and a newer
    /// licence file supersedes an older one.
    pub(super) fn goes_on(&self) -> bool {
        matches!(
            self,
            Opened::Licence(_) | Opened::Log(_) | Opened::RlmLog(_)
        )
    }

    /// The file is written to at that instant.
    pub(super) fn file_is_of(&mut self, at: Timestamp) {
        if let Opened::Log(reader) = self {
            reader.file_is_of(at);
        }
    }

    /// Whether lines wait for the first date.
    pub(super) fn is_undated(&self) -> bool {
        matches!(self, Opened::Log(reader) if reader.held() > 0)
    }

    /// Another file begins.
    pub(super) fn next_file(&mut self, out: &mut Out<'_>) {
        if let Opened::Licence(reader) = self {
            reader.next_file(out);
        }
    }

    /// What an options file says.
    pub(super) fn options(&self) -> Option<&Options> {
        match self {
            Opened::Options(reader) => Some(reader.options()),
            _ => None,
        }
    }

    /// The zone in which times were read, if the file may say another than was given.
    pub(super) fn zone(&self) -> Option<&TimeZone> {
        match self {
            Opened::Log(reader) => Some(reader.zone()),
            Opened::RlmLog(reader) => Some(reader.zone()),
            _ => None,
        }
    }

    /// How dates were found; none: there are none.
    pub(super) fn dates_from(&self) -> Option<DatesFrom> {
        let by_itself = |tells: bool| match tells {
            true => DatesFrom::Timestamp,
            false => DatesFrom::FileTime,
        };
        match self {
            Opened::Licence(_) | Opened::Options(_) => None,
            Opened::Log(reader) => reader.dates_from().map(DatesFrom::from),
            Opened::Lmstat(reader) => Some(by_itself(reader.tells_time())),
            Opened::Rlmstat(reader) => Some(by_itself(reader.tells_time())),
            Opened::Dsls(reader) => Some(by_itself(reader.is_log())),
            Opened::Status(_) => Some(DatesFrom::FileTime),
            Opened::RlmLog(_) | Opened::Configmgr(_) | Opened::Sessions(_) => {
                Some(DatesFrom::Timestamp)
            }
        }
    }

    /// What was doubted or left out.
    pub(super) fn notes(&self) -> Vec<String> {
        let (mut notes, mut more) = (Vec::new(), 0);
        match self {
            Opened::Options(reader) => notes = reader.options().summary(),
            Opened::Sessions(reader) => {
                notes.extend(reader.errors().iter().map(ToString::to_string));
                more = reader.more_errors();
            }
            Opened::Configmgr(reader) if !reader.unknown_columns().is_empty() => {
                notes.push(format!(
                    "Columns that are not known are left out: {}.",
                    reader.unknown_columns().join(", ")
                ));
            }
            _ => {}
        }
        let beyond = u64::try_from(notes.len().saturating_sub(NOTES_LIMIT)).unwrap_or(u64::MAX);
        more = more.saturating_add(beyond);
        notes.truncate(NOTES_LIMIT);
        if more > 0 {
            notes.push(format!("{more} more of these are not shown."));
        }
        notes
    }
}

impl From<crate::dates::DatesFrom> for DatesFrom {
    fn from(found: crate::dates::DatesFrom) -> DatesFrom {
        match found {
            crate::dates::DatesFrom::Timestamp => DatesFrom::Timestamp,
            crate::dates::DatesFrom::StartDate => DatesFrom::StartDate,
            crate::dates::DatesFrom::Option => DatesFrom::Option,
            crate::dates::DatesFrom::FileTime => DatesFrom::FileTime,
        }
    }
}
