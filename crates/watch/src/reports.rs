//! Asks a server again and again by a command.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use usher_child::Commands;

use crate::delivery::Delivery;
use crate::end::{Options, WatchError};
use crate::kept::Folder;
use crate::poll::{self, Printed};
use crate::standing::State;
use crate::watched::Watched;

/// Runs the command until nothing is taken any more, or commands end; with [`Options::once`] once.
pub(crate) fn ask(
    watched: &Watched,
    (words, within): (&[String], Duration),
    folder: &Folder,
    out: &mut Delivery<'_>,
    (options, commands): (Options, &Commands),
) -> Result<(), WatchError> {
    let mut import = watched.import();
    let (printed, failed) = (
        folder.printed(&watched.name, "out"),
        folder.printed(&watched.name, "err"),
    );
    let printed = Printed {
        out: &printed,
        err: &failed,
    };
    let mut last = out.keeper.kept.standing.last_at;
    let mut has_asked = false;
    while !out.is_over() {
        let (at, begun) = (Timestamp::now(), Instant::now());
        // Whoever starts a watch again at once has missed no more than one who asks now and then.
        let missed = last.filter(|last| {
            let most = watched.every.saturating_mul(2).saturating_add(within);
            at.duration_since(*last).unsigned_abs() > most
        });
        match missed {
            // Rows were not taken for long, or the computer slept.
            Some(_) if has_asked => import.no_report(at, "nobody asked"),
            Some(missed) => import.last_report_was(missed),
            None => {}
        }
        (last, has_asked) = (Some(at), true);
        let report = poll::report(commands, words, within, printed);
        // Who ends says nothing about a server.
        if commands.is_over() {
            return Ok(());
        }
        let why = match report {
            Err(why) => Some(why),
            Ok(report) => {
                let is_understood = import.report(&report, at, &mut |row| out.row(&row));
                (!is_understood).then(|| {
                    let kind = watched.kind;
                    format!("nothing of what the command prints was understood as {kind}")
                })
            }
        };
        match &why {
            Some(why) => import.no_report(at, why),
            None => import.so_far(true, &mut |row| out.row(&row)),
        }
        let is_sent = out.flush(import.span());
        if let Some(why) = out.gave_up() {
            return Err(WatchError::NotTaken(why.to_owned()));
        }
        if is_sent {
            out.next_day(&import);
        }
        let standing = &mut out.keeper.kept.standing;
        standing.knows(&import);
        match why {
            None => {
                standing.last_at = Some(at);
                out.keeper.is_now(State::Following, None);
            }
            Some(why) if options.once => return Err(WatchError::NoReport(why)),
            Some(why) => out.keeper.is_now(State::Failing, Some(why)),
        }
        out.keeper.save()?;
        if options.once {
            return Ok(());
        }
        out.pause(watched.every.saturating_sub(begun.elapsed()));
    }
    Ok(())
}
