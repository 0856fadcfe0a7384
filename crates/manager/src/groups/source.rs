//! One source of groups: what it said last, and how it is.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;
use usher_core::groups::Entry;
use usher_platform::name_service::NameService;
use usher_site::Site;

use super::files::{self, READ_WITHIN};
use super::kept::Kept;
use super::system;
use super::{GroupOptions, SourceState, Trouble};

/// What the name service is called among the sources.
const SYSTEM: &str = "system";

/// A source of groups.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) state: SourceState,
    /// What it said last.
    pub(super) entries: Arc<Vec<Entry>>,
    realm: Option<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    System(NameService),
    File {
        path: PathBuf,
        /// A read that did not end in time: no other is begun before it has ended.
        late: Option<Reading>,
    },
}

type Reading = JoinHandle<Result<Vec<Entry>, String>>;

/// The sources that are set, in their order: the name service, then the files.
pub(super) fn of(options: &GroupOptions) -> Vec<Source> {
    let system = options.system.iter().cloned();
    let system = system.map(|service| (SYSTEM.to_owned(), Kind::System(service)));
    let files = options.files.iter().map(|path| {
        let kind = Kind::File {
            path: path.clone(),
            late: None,
        };
        (path.display().to_string(), kind)
    });
    let source = |(name, kind)| Source {
        state: SourceState {
            name,
            as_of_ms: None,
            trouble: None,
            note: None,
        },
        entries: Arc::default(),
        realm: options.realm.clone(),
        kind,
    };
    system.chain(files).map(source).collect()
}

/// Takes what was known in a former run.
pub(super) fn resume(sources: &mut [Source], before: Vec<Kept>) {
    for kept in before {
        let is_it = |it: &&mut Source| it.state.name == kept.name && it.realm == kept.realm;
        if let Some(source) = sources.iter_mut().find(is_it) {
            source.state.as_of_ms = Some(kept.as_of_ms);
            source.entries = kept.entries;
        }
    }
}

/// What the next run is to know.
pub(super) fn held(sources: &[Source]) -> Vec<Kept> {
    let held = sources.iter().filter_map(|source| {
        Some(Kept {
            name: source.state.name.clone(),
            realm: source.realm.clone(),
            as_of_ms: source.state.as_of_ms?,
            entries: source.entries.clone(),
        })
    });
    held.collect()
}

impl Source {
    /// Reads or asks it; `now_ms` is in Unix milliseconds. Whether it says something else than before.
    pub(super) async fn look(&mut self, site: &dyn Site, now_ms: i64) -> bool {
        let realm = self.realm.as_deref();
        let told = match &mut self.kind {
            Kind::File { path, late } => file(path, realm, late).await.map(|it| (it, None)),
            Kind::System(service) => {
                let told = system::ask(service, site, realm).await;
                told.and_then(|told| {
                    // Not since what is known was read: after a restart that may be weeks ago.
                    let since_ms = self.state.troubled_since_ms(now_ms);
                    told.must_be_credible(&self.entries, since_ms, now_ms)?;
                    Ok((told.entries, told.note))
                })
            }
        };
        match told {
            Ok((entries, note)) => {
                let is_news = *self.entries != entries || self.state.as_of_ms.is_none();
                self.state.as_of_ms = Some(now_ms);
                self.state.note = note;
                if self.state.trouble.take().is_some() {
                    tracing::info!(source = self.state.name, "groups are read again");
                }
                if is_news {
                    self.entries = Arc::new(entries);
                }
                is_news
            }
            Err(why) => {
                let known = self.state.trouble.as_ref();
                if known.is_none_or(|known| known.why != why) {
                    tracing::warn!(source = self.state.name, why, "groups cannot be read");
                }
                let since_ms = self.state.troubled_since_ms(now_ms);
                self.state.trouble = Some(Trouble { why, since_ms });
                false
            }
        }
    }
}

/// Reads a file, or says that it takes too long.
async fn file(
    path: &std::path::Path,
    realm: Option<&str>,
    late: &mut Option<Reading>,
) -> Result<Vec<Entry>, String> {
    let mut reading = late.take().unwrap_or_else(|| {
        let (path, realm) = (path.to_owned(), realm.map(str::to_owned));
        tokio::task::spawn_blocking(move || files::read(&path, realm.as_deref()))
    });
    match tokio::time::timeout(READ_WITHIN, &mut reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err("a fault of the manager, which is in its log, ended the read".to_owned()),
        Err(_) => {
            *late = Some(reading);
            Err(format!(
                "it cannot be read within {} s: its disk or network may hang",
                READ_WITHIN.as_secs()
            ))
        }
    }
}
