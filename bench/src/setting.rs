//! What every measurement is told: the program, the folder for its data, the file for the table.

use std::path::PathBuf;

use clap::Args;

use crate::document::write_between;

/// Of a measurement of the built program.
#[derive(Args)]
pub(crate) struct Setting {
    /// The usher to measure
    #[arg(long, env = "USHER_BIN", default_value = "target/release/usher")]
    pub(crate) usher: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Of any measurement.
#[derive(Args)]
pub(crate) struct Place {
    /// Where data is kept for the time of the run: on a disk, not in memory
    #[arg(long, default_value = "/var/tmp")]
    pub(crate) folder: PathBuf,
    /// The document whose table is replaced; `-` prints alone
    #[arg(long, default_value = "docs/performance.md")]
    write: PathBuf,
}

impl Setting {
    /// Prints a table and puts it into the document, at the place of that name.
    pub(crate) fn tell(&self, name: &str, table: &str) -> Result<(), String> {
        self.place.tell(name, table)
    }
}

impl Place {
    /// As [`Setting::tell`].
    pub(crate) fn tell(&self, name: &str, table: &str) -> Result<(), String> {
        println!("{table}");
        match self.write.as_os_str() == "-" {
            true => Ok(()),
            false => write_between(&self.write, name, table),
        }
    }
}
