//! Whether a file is as it was written, and where in it something is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use usher_parquet::{Bytes, Reader, Source};
use usher_platform::files;

use super::part::Part;

/// The longest file that is read: those that are written are far shorter.
const LONGEST: u64 = 1 << 28;

/// A file that was found as it was written, when it was last changed, and what its groups have.
#[derive(Debug, Clone)]
pub(super) struct Sound {
    stamp: i128,
    groups: Vec<Group>,
}

/// A group of rows.
#[derive(Debug, Clone, Copy)]
struct Group {
    products: (i64, i64),
    first_ms: i64,
    last_ms: i64,
}

impl Sound {
    /// The groups that may have uses of a product from one instant to another.
    pub(super) fn groups(&self, product: i64, (from_ms, to_ms): (i64, i64)) -> Vec<usize> {
        let may_have = |group: &Group| {
            let (first, last) = group.products;
            (first..=last).contains(&product) && group.first_ms < to_ms && from_ms <= group.last_ms
        };
        let groups = self.groups.iter().enumerate();
        let found = groups.filter(|(_, group)| may_have(group));
        found.map(|(place, _)| place).collect()
    }

    /// Whether the file at that path was not changed since.
    pub(super) fn is_still(&self, path: &Path) -> bool {
        files::changed_at_ticks(path).is_ok_and(|stamp| stamp == self.stamp)
    }

    /// Reads a file whole and compares it with what was entered of it.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn of(path: &Path, part: &Part) -> Result<Sound, String> {
        let failed = |error: std::io::Error| error.to_string();
        let stamp = files::changed_at_ticks(path).map_err(failed)?;
        let mut bytes = Vec::new();
        let file = files::open_regular(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if i64::try_from(found) != Ok(part.bytes) || found > LONGEST {
            return Err(format!(
                "it has {found} bytes, and {} were written",
                part.bytes
            ));
        }
        file.take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
        if HEXLOWER.encode(&Sha256::digest(&bytes)) != part.sha256 {
            return Err("its SHA-256 is not that of what was written".to_owned());
        }
        let reader = open(Bytes::from(bytes), part)?;
        let all = (i64::MIN, i64::MAX);
        let numbers = |group: usize, name: &str| {
            let place = reader.place(name);
            place
                .and_then(|place| reader.numbers(group, place))
                .unwrap_or(all)
        };
        let groups = (0..reader.groups()).map(|group| {
            let began = numbers(group, "began");
            Group {
                products: numbers(group, "product_number"),
                first_ms: began.0,
                last_ms: numbers(group, "ended").1.max(began.1),
            }
        });
        Ok(Sound {
            stamp,
            groups: groups.collect(),
        })
    }
}

/// Opens a file that was found sound before.
pub(super) fn open_file(path: &Path, part: &Part) -> Result<Reader<File>, String> {
    let file = files::open_regular(path).map_err(|error| error.to_string())?;
    open(file, part)
}

fn open<R: Source>(from: R, part: &Part) -> Result<Reader<R>, String> {
    let reader = Reader::open(from).map_err(|error| error.to_string())?;
    match i64::try_from(reader.rows()) == Ok(part.rows) {
        true => Ok(reader),
        false => Err(format!(
            "it has {} rows, and {} were written",
            reader.rows(),
            part.rows
        )),
    }
}
