//! Follows a log.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use usher_imports::Import;

use crate::delivery::Delivery;
use crate::end::{Options, WatchError};
use crate::standing::State;
use crate::tail::{Look, Tail};
use crate::watched::Watched;

/// Bytes that are asked for at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// After so many bytes what they make is sent and the position kept, however much more there is.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How often the end of a log is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is open is told again and again, so many rows a second at the most.
const OPEN_ROWS_EACH_SECOND: u64 = 200;

/// Follows it until nothing is taken any more; with [`Options::once`] up to its present end.
pub(crate) fn follow(
    watched: &Watched,
    path: &Path,
    out: &mut Delivery<'_>,
    options: Options,
) -> Result<(), WatchError> {
    let mut log = Log {
        import: watched.import(),
        tail: Tail::new(path, &out.keeper.kept.parts),
        every: watched.every,
        open_due: Instant::now(),
        has_grown: false,
        is_unsettled: false,
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    while !out.is_over() {
        let is_over = log.read_on(&mut chunk, out);
        log.tell_open(out, options.once);
        log.keep(out)?;
        if std::mem::take(&mut out.was_held_up)
            && log.tail.is_caught_up()
            && let Some(tail) = log.tail.copied()
        {
            (log.import, log.tail) = (watched.import(), tail);
            continue;
        }
        if options.once && is_over {
            return ended(out, path);
        }
        if is_over {
            std::thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}

/// What came of one look.
fn ended(out: &Delivery<'_>, path: &Path) -> Result<(), WatchError> {
    let standing = &out.keeper.kept.standing;
    match (standing.state, &standing.why) {
        (State::Waiting, _) => {
            let why = format!("there is no log at {}", path.display());
            Err(WatchError::NoReport(why))
        }
        (State::Failing, Some(why)) => Err(WatchError::NoReport(why.clone())),
        _ => Ok(()),
    }
}

struct Log {
    import: Import,
    tail: Tail,
    every: Duration,
    /// When what is open is told next.
    open_due: Instant,
    /// Something was read since what is open was told.
    has_grown: bool,
    /// The last seconds were left out when what is open was told.
    is_unsettled: bool,
}

impl Log {
    /// Reads a batch, or up to the end of what is there. Returns whether it came to the end.
    fn read_on(&mut self, chunk: &mut [u8], out: &mut Delivery<'_>) -> bool {
        let mut left = BATCH_BYTES;
        let import = &mut self.import;
        import.it_is(Timestamp::now());
        // Where the log is after a long wait is looked at first.
        while left > 0 && !out.was_held_up {
            match self.tail.look(chunk) {
                Ok(Look::Bytes { length, is_taken }) => {
                    out.is_muted = is_taken;
                    let bytes = chunk.get(..length).unwrap_or_default();
                    import.part(bytes, &mut |row| out.row(&row));
                    out.is_muted = false;
                    left = left.saturating_sub(length);
                    self.has_grown = true;
                }
                Ok(Look::Over) => {
                    out.is_muted = !self.tail.is_caught_up();
                    import.part_is_over(&mut |row| out.row(&row));
                    out.is_muted = false;
                    self.has_grown = true;
                }
                Ok(Look::Nothing) => {
                    out.keeper.is_now(State::Following, None);
                    return self.tail.is_at_log();
                }
                Ok(Look::Missing) => {
                    out.keeper.is_now(State::Waiting, None);
                    return true;
                }
                Err(error) => {
                    let why = format!("cannot read the log: {error}");
                    out.keeper.is_now(State::Failing, Some(why));
                    return true;
                }
            }
        }
        false
    }

    /// Tells what is open. What began in the last seconds may turn out to be a part of another use, and is
    /// told when the log has gone on, or has not for a while.
    fn tell_open(&mut self, out: &mut Delivery<'_>, once: bool) {
        let has_news = self.has_grown || self.is_unsettled;
        let is_due = once || Instant::now() >= self.open_due;
        if !has_news || !is_due || !self.tail.is_caught_up() {
            return;
        }
        let all = once || !self.has_grown;
        self.import.so_far(all, &mut |row| out.row(&row));
        let open = u64::try_from(self.import.open_count()).unwrap_or(u64::MAX);
        let pause = Duration::from_secs(open / OPEN_ROWS_EACH_SECOND).max(self.every);
        self.open_due = Instant::now() + pause;
        (self.is_unsettled, self.has_grown) = (!all, false);
    }

    /// Sends what was made, and keeps how far the log is read once that is taken.
    fn keep(&mut self, out: &mut Delivery<'_>) -> Result<(), WatchError> {
        if !self.tail.is_caught_up() {
            return Ok(());
        }
        let is_sent = out.flush(self.import.span());
        if let Some(why) = out.gave_up() {
            return Err(WatchError::NotTaken(why.to_owned()));
        }
        if is_sent {
            out.next_day(&self.import);
        }
        let parts = self.tail.parts();
        let kept = &mut out.keeper.kept;
        let lines = kept.standing.lines;
        kept.standing.knows(&self.import);
        let has_grown = parts != kept.parts;
        if has_grown {
            kept.standing.last_at = Some(Timestamp::now());
        }
        kept.parts = parts;
        match has_grown || lines != kept.standing.lines {
            true => Ok(out.keeper.save()?),
            false => Ok(()),
        }
    }
}
