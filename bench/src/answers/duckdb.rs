//! DuckDB as the peer: its Python package, of one version, in a virtual environment that goes with the
//! run's folder, and a store with the same rows.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use usher_core::usage::made_up::MadeUp;

use super::past::in_order_of_ends;
use super::peaks::Peaks;
use super::progress::Progress;
use crate::beside::private::bound_to_us;

/// The version, so that figures can be compared.
pub(super) const VERSION: &str = "2.0.1";
const SCRIPT: &str = include_str!("duckdb.py");

/// DuckDB, ready to be asked.
pub(super) struct DuckDb {
    python: PathBuf,
    script: PathBuf,
    folder: PathBuf,
}

impl DuckDb {
    /// Installs it below `folder`, with the `python3` that is named. An error says why there is none.
    pub(super) fn install(folder: &Path, python: &Path) -> Result<DuckDb, String> {
        let environment = folder.join("venv");
        let mut make = Command::new(python);
        ran(make.args(["-m", "venv"]).arg(&environment))
            .map_err(|why| format!("there is no Python with venv and pip: {why}"))?;
        let python = environment.join("bin/python");
        let mut install = Command::new(&python);
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        ran(install.arg(format!("duckdb=={VERSION}")))
            .map_err(|why| format!("DuckDB {VERSION} cannot be installed: {why}"))?;
        // Under its own name Python would import it instead of DuckDB.
        let script = folder.join("peaks.py");
        fs::write(&script, SCRIPT)
            .map_err(|error| format!("cannot write {}: {error}", script.display()))?;
        Ok(DuckDb {
            python,
            script,
            folder: folder.to_owned(),
        })
    }

    /// Loads the sessions into its store; the size of that, in bytes.
    pub(super) fn load(&self, made_up: &MadeUp) -> Result<u64, String> {
        let rows = self.folder.join("sessions.csv");
        write_rows(&rows, made_up)
            .map_err(|error| format!("cannot write {}: {error}", rows.display()))?;
        let store = self.store();
        ran(self.command("load").arg(&store).arg(&rows))?;
        // What cannot be removed goes with the folder.
        let _ = fs::remove_file(&rows);
        let file = fs::metadata(&store)
            .map_err(|error| format!("cannot look at {}: {error}", store.display()))?;
        Ok(file.len())
    }

    /// The peaks, by a process of its own.
    pub(super) fn peaks(&self, threads: u32, rounds: u32) -> Result<Peaks, String> {
        let mut command = self.command("peaks");
        command
            .arg(self.store())
            .args([threads.to_string(), rounds.to_string()]);
        peaks_of(&mut command)
    }

    fn store(&self) -> PathBuf {
        self.folder.join("sessions.duckdb")
    }

    fn command(&self, what: &str) -> Command {
        let mut command = bound_to_us(&self.python);
        command.arg(&self.script).arg(what);
        command
    }
}

/// What a process that finds peaks has printed.
pub(super) fn peaks_of(command: &mut Command) -> Result<Peaks, String> {
    let printed = ran(command)?;
    serde_json::from_slice(&printed)
        .map_err(|error| format!("cannot read the peaks that were printed: {error}"))
}

/// Runs a command to its end; what it printed, or its name and the last lines of its complaint.
fn ran(command: &mut Command) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    Err(format!(
        "{program} ended with {}: {}",
        output.status,
        last.join(" ")
    ))
}

fn write_rows(path: &Path, made_up: &MadeUp) -> std::io::Result<()> {
    let mut progress = Progress::new("sessions written for DuckDB", made_up.sessions);
    let mut rows = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for (it, done) in in_order_of_ends(made_up).zip(1..) {
        let span = it.span;
        writeln!(
            rows,
            "{},{},{},{},{}",
            it.product, it.person, it.computer, span.from_ms, span.until_ms
        )?;
        progress.at(done);
    }
    rows.flush()
}
