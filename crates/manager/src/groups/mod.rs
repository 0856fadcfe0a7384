//! Groups of people, read from files and asked of this computer's name service, again and again.
//! What a source said last stays while it cannot be read or asked, and across a restart.

mod files;
mod kept;
mod source;
mod system;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use usher_core::groups::{self, Groups};
use usher_platform::name_service::NameService;
use usher_site::Site;

use self::source::Source;
use crate::clock::wall_ms;

/// Files of groups at the most.
const FILES_LIMIT: usize = 64;
/// The shortest time between two looks.
const EVERY_AT_LEAST: Duration = Duration::from_secs(1);

/// Which groups a manager knows.
#[derive(Debug, Clone)]
pub struct GroupOptions {
    /// The name service whose groups count; none: they do not.
    pub system: Option<NameService>,
    /// Files with groups.
    pub files: Vec<PathBuf>,
    /// The realm of names without one; none: such a name is that account in every realm.
    pub realm: Option<String>,
    /// How often files are read and the name service is asked; at least a second.
    pub every: Duration,
}

impl Default for GroupOptions {
    fn default() -> Self {
        GroupOptions {
            system: None,
            files: Vec::new(),
            realm: None,
            every: Duration::from_secs(900),
        }
    }
}

impl GroupOptions {
    /// Checks what can be said before a manager starts.
    ///
    /// # Errors
    /// The option that is wrong, and why.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.every < EVERY_AT_LEAST {
            return Err("--groups-every is less than a second: give 1s or more".to_owned());
        }
        if self.files.len() > FILES_LIMIT {
            return Err(format!(
                "--groups-files names {} files: give at most {FILES_LIMIT}",
                self.files.len()
            ));
        }
        match &self.realm {
            Some(realm) => groups::Name::read("x", Some(realm))
                .map(drop)
                .map_err(|why| format!("--groups-realm {realm:?}: {why}")),
            None => Ok(()),
        }
    }
}

/// What is known of groups.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) groups: Groups,
    pub(crate) sources: Vec<SourceState>,
}

/// How a source of groups is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceState {
    /// `system`, or a file's path.
    pub(crate) name: String,
    /// When what is known of it was read; Unix milliseconds, wall clock. None: nothing is known.
    pub(crate) as_of_ms: Option<i64>,
    /// What is wrong with it; none: nothing.
    pub(crate) trouble: Option<Trouble>,
    /// What it does not say.
    pub(crate) note: Option<String>,
}

impl SourceState {
    /// Since when something is wrong with it without a pause; `now_ms` if nothing was wrong so far.
    /// Of a former run that is not known: the time begins again.
    fn troubled_since_ms(&self, now_ms: i64) -> i64 {
        self.trouble.as_ref().map_or(now_ms, |it| it.since_ms)
    }
}

/// Why a source could not be read or asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    /// When that was found first; Unix milliseconds, wall clock.
    pub(crate) since_ms: i64,
}

/// The groups of a manager, for whoever asks.
#[derive(Debug, Default)]
pub(crate) struct GroupBook(Mutex<Arc<Known>>);

impl GroupBook {
    /// What is known now.
    pub(crate) fn known(&self) -> Arc<Known> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, known: Known) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }
}

/// Reads and asks for as long as it runs.
pub(crate) async fn attend(
    site: Arc<dyn Site>,
    book: Arc<GroupBook>,
    options: GroupOptions,
    data: PathBuf,
) {
    let mut sources = source::of(&options);
    if sources.is_empty() {
        return std::future::pending().await;
    }
    let kept = kept::path(&data);
    if let Some(before) = aside({
        let kept = kept.clone();
        move || kept::read(&kept)
    })
    .await
    {
        source::resume(&mut sources, before);
        publish(&book, &sources).await;
    }
    loop {
        let mut is_news = false;
        for source in &mut sources {
            is_news |= source.look(site.as_ref(), wall_ms()).await;
        }
        publish(&book, &sources).await;
        if is_news {
            let held = source::held(&sources);
            let kept = kept.clone();
            aside(move || kept::write(&kept, &held)).await;
        }
        tokio::time::sleep(options.every).await;
    }
}

/// Shows others what the sources say.
async fn publish(book: &GroupBook, sources: &[Source]) {
    let entries: Vec<_> = sources
        .iter()
        .map(|source| (source.state.name.clone(), source.entries.clone()))
        .collect();
    let build = move || {
        let sources: Vec<_> = entries
            .iter()
            .map(|(name, entries)| groups::Source { name, entries })
            .collect();
        Groups::of(&sources)
    };
    // If it panicked, that is in the log, and what was known stays.
    if let Some(groups) = aside(build).await {
        book.set(Known {
            groups,
            sources: sources.iter().map(|source| source.state.clone()).collect(),
        });
    }
}

/// Does work on a thread that may wait; none: it panicked.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
