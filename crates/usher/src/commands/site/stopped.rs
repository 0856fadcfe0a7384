//! A backup or a restore that is told to stop.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::{fs, thread};

use usher_platform::signals::{Stop, Told};

use crate::failure::Failure;

/// From now on SIGTERM, SIGINT, SIGQUIT and SIGHUP remove the files that are `begun`, say `words`, and end
/// the process with 128 + the signal, whatever it waits for.
pub(crate) fn end_cleanly(begun: Vec<PathBuf>, words: &'static str) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::failed(format!("cannot watch signals that stop it: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (taken, is_taken) = sync_channel(1);
    thread::Builder::new()
        .name("stop signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let mut stop = match Stop::take(Told::AlsoByTerminal) {
                    Ok(stop) => stop,
                    Err(error) => return drop(taken.send(Err(error))),
                };
                drop(taken.send(Ok(())));
                let signal = stop.next().await;
                for file in &begun {
                    // Most of them are not there: who waits sees what is left by the next run.
                    let _ = fs::remove_file(file);
                }
                drop(writeln!(io::stderr(), "\nusher: {words}"));
                std::process::exit(signal.exit_code().into())
            })
        })
        .map_err(failed)?;
    let taken = is_taken.recv();
    taken
        .unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
        .map_err(failed)
}
