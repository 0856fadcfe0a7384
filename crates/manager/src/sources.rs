//! Other licence servers that the manager itself watches: a thread each, so that a disk or a command that
//! hangs holds up no other; and a task that tells of those that fail or are silent.

mod taken;
mod trouble;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use usher_vital::task;
use usher_watch::{Folder, Options, Standing, Takes};

use self::taken::ToSite;
use self::trouble::Troubles;
use crate::WatchedSource;
use crate::tools::Tools;

/// How often troubles are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Before a watch that could not begin is tried again: another process may have it, or the disk is full.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How soon a thread that waits sees that it is to end.
const SOON: Duration = Duration::from_secs(1);

/// How each watch stands, or why it cannot begin.
#[derive(Debug, Default)]
struct Standings(Mutex<BTreeMap<String, Known>>);

/// What is known of a watch.
#[derive(Debug, Clone)]
enum Known {
    Stands(Box<Standing>),
    CannotBegin(String),
}

impl Standings {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to watch. None: there is nothing to watch.
pub(crate) fn begin(
    tools: &Arc<Tools>,
    sources: Vec<WatchedSource>,
    data: &Path,
) -> Option<JoinHandle<()>> {
    if sources.is_empty() {
        return None;
    }
    let standings = Arc::new(Standings::default());
    for source in &sources {
        let (source, standings) = (source.clone(), standings.clone());
        let (site, data) = (Arc::downgrade(tools), data.to_owned());
        let name = source.watched.name.clone();
        let thread = usher_vital::spawn("source", move || watch(&source, site, &data, &standings));
        if let Err(error) = thread {
            tracing::error!(watch = name, %error, "there is no thread for this watch");
        }
    }
    let troubles = Troubles::of(&sources);
    let told = tell(tools.clone(), troubles, standings);
    Some(tokio::spawn(task("sources", told)))
}

fn watch(source: &WatchedSource, site: Weak<Tools>, data: &Path, all: &Arc<Standings>) {
    let name = &source.watched.name;
    let mut takes = match ToSite::of(site) {
        Ok(takes) => takes,
        Err(error) => {
            tracing::error!(watch = name, %error, "it cannot wait for the site database");
            return;
        }
    };
    while !takes.is_over() {
        let (standings, own) = (all.clone(), name.clone());
        let tell = move |standing: &Standing, is_news: bool| {
            usher_vital::plant::thread();
            if is_news {
                tracing::info!(
                    watch = own,
                    state = ?standing.state,
                    why = standing.why.as_deref(),
                    "a watch does something else now"
                );
            }
            let known = Known::Stands(Box::new(standing.clone()));
            standings.all().insert(own.clone(), known);
        };
        let folder = Folder::of(data);
        let ended = usher_watch::run(
            &source.watched,
            &folder,
            &mut takes,
            Options::default(),
            Box::new(tell),
        );
        if let Err(error) = ended {
            tracing::error!(watch = name, %error, "it cannot go on");
            let known = Known::CannotBegin(error.to_string());
            all.all().insert(name.clone(), known);
        }
        let again = Instant::now() + AGAIN_AFTER;
        while Instant::now() < again && !takes.is_over() {
            std::thread::sleep(SOON);
        }
    }
}

/// Tells of those that fail or are silent for too long, and when they are back.
async fn tell(tools: Arc<Tools>, mut troubles: Troubles, standings: Arc<Standings>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let all = standings.all().clone();
        for (message, values) in troubles.look(&all, jiff::Timestamp::now()) {
            tools.dispatcher.raise(message, None, values).await;
        }
    }
}
