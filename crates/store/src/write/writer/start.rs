//! How a data file is opened and its writer begins.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use usher_core::ledger::{Batch, Command};

use super::Writer;
use crate::base::clock::Clock;
use crate::base::error::StoreError;
use crate::base::place::Place;
use crate::copies::life::NewLife;
use crate::copies::unknown::{Known, Unknown};
use crate::file::closed;
use crate::file::foreign_log;
use crate::file::open;
use crate::file::presence::Presence;
use crate::queue::shared::Shared;
use crate::read::versions;
use crate::tables::lives;
use crate::tables::load::{Loaded, load};

/// The options of an engine.
pub struct EngineOptions {
    /// The data directory; the file is `cache.db` in it.
    pub data: PathBuf,
    /// The clocks that the ledger uses.
    pub clock: Arc<dyn Clock>,
    /// Called for each batch as soon as it is durable, in order, on the writer's thread: it must
    /// not block.
    pub on_durable: Box<dyn Fn(&Batch) + Send>,
}

/// What opening a data file found.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The server's id, which is made once for a data file.
    pub server_id: String,
    /// How many leases are held.
    pub leases: usize,
    /// How many events were only in the journal and not yet in the tables.
    pub replayed: u64,
    /// Set if the file is not the one that its server closed. It is then taken for a restored one,
    /// and grants nothing for so many seconds.
    pub is_copy: Option<u64>,
}

/// Opens the data file, or makes it; migrates and recovers it; starts the writer.
pub(crate) fn open(
    options: EngineOptions,
    left: &dyn Fn(u64),
) -> Result<(Arc<Shared>, Opened), StoreError> {
    let EngineOptions {
        data,
        clock,
        on_durable,
    } = options;
    let lock = open::lock(&data)?;
    let path = data.join("cache.db");
    let held = open::hold(&path)?;
    let beginning = Beginning {
        path,
        place: Place::Directory,
        locks: Some([lock, held]),
        clock,
        on_durable,
        drawn: &open::draw,
    };
    let (writer, opened) = begin(beginning, left)?;
    let shared = writer.shared.clone();
    let thread = usher_vital::spawn("usher-writer", move || writer.run()).map_err(|error| {
        StoreError::System {
            doing: "start the writer of",
            path: data,
            why: error.to_string(),
        }
    })?;
    shared.keep(thread);
    Ok((shared, opened))
}

/// What a writer starts with.
pub(crate) struct Beginning<'a> {
    pub(crate) path: PathBuf,
    pub(crate) place: Place,
    /// Locks that are held until the file is closed.
    pub(crate) locks: Option<[File; 2]>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_durable: Box<dyn Fn(&Batch) + Send>,
    /// Random numbers from which the identity of a new file is made.
    pub(crate) drawn: &'a dyn Fn(&Path) -> Result<[u64; 2], StoreError>,
}

/// Opens the data file, or makes it; migrates and recovers it. Its writer has no thread yet.
pub(crate) fn begin(
    beginning: Beginning<'_>,
    left: &dyn Fn(u64),
) -> Result<(Writer, Opened), StoreError> {
    let Beginning {
        path,
        place,
        locks,
        clock,
        on_durable,
        drawn,
    } = beginning;
    let connection = open::connection_at(&path, place)?;
    let is_another = place.is_directory() && closed::is_another(&connection, &path)?;
    let server_id = open::server_id(&connection, &path, drawn)?;
    let mut loaded =
        load(&connection, &path, left).map_err(|error| foreign_log::explain(&path, error))?;
    open::is_sound(&connection, &path)?;
    let mut is_copy = None;
    if is_another {
        is_copy = Some(begin_another_life(
            &connection,
            &path,
            loaded,
            clock.as_ref(),
        )?);
        loaded = load(&connection, &path, left)?;
    }
    if place.is_directory() {
        closed::begin(&connection, &path)?;
    }
    let (offset_ms, rebooted) =
        open::clock_offset(&connection, &path, loaded.last, clock.as_ref())?;
    let opened = Opened {
        server_id,
        leases: loaded.ledger.lease_count(),
        replayed: loaded.journal_events,
        is_copy,
    };
    let now = clock.instant();
    let mut writer = Writer {
        durable_to: loaded.ledger.next_number(),
        filled_to: loaded.filled_to,
        ledger: loaded.ledger,
        shared: Arc::new(Shared::new(path.clone(), clock.clone(), locks)),
        place,
        connection: Some(connection),
        path,
        clock,
        offset_ms,
        last: loaded.last,
        settlers: Vec::new(),
        buffer: Vec::new(),
        on_durable,
        retry_at: None,
        presence: Presence::sure(),
        looked_at: now,
        gone: None,
        must_rebuild: false,
        counted_to: 0,
        owed: 0,
        beside: None,
        log_looked_at: now,
    };
    writer.counted_to = writer.durable_to;
    writer.follow_log()?;
    if rebooted {
        writer.reboot()?;
    }
    if let Some(connection) = &writer.connection {
        open::keep_clock(connection, &writer.path, offset_ms, writer.clock.as_ref())?;
        versions::serves(connection, &writer.path, writer.clock.wall_ms())?;
        lives::catch_up(connection, &writer.path)?;
    }
    writer.look_at_files();
    Ok((writer, opened))
}

/// It is not known what was granted after this copy was made: a lease may still be in use for the
/// longest possible ttl. Returns for how many seconds nothing is granted.
fn begin_another_life(
    connection: &Connection,
    path: &Path,
    loaded: Loaded,
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    let known = Known::of(connection, loaded).map_err(|source| StoreError::Database {
        doing: "read",
        path: path.into(),
        source,
    })?;
    let unknown = Unknown::of_copy(&known);
    NewLife::of(connection, path, known, clock)?.begin(unknown.seconds, &unknown)?;
    Ok(unknown.seconds)
}

impl Writer {
    pub(super) fn reboot(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        self.ledger.apply(now, Command::Rebooted);
        self.commit(now).map_err(|failure| StoreError::System {
            doing: "record the reboot in",
            path: self.path.clone(),
            why: format!("{failure:?}"),
        })
    }
}
