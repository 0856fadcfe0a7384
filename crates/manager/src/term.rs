//! A term: what a manager has and does for as long as it leads its site, or another does. It begins with
//! what is in the site database, as after a start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use usher_api::{SiteLeader, WatchedServer};
use usher_site::{Resumed, ServerRow, Site, SiteError};
use usher_vital::task;

use crate::app::{App, SERVERS_LIMIT};
use crate::book::Book;
use crate::clock::wall_ms;
use crate::delivery::Means;
use crate::dispatch::{self, Dispatcher};
use crate::elsewhere::Elsewhere;
use crate::gathering::Gathering;
use crate::groups::GroupBook;
use crate::leading::Leading;
use crate::led::Led;
use crate::logged::or_log;
use crate::probe::Prober;
use crate::queues::Trouble;
use crate::reach::innermost;
use crate::refused::Refused;
use crate::secrets::Admin;
use crate::server_watch;
use crate::sources::{self, Sources};
use crate::targets::Unnamed;
use crate::thresholds::Held;
use crate::tokens::TokenSource;
use crate::tools::Tools;
use crate::{ManagerOptions, counting, day_upkeep, ended, faults, import_upkeep, retention};

const UPKEEP: Duration = Duration::from_secs(3_600);
const PURGE_AT_ONCE: u32 = 10_000;
const BEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of a term waits until what is being recorded is written.
const SETTLE: Duration = Duration::from_secs(5);

/// What stays, whoever leads.
pub(crate) struct Fixed {
    pub(crate) options: ManagerOptions,
    pub(crate) admin: Arc<Admin>,
    pub(crate) prober: Prober,
    pub(crate) groups: Arc<GroupBook>,
}

/// A term. Dropping it ends what it does; [`Term::end`] waits for that.
pub(crate) struct Term {
    pub(crate) app: Arc<App>,
    tasks: Vec<JoinHandle<()>>,
    sources: Option<Sources>,
}

/// A term in which nothing is done yet, failed deliveries, and actions that stored rules contain
/// themselves.
type Opened = (Term, mpsc::Receiver<Trouble>, Vec<Unnamed>);

impl Term {
    /// One in which this manager leads. `leader` is this manager, if others share the site, and `views`
    /// is how the one before saw servers.
    pub(crate) async fn leading(
        fixed: &Fixed,
        site: Arc<dyn Site>,
        leading: Leading,
        leader: Option<SiteLeader>,
        views: &BTreeMap<String, WatchedServer>,
    ) -> Result<Term, SiteError> {
        let known = site.resume().await?;
        let (mut term, troubles, unnamed) = open(fixed, site, leading, leader, &known)?;
        let tools = term.app.tools.clone();
        let telling = dispatch::tell(troubles, Arc::downgrade(&tools.dispatcher));
        term.does("delivery", telling);
        for it in unnamed {
            let values = vec![it.rule, it.does, it.setting];
            tools.dispatcher.raise(9447, None, values).await;
        }
        begin(&term.app, &fixed.options, known.servers, views);
        ended::tell(&tools, &fixed.options.data).await;
        term.does("purge", upkeep(tools.clone()));
        term.does("imports", import_upkeep::run(tools.clone()));
        let retention = fixed.options.retention.clone();
        term.does("retention", retention::run(tools.clone(), retention));
        term.does("days", day_upkeep::run(tools.clone()));
        term.does("faults", faults::tell(tools.clone()));
        term.does("counting", counting::run(term.app.clone()));
        if let Some(url) = fixed.options.beat_url.clone() {
            term.does("beat", beat(tools.clone(), url));
        }
        let watched = fixed.options.sources.clone();
        term.sources = sources::begin(&tools, watched, &fixed.options.data);
        Ok(term)
    }

    /// One in which another manager leads: it shows what that one sees.
    pub(crate) async fn following(fixed: &Fixed, site: Arc<dyn Site>) -> Result<Term, SiteError> {
        let known = Resumed {
            // What waits is the leader's.
            deliveries: Vec::new(),
            destinations: Vec::new(),
            ..site.resume().await?
        };
        let (term, ..) = open(fixed, site, Leading::never(), None, &known)?;
        Ok(term)
    }

    /// Does this until the term ends. A panic of it ends the manager.
    pub(crate) fn does(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tasks.push(tokio::spawn(task(name, work)));
    }

