//! The files of an import: opened, with when they were last written, and what is given beside them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use usher_imports::fact::Owned;
use usher_imports::{How, Import, Kind, ProductMap};

use crate::failure::Failure;
use crate::output::shown_path;

/// The longest map that is read.
const MAP_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Lines of licence files that are shown if they are not understood.
const MISSED_SHOWN: usize = 3;

/// What was given.
pub(super) struct Given {
    pub(super) kind: Kind,
    pub(super) files: Vec<PathBuf>,
    pub(super) licences: Vec<PathBuf>,
    pub(super) options: Option<PathBuf>,
    pub(super) map: ProductMap,
    pub(super) zone: Option<TimeZone>,
    pub(super) first_day: Option<Date>,
    pub(super) day_first: bool,
}

/// A file that is open.
pub(super) struct Opened {
    /// Its name as the command line has it.
    pub(super) name: String,
    pub(super) from: Box<dyn Read + Send>,
    /// When it was last written; of standard input the present.
    pub(super) written: Timestamp,
    /// How long it is, if that is known.
    pub(super) bytes: Option<u64>,
}

/// All that is needed to read.
pub(super) struct Prepared {
    pub(super) how: How,
    pub(super) files: Vec<Opened>,
    map: ProductMap,
    licences: Vec<Owned>,
    notes: Vec<String>,
}

impl Given {
    /// Opens the files, and reads what is given beside them.
    pub(super) fn prepared(self) -> Result<Prepared, Failure> {
        let from_input = self.files.iter().filter(|file| is_input(file)).count();
        if from_input > 1 {
            return Err(Failure::usage("standard input can be read once only"));
        }
        let files: Vec<Opened> = self
            .files
            .iter()
            .map(|file| open(file))
            .collect::<Result<_, _>>()?;
        let mut notes = Vec::new();
        let licences = licences(&self.licences, &mut notes)?;
        if let Some(path) = &self.options {
            notes.extend(left_out(path)?);
        }
        let now = Timestamp::now();
        let site_zone = TimeZone::system();
        let today = now.to_zoned_datetime(site_zone.clone()).date();
        Ok(Prepared {
            how: How {
                kind: self.kind,
                time_zone: self.zone,
                site_zone,
                first_day: self.first_day,
                day_first: self.day_first,
                server: None,
                written: files.iter().map(|file| file.written).max().unwrap_or(now),
                today,
            },
            files,
            map: self.map,
            licences,
            notes,
        })
    }
}

impl Prepared {
    /// An import before its first file, and the files.
    pub(super) fn begun(self) -> (Import, Vec<Opened>) {
        let mut import = Import::new(self.how, self.map, &self.licences);
        self.notes.into_iter().for_each(|note| import.note(note));
        (import, self.files)
    }
}

/// A map of features to products.
pub(in crate::commands) fn map(path: &Path) -> Result<ProductMap, Failure> {
    let mut text = String::new();
    let mut file = File::open(path).map_err(|error| unread(path, &error))?;
    let read = (&mut file).take(MAP_LIMIT_BYTES).read_to_string(&mut text);
    read.map_err(|error| unread(path, &error))?;
    ProductMap::read(&text).map_err(|error| {
        Failure::usage(format!("{} is no map: {error}", shown_path(path)))
            .next("Its first line is feature,product, and a row is such as MLM:Simulink,simulink.")
    })
}

/// A time zone by its name.
pub(in crate::commands) fn zone(name: &str) -> Result<TimeZone, Failure> {
    TimeZone::get(name).map_err(|_| {
        Failure::usage(format!(
            "--time-zone {name:?} is not a time zone that is known here"
        ))
        .next("Give a name such as Europe/Berlin or UTC.")
    })
}

/// What licence files say is owned; `notes` says what of them was not understood.
fn licences(paths: &[PathBuf], notes: &mut Vec<String>) -> Result<Vec<Owned>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        files.push(open(path)?);
    }
    let read = usher_imports::licences(
        files
            .iter_mut()
            .map(|file| &mut *file.from as &mut dyn Read),
    );
    let (owned, missed) = read.map_err(|error| {
        let names: Vec<String> = paths.iter().map(|path| shown_path(path)).collect();
        Failure::failed(format!("cannot read {}: {error}", names.join(", ")))
    })?;
    if owned.is_empty() && !paths.is_empty() {
        return Err(
            Failure::usage("the files of --licence have no FEATURE and no INCREMENT line")
                .next("Give FlexNet licence files, such as license.dat."),
        );
    }
    for line in missed.iter().take(MISSED_SHOWN) {
        notes.push(format!(
            "The licence files have {} lines that are not understood, such as: {}",
            line.count, line.example
        ));
    }
    Ok(owned)
}

/// What the log leaves out by the word of an options file.
fn left_out(path: &Path) -> Result<Option<String>, Failure> {
    let mut file = open(path)?;
    let options = usher_imports::options(&mut file.from).map_err(|error| unread(path, &error))?;
    let what = options.not_logged.join(", ");
    Ok((!what.is_empty()).then(|| {
        format!(
            "The options file keeps {what} out of the log (NOLOG): what is missing there is missing here."
        )
    }))
}

fn is_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn open(path: &Path) -> Result<Opened, Failure> {
    if is_input(path) {
        return Ok(Opened {
            name: "standard input".to_owned(),
            from: Box::new(io::stdin()),
            written: Timestamp::now(),
            bytes: None,
        });
    }
    let file = File::open(path).map_err(|error| unread(path, &error))?;
    let about = file.metadata().map_err(|error| unread(path, &error))?;
    if about.is_dir() {
        return Err(Failure::usage(format!(
            "{} is a folder, and no file",
            shown_path(path)
        )));
    }
    let written = about.modified().ok();
    let written = written.and_then(|written| Timestamp::try_from(written).ok());
    Ok(Opened {
        name: shown_path(path),
        from: Box::new(file),
        written: written.unwrap_or_else(Timestamp::now),
        bytes: about.is_file().then_some(about.len()),
    })
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", shown_path(path)))
}
