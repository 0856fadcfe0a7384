//! Other licence servers that the manager itself watches: a thread each, so that a disk or a command that
//! hangs holds up no other; and a task that tells of those that fail or are silent.

mod taken;
mod trouble;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use usher_vital::task;
use usher_watch::{Commands, Folder, Options, Standing};

use self::taken::ToSite;
use self::trouble::Troubles;
use crate::WatchedSource;
use crate::tools::Tools;

/// How often troubles are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Before a watch that could not begin is tried again: another process may have it, or the disk is full.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

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

/// What watches.
pub(crate) struct Sources {
    commands: Commands,
    /// Tells of those that fail.
    tells: JoinHandle<()>,
}

impl Sources {
    /// Ends the commands that run, and all that these have started. Waits for them.
    pub(crate) async fn end(self) {
        self.tells.abort();
        let commands = self.commands;
        // A panic of it is in the log.
        let _ = tokio::task::spawn_blocking(move || commands.end()).await;
    }
}

/// Begins to watch. None: there is nothing to watch.
pub(crate) fn begin(
    tools: &Arc<Tools>,
    sources: Vec<WatchedSource>,
    data: &Path,
) -> Option<Sources> {
    if sources.is_empty() {
        return None;
    }
    let standings = Arc::new(Standings::default());
    let commands = Commands::default();
    for source in &sources {
        let (source, standings) = (source.clone(), standings.clone());
        let commands = commands.clone();
        let (site, data) = (Arc::downgrade(tools), data.to_owned());
        let name = source.watched.name.clone();
        let thread = usher_vital::spawn("source", move || {
            watch(&source, site, (&data, &commands), &standings);
        });
        if let Err(error) = thread {
            tracing::error!(watch = name, %error, "there is no thread for this watch");
        }
    }
    let troubles = Troubles::of(&sources);
    let told = tell(tools.clone(), troubles, standings);
    Some(Sources {
        commands,
        tells: tokio::spawn(task("sources", told)),
    })
}

fn watch(
    source: &WatchedSource,
    site: Weak<Tools>,
    (data, commands): (&Path, &Commands),
    all: &Arc<Standings>,
) {
    let name = &source.watched.name;
    let mut takes = match ToSite::of(site) {
        Ok(takes) => takes,
        Err(error) => {
            tracing::error!(watch = name, %error, "it cannot wait for the site database");
            return;
        }
    };
    loop {
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
            (Options::default(), commands),
            Box::new(tell),
        );
        if let Err(error) = ended {
            tracing::error!(watch = name, %error, "it cannot go on");
            let known = Known::CannotBegin(error.to_string());
            all.all().insert(name.clone(), known);
        }
        std::thread::sleep(AGAIN_AFTER);
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