    /// Ends what it does, and waits until what was done is written down, as far as it may still be.
    pub(crate) async fn end(mut self) {
        let sources = self.sources.take().map(|it| tokio::spawn(it.end()));
        self.app.end_watches().await;
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // That it was ended is what is waited for.
            let _ = task.await;
        }
        let tools = self.app.tools.clone();
        tools.dispatcher.end();
        if tools.leading.holds() {
            let written = async {
                tools.dispatcher.settled().await;
                // It is carried out after all that was asked for before.
                or_log(tools.site.note_alive(wall_ms()).await);
            };
            // What takes longer is another manager's to do again.
            let _ = tokio::time::timeout(SETTLE, written).await;
        }
        tools.leading.end();
        if let Some(sources) = sources {
            // A panic of it is in the log.
            let _ = sources.await;
        }
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.app.watches().clear();
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn open(
    fixed: &Fixed,
    site: Arc<dyn Site>,
    leading: Leading,
    leader: Option<SiteLeader>,
    known: &Resumed,
) -> Result<Opened, SiteError> {
    let options = &fixed.options;
    let book = Book::open(known.tokens.as_deref())?;
    let means = Means {
        http: fixed.prober.patient().clone(),
        mail: options.mail.clone(),
        authority: options.authority.clone(),
    };
    let (dispatcher, troubles, unnamed) = Dispatcher::open(
        site.clone(),
        options.site.clone(),
        means,
        options.targets.clone(),
        known,
        leading.clone(),
    );
    let thresholds = Held::open(site.clone(), known.thresholds.as_deref());
    let led = Led::new(leading.clone(), leader);
    let tools = Arc::new(Tools {
        site,
        leading,
        site_name: options.site.clone(),
        dispatcher,
        prober: fixed.prober.clone(),
        service_manager: options.service_manager.clone(),
        poll: options.poll,
        watching: options.watching.clone(),
        healing: options.healing.clone(),
        memory: options.memory.clone(),
        thresholds,
        groups: fixed.groups.clone(),
        looked: Notify::new(),
        import_removed: Notify::new(),
        counting: Notify::new(),
        identities: Arc::default(),
        elsewhere: Elsewhere::default(),
        refused: Refused::new(wall_ms()),
        gathering: Gathering::new(),
    });
    let term = Term {
        app: Arc::new(App::new(tools, fixed.admin.clone(), book, led)),
        tasks: Vec::new(),
        sources: None,
    };
    Ok((term, troubles, unnamed))
}

/// Puts a watch to each server.
fn begin(
    app: &Arc<App>,
    options: &ManagerOptions,
    servers: Vec<ServerRow>,
    views: &BTreeMap<String, WatchedServer>,
) {
    let mut watches = app.watches();
    for row in servers.into_iter().take(SERVERS_LIMIT) {
        let token = TokenSource::Text(row.token.clone());
        let name = row.name.clone();
        // At another address it may be another server.
        let before = views.get(&name).filter(|seen| seen.url == row.url);
        let watch = server_watch::keep(row, token, app.tools.clone(), before);
        watches.insert(name, watch);
    }
    if let Some(own) = &options.own {
        let row = ServerRow {
            name: own.name.clone(),
            url: own.url.clone(),
            token: String::new(),
            unit: None,
            data: Some(own.data.display().to_string()),
            added_ms: wall_ms(),
        };
        let token = TokenSource::File(own.token_file.clone());
        watches.insert(
            own.name.clone(),
            server_watch::keep(row, token, app.tools.clone(), None),
        );
    }
}

/// Removes messages whose time is over.
async fn upkeep(tools: Arc<Tools>) {
    loop {
        let removed = tools.site.purge(wall_ms(), PURGE_AT_ONCE).await;
        let removed = or_log(removed).unwrap_or(0);
        if removed < u64::from(PURGE_AT_ONCE) {
            tokio::time::sleep(UPKEEP).await;
        }
    }
}

/// Tells a URL outside after each look, so that the manager's own death is noticed there; no more
/// often than once a second.
async fn beat(tools: Arc<Tools>, url: String) {
    loop {
        tools.looked.notified().await;
        let sent = tools
            .prober
            .http(&url)
            .get(&url)
            .timeout(BEAT_TIMEOUT)
            .send()
            .await;
        if let Err(error) = sent {
            let error = innermost(&error);
            tracing::warn!(error, "the beat did not go through");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
