//! Other licence servers that the manager itself watches: a thread each, so that a disk or a command that
//! hangs holds up no other; and a task that tells of those that fail or are silent.
//!
//! What is read is others' text. A panic of its reader puts that watch aside, and no other: it would meet
//! the same text at each start of the manager.

mod aside;
mod taken;
mod trouble;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::task::JoinHandle;
use usher_vital::task;
use usher_watch::{Commands, Folder, Options, Standing};

use self::aside::Aside;
use self::taken::{ToSite, is_over};
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
    /// Its reader has panicked, for the first time then, and has not gone on for long since.
    IsAside {
        since: Timestamp,
        why: String,
    },
}

impl Standings {
    /// Notes that a reader has panicked.
    fn put_aside(&self, name: &str, why: String) {
        let mut all = self.all();
        let since = match all.get(name) {
            Some(Known::IsAside { since, .. }) => *since,
            _ => Timestamp::now(),
        };
        all.insert(name.to_owned(), Known::IsAside { since, why });
    }

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
        let commands = self.commands.clone();
        drop(self);
        // A panic of it is in the log.
        let _ = tokio::task::spawn_blocking(move || commands.end()).await;
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.tells.abort();
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
    let what = format!("the watch {name}");
    let mut aside = Aside::default();
    while !is_over(&site) {
        let begun = Instant::now();
        let reader = Reader {
            what: what.clone(),
            name: name.clone(),
            all: all.clone(),
            begun,
            aside,
        };
        let read = || reader.read(source, site.clone(), (data, commands));
        let pause = match usher_vital::catch(&what, read) {
            Ok(Ok(())) => AGAIN_AFTER,
            Ok(Err(why)) => {
                tracing::error!(watch = name, why, "it cannot go on");
                all.all().insert(name.clone(), Known::CannotBegin(why));
                AGAIN_AFTER
            }
            Err(usher_vital::Caught) => {
                let pause = aside.again(begun.elapsed());
                let seconds = pause.as_secs();
                tracing::error!(watch = name, seconds, "its reader has panicked: put aside");
                let said = usher_vital::counted().last;
                let said = said.strip_prefix(&format!("{what}: ")).unwrap_or(&said);
                all.put_aside(
                    name,
                    format!("a fault of usher itself has ended it: {said}"),
                );
                pause
            }
        };
        let again = Instant::now() + pause;
        while Instant::now() < again && !is_over(&site) {
            std::thread::sleep(SOON);
        }
    }
}

/// One try to watch.
struct Reader {
    /// In whose name its panics are counted.
    what: String,
    name: String,
    all: Arc<Standings>,
    begun: Instant,
    aside: Aside,
}

impl Reader {
    /// Watches for as long as it can; in words why it cannot.
    fn read(
        self,
        source: &WatchedSource,
        site: Weak<Tools>,
        (data, commands): (&Path, &Commands),
    ) -> Result<(), String> {
        let mut takes = ToSite::of(site)
            .map_err(|error| format!("it cannot wait for the site database: {error}"))?;
        let tell = move |standing: &Standing, is_news: bool| {
            usher_vital::plant::here(&self.what);
            // What others read is none of the reader's own.
            usher_vital::vital("source", || self.tell(standing, is_news));
        };
        usher_watch::run(
            &source.watched,
            &Folder::of(data),
            &mut takes,
            (Options::default(), commands),
            Box::new(tell),
        )
        .map_err(|error| error.to_string())
    }

    fn tell(&self, standing: &Standing, is_news: bool) {
        usher_vital::plant::thread();
        if is_news {
            tracing::info!(
                watch = self.name,
                state = ?standing.state,
                why = standing.why.as_deref(),
                "a watch does something else now"
            );
        }
        if self.aside.is_over(self.begun.elapsed()) {
            let known = Known::Stands(Box::new(standing.clone()));
            self.all.all().insert(self.name.clone(), known);
        }
    }
}

/// Tells of those that fail or are silent for too long, and when they are back.
async fn tell(tools: Arc<Tools>, mut troubles: Troubles, standings: Arc<Standings>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let all = standings.all().clone();
        for (message, values) in troubles.look(&all, Timestamp::now()) {
            tools.dispatcher.raise(message, None, values).await;
        }
    }
}
