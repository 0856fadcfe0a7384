//! Collects the history of a server: page by page into the site database, each item once, whatever
//! is killed when.
//!
//! Pages are appended in one transaction with the place that they end at, and the next is asked from
//! there. What was appended is acknowledged to the server afterwards, so that its pack waits for what
//! was not. A server that does not answer is asked again after a pause that grows.
//!
//! If there is more than a page, as of a server that could not be reached for long, pages are gathered
//! for large transactions, and the next ones while the last are appended.

mod ask;
mod convert;
mod gather;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use usher_api::{Acknowledge, HistorySeen};
use usher_site::{Place, Point, ServerRow, SiteError};

use crate::clock::{date, wall_ms};
use crate::facts;
use crate::tokens::TokenSource;
use crate::tools::Tools;
use crate::view::View;
use ask::{Answer, Page, Server};
use gather::Gathered;

/// The longest pause between two rounds; a round also comes with each poll of the server.
const PAUSE: Duration = Duration::from_secs(30);
/// Before a server under load is asked again.
const BEHIND: Duration = Duration::from_secs(2);
/// After a round that failed: the first pause, which doubles up to the last.
const RETRY: Duration = Duration::from_secs(2);
const RETRY_AT_MOST: Duration = Duration::from_secs(900);
/// After which time a server of an earlier version is asked again: it may have been upgraded.
const NO_HISTORY: Duration = Duration::from_secs(3_600);
/// How often the manager acknowledges even if nothing is new, to show the server that it still
/// collects.
const ACKNOWLEDGED_FOR: Duration = Duration::from_secs(12 * 3_600);
/// How many characters of the site's name the consumer's name contains.
const NAME_LIMIT_CHARS: usize = 40;

/// How a round ended.
enum Round {
    /// All is collected that had ended when the last page was asked for.
    CaughtUp,
    /// The server is under load: more may have ended than was collected.
    IsBehind,
}

/// Why a round ended early.
enum Cut {
    /// It is tried again after a pause that grows.
    Failed(String),
    /// The server is of a version without `/v1/history`.
    NoHistory,
    /// It is watched under that name, too, and collected under it.
    Twice(String),
}

impl From<SiteError> for Cut {
    fn from(error: SiteError) -> Cut {
        tracing::error!(%error, "the site database");
        Cut::Failed(error.to_string())
    }
}

/// Collects the history of one server.
pub(crate) struct Collector {
    /// The name under which it is watched.
    name: String,
    server: Server,
    tools: Arc<Tools>,
    view: View,
    /// The server's id; none: it has not told it since this manager's start.
    id: Option<String>,
    /// When the last acknowledgement was sent.
    acknowledged: Option<Instant>,
    /// Whether something was appended since then.
    is_owed: bool,
    seen: HistorySeen,
}

impl Collector {
    /// A collector for that server, which shows its progress in `view`.
    pub(crate) fn new(
        server: &ServerRow,
        token: TokenSource,
        tools: Arc<Tools>,
        view: View,
    ) -> Collector {
        Collector {
            name: server.name.clone(),
            server: Server::new(tools.prober.http(&server.url).clone(), &server.url, token),
            tools,
            view,
            id: None,
            acknowledged: None,
            is_owed: false,
            seen: HistorySeen {
                incarnation: None,
                through_event: 0,
                head_event: 0,
                added: 0,
                collected_at: None,
                acknowledged: false,
                not_acknowledged: None,
                why: None,
                failing_since: None,
            },
        }
    }

    /// Collects for as long as it runs; at once if `now` is notified.
    pub(crate) async fn run(mut self, now: Arc<Notify>) {
        let mut retry = RETRY;
        loop {
            let pause = match self.round().await {
                Ok(Round::CaughtUp) => {
                    retry = RETRY;
                    PAUSE.min(self.tools.poll)
                }
                Ok(Round::IsBehind) => {
                    retry = RETRY;
                    BEHIND.min(self.tools.poll)
                }
                Err(Cut::NoHistory) => {
                    let why = "its version has no history to collect";
                    self.show(|seen| {
                        seen.why = Some(why.to_owned());
                        // An upgrade of the server ends that, and no try does.
                        seen.failing_since = None;
                    });
                    NO_HISTORY
                }
                Err(Cut::Twice(other)) => {
                    let why = format!("it is collected as {other}, which is the same server");
                    self.show(|seen| {
                        seen.why = Some(why);
                        seen.failing_since = None;
                    });
                    PAUSE.min(self.tools.poll)
                }
                Err(Cut::Failed(why)) => {
                    self.show(|seen| {
                        seen.why = Some(why);
                        seen.failing_since.get_or_insert_with(|| date(wall_ms()));
                    });
                    let pause = retry;
                    retry = (retry * 2).min(RETRY_AT_MOST);
                    pause
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = now.notified() => {}
            }
        }
    }

    /// Collects until there is nothing more to be told.
    async fn round(&mut self) -> Result<Round, Cut> {
        let tools = self.tools.clone();
        let (mut may_gather, mut ahead) = (None, None);
        let mut moved = 0;
        loop {
            let (mut gathered, is_back) = match ahead.take() {
                Some(gathered) => (gathered, false),
                None => match self.next().await? {
                    Some(next) => next,
                    None if moved > 0 => {
                        return Err(Cut::Failed(
                            "different servers answer at this URL".to_owned(),
                        ));
                    }
                    None => {
                        moved += 1;
                        continue;
                    }
                },
            };
            if may_gather.is_none() && !gathered.is_last {
                may_gather = tools.gathering.begin();
            }
            if may_gather.is_some() {
                gathered = gathered.go_on(&self.server).await;
            }
            let (through, asked_ms) = (gathered.batch.through, gathered.asked_ms);
            let (is_last, is_behind) = (gathered.is_last, gathered.is_behind);
            let goes_on = may_gather.is_some() && !is_behind;
            ahead = self.append(gathered, is_back, goes_on).await?;
            self.acknowledge(through).await?;
            if is_behind {
                return Ok(Round::IsBehind);
            }
            if is_last {
                self.view.caught_up(asked_ms);
                return Ok(Round::CaughtUp);
            }
        }
    }

    /// The page after the last point that the server knows, and whether that is earlier than the last
    /// point of all. None: another server is there now.
    async fn next(&mut self) -> Result<Option<(Gathered, bool)>, Cut> {
        let asked_ms = wall_ms();
        let id = self.id().await?;
        if let Some(other) = self.tools.identities.counts_as(&self.name) {
            return Err(Cut::Twice(other));
        }
        let places = self.tools.site.collected(id.clone()).await?;
        let (asked, page) = self.page(&places).await?;
        if page.page.server_id != id {
            self.id = Some(page.page.server_id).filter(|id| !id.is_empty());
            return Ok(None);
        }
        let is_back = places.first().map(|place| place.point) != asked;
        Ok(Some((Gathered::of(asked, page, asked_ms), is_back)))
    }

    async fn id(&mut self) -> Result<String, Cut> {
        if self.id.is_none() {
            let (url, token) = (self.server.url(), self.server.token());
            self.id = facts::server_id(&self.tools.prober, url, &token).await;
            if let Some(id) = &self.id {
                self.tools.identities.note(&self.name, id, true);
            }
        }
        let none = || {
            Cut::Failed(
                "it does not tell its id: it does not answer, or does not accept this token"
                    .to_owned(),
            )
        };
        self.id.clone().ok_or_else(none)
    }

    /// The page after the last point that the server knows, and that point.
    async fn page(&self, places: &[Place]) -> Result<(Option<Point>, Page), Cut> {
        let known = places.iter().map(Some).chain([None]);
        for place in known {
            let cursor = place.map(|place| &*place.cursor);
            match self.server.page(cursor).await {
                Answer::Page(page) => return Ok((place.map(|place| place.point), *page)),
                Answer::UnknownHistory => {}
                Answer::NoHistory => return Err(Cut::NoHistory),
                Answer::Refused(why) => return Err(Cut::Failed(why)),
            }
        }
        Err(Cut::Failed(
            "it does not give its history from the beginning either".to_owned(),
        ))
    }

    /// Appends pages; `is_back`: they continue from an earlier point than the last one. If it `goes_on`
    /// and there are more, those that were gathered meanwhile.
    async fn append(
        &mut self,
        gathered: Gathered,
        is_back: bool,
        goes_on: bool,
    ) -> Result<Option<Gathered>, Cut> {
        let (is_last, end) = (gathered.is_last, gathered.end());
        let batch = gathered.batch;
        let (through, head_event) = (batch.through, batch.head_event);
        let (mut added, mut ahead) = (0, None);
        // A place that only canaries have moved is not worth a write each time; the first place is, for it
        // says that the server was asked, and that nothing has ended there yet.
        let is_first = batch.asked.is_none();
        if !batch.items.is_empty() || is_first || batch.from != batch.asked || is_back {
            let next = async {
                match goes_on && !is_last {
                    true => Some(end.next(&self.server).await?.go_on(&self.server).await),
                    false => None,
                }
            };
            let server = batch.server.clone();
            let done;
            (done, ahead) = tokio::join!(self.tools.site.append_history(batch), next);
            let done = done?;
            if done.is_stale {
                return Err(Cut::Failed(
                    "something else has collected from it meanwhile".to_owned(),
                ));
            }
            if done.gone > 0 {
                tracing::warn!(
                    server,
                    items = done.gone,
                    "the server was restored from a backup: items that were collected from the time \
                     after it stay, marked as no longer on the server"
                );
            }
            if done.past > 0 {
                tracing::info!(
                    server,
                    items = done.past,
                    "the server told of what was over before what is kept: it is not taken in"
                );
            }
            added = done.added;
            self.is_owed = true;
        }
        self.show(|seen| {
            seen.incarnation = Some(through.incarnation);
            seen.through_event = through.event;
            seen.head_event = head_event;
            seen.added += added;
            seen.collected_at = Some(date(wall_ms()));
            seen.why = None;
            seen.failing_since = None;
        });
        Ok(ahead)
    }

    /// Acknowledges to the server up to which point its history is in the site database. If the
    /// token may not do so, the history is collected all the same; only, the server keeps nothing
    /// longer for it.
    async fn acknowledge(&mut self, through: Point) -> Result<(), Cut> {
        let is_fresh = |at: Instant| at.elapsed() < ACKNOWLEDGED_FOR;
        if !self.is_owed && self.acknowledged.is_some_and(is_fresh) {
            return Ok(());
        }
        let name = consumer(&self.tools.site_name, &self.tools.site.site_id().await?);
        let body = Acknowledge {
            incarnation: through.incarnation,
            through_event: through.event,
        };
        let told = self.server.acknowledge(&name, body).await;
        let why_not = told.map_err(Cut::Failed)?;
        self.acknowledged = Some(Instant::now());
        self.is_owed = false;
        self.show(|seen| {
            seen.acknowledged = why_not.is_none();
            seen.not_acknowledged = why_not;
        });
        Ok(())
    }

    fn show(&mut self, change: impl FnOnce(&mut HistorySeen)) {
        change(&mut self.seen);
        let seen = self.seen.clone();
        self.view.set(|view| view.history = Some(seen));
    }
}

/// The name of this consumer on servers: the name of the site for people, and its id, because two
/// sites may have the same name.
fn consumer(site: &str, id: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c,
        false => '-',
    };
    let site: String = site.chars().map(plain).take(NAME_LIMIT_CHARS).collect();
    format!("{site}-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_has_a_name_that_every_server_takes() {
        assert_eq!(consumer("Site Ü/1", "ab12"), "Site---1-ab12");
        assert_eq!(consumer("", "ab12"), "-ab12");
        assert!(consumer(&"x".repeat(200), "0123456789abcdef").len() <= 64);
    }
}
