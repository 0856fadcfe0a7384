//! The watch of one server: polls it, weighs the evidence, reports, heals.

mod telling;
mod witnesses;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use usher_api::{
    Evidence, GrantsNothing, Healing, HistorySeen, ServiceSeen, Timestamp, WatchedServer,
};
use usher_core::concerns::HistoryFact;
use usher_core::health::{
    EpisodeTracker, Healer, HealingStep, Helpless, Judgement, ServiceManagerWord, Verdict, weigh,
};
use usher_site::{EpisodeRow, Once, ServerRow};
use usher_vital::task;

use self::telling::{millis, shown};
use self::witnesses::ASK;
use crate::clock::{date, dated, steady, wall_ms};
use crate::collect::Collector;
use crate::identities::Named;
use crate::logged::or_log;
use crate::outlook::Outlook;
use crate::tokens::TokenSource;
use crate::tools::Tools;
use crate::view::View;
use crate::{healing, listener};

/// Before trouble is reported, the server is polled once more after this time, so that a restart in
/// progress is not called an outage.
const SECOND_LOOK: Duration = Duration::from_millis(700);

/// How long a poll may take: two rounds of requests, a step of healing and a restart.
pub(crate) const LOOK_AT_MOST: Duration = Duration::from_secs(300);

/// How often a server that serves is asked for its facts between two polls.
const FACTS: Duration = Duration::from_secs(30);

/// The least time between two polls of a server that said when it will grant seats again.
const HOLD_LOOK: Duration = Duration::from_secs(1);

/// How a server is watched has changed.
const WATCHED_OTHERWISE: u16 = 9455;
/// The kind of an event that is reported once: two names are one server.
const TOLD_SAME: &str = "told_same_server";

/// Asks a watch to poll now; it answers when it has.
pub(crate) type LookNow = oneshot::Sender<()>;

/// A running watch. Dropping it ends it.
pub(crate) struct ServerWatch {
    /// What it shows of its server.
    pub(crate) view: View,
    /// Asks it to poll now.
    pub(crate) look_now: mpsc::Sender<LookNow>,
    /// The token that the server gets.
    pub(crate) token: TokenSource,
    /// Answers after the first poll; none: somebody already waits for that.
    pub(crate) first_look: Option<oneshot::Receiver<()>>,
    /// Makes it collect the server's history now.
    pub(crate) collect_now: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
    /// Who polls knows by which id the server answers.
    _named: Option<Named>,
}

impl ServerWatch {
    /// Whether it polls its server, rather than that it shows what another manager sees.
    pub(crate) fn is_polling(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// What it does, for whoever ends that.
    pub(crate) fn take_tasks(&mut self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.tasks)
    }

    /// Ends the watch, and waits until it has ended: then another watch may continue with the
    /// server.
    pub(crate) async fn end(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // That it was ended is what is waited for.
            let _ = task.await;
        }
    }
}

impl Drop for ServerWatch {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Starts a watch. `before`: what an earlier watch of the same server saw last.
pub(crate) fn keep(
    server: ServerRow,
    token: TokenSource,
    tools: Arc<Tools>,
    before: Option<&WatchedServer>,
) -> ServerWatch {
    let view = View::new(unseen(&server));
    let (look_now, asked) = mpsc::channel(16);
    let (looked, first_look) = oneshot::channel();
    let lost = Arc::new(Notify::new());
    let hears = listener::listen(
        tools.prober.http(&server.url).clone(),
        server.url.clone(),
        token.clone(),
        lost.clone(),
    );
    let shown = token.clone();
    let hears = tokio::spawn(task("listener", hears));
    let collect_now = Arc::new(Notify::new());
    let collects = Collector::new(&server, token.clone(), tools.clone(), view.clone());
    let collects = tokio::spawn(task("collector", collects.run(collect_now.clone())));
    let before = before.filter(|before| before.polled_at.is_some());
    let named = Named::new(&server.name, tools.identities.clone());
    let held = before.and_then(|before| Some((Verdict::of_name(&before.verdict)?, before.since)));
    let work = Work {
        healer: tools.healing.clone().map(Healer::new),
        helpless: tools.healing.as_ref().map(Helpless::new),
        view: view.clone(),
        server,
        token,
        tools,
        record: None,
        held,
        began: None,
    };
    let works = tokio::spawn(task("watch", work.run(asked, lost, looked)));
    ServerWatch {
        view,
        look_now,
        token: shown,
        first_look: Some(first_look),
        collect_now,
        tasks: vec![hears, collects, works],
        _named: Some(named),
    }
}

/// Shows how another manager sees a server, if it has said that; nothing is done here.
pub(crate) fn shown_by_another(server: &ServerRow, seen: Option<WatchedServer>) -> ServerWatch {
    // Nobody polls: what is asked for is refused before.
    let (look_now, _) = mpsc::channel(1);
    ServerWatch {
        view: View::new(seen.unwrap_or_else(|| unseen(server))),
        look_now,
        token: TokenSource::Text(server.token.clone()),
        first_look: None,
        collect_now: Arc::default(),
        tasks: Vec::new(),
        _named: None,
    }
}

/// A server that was not polled yet.
fn unseen(server: &ServerRow) -> WatchedServer {
    WatchedServer {
        name: server.name.clone(),
        url: server.url.clone(),
        verdict: Verdict::Unknown.name().to_owned(),
        since: date(wall_ms()),
        polled_at: None,
        evidence: Vec::new(),
        service: None,
        episode: None,
        grants_nothing: None,
        server_id: None,
        same_as: None,
        healing: None,
        history: None,
    }
}

/// What is of concern of how far a history is collected.
fn history_of(seen: Option<HistorySeen>) -> Option<HistoryFact> {
    let seen = seen?;
    let since_ms = seen.failing_since?.as_millisecond();
    Some(HistoryFact {
        since_ms,
        failing_ms: millis(gone_by(since_ms)),
        why: seen.why.unwrap_or_default(),
    })
}

/// The time since an instant; zero if the clock was set back. Unix milliseconds, wall clock.
fn gone_by(from_ms: i64) -> Duration {
    let ms = wall_ms().saturating_sub(from_ms);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

struct Work {
    server: ServerRow,
    token: TokenSource,
    tools: Arc<Tools>,
    view: View,
    healer: Option<Healer>,
    helpless: Option<Helpless>,
    /// The record of the open episode's message.
    record: Option<i64>,
    /// The verdict that a watch before this came to, and since when, until the first look.
    held: Option<(Verdict, Timestamp)>,
    /// The number of the episode under way, and when it began, in Unix milliseconds.
    began: Option<(u64, i64)>,
}

impl Work {
    async fn run(
        mut self,
        mut asked: mpsc::Receiver<LookNow>,
        lost: Arc<Notify>,
        looked: oneshot::Sender<()>,
    ) {
        let name = self.server.name.clone();
        let known = or_log(self.tools.site.resume_server(name).await).unwrap_or_default();
        let mut watch = self.resume(known.episode);
        let mut outlook = Outlook::resume(self.tools.clone(), self.server.clone(), known.concerns);
        self.look(&mut watch).await;
        self.look_ahead(&watch, &mut outlook, false).await;
        // Nobody waits for the answer if the manager itself began the look.
        let _ = looked.send(());
        loop {
            let poll_at = tokio::time::Instant::now() + self.pause();
            let mut who: Vec<LookNow> = loop {
                tokio::select! {
                    () = tokio::time::sleep_until(poll_at) => break Vec::new(),
                    () = lost.notified() => break Vec::new(),
                    Some(answer) = asked.recv() => break vec![answer],
                    // Seats change faster than servers fail.
                    () = tokio::time::sleep(FACTS) => {
                        self.look_ahead(&watch, &mut outlook, false).await;
                    }
                }
            };
            // Who asks while a look goes on is answered by the next: it has seen what was before.
            who.extend(std::iter::from_fn(|| asked.try_recv().ok()));
            self.look(&mut watch).await;
            self.look_ahead(&watch, &mut outlook, !who.is_empty()).await;
            if !who.is_empty() {
                // Whoever asks wants to see what is new.
                self.tools.counting.notify_one();
            }
            for answer in who {
                // Who asked may be gone.
                let _ = answer.send(());
            }
        }
    }

    /// The pause until the next poll: the poll interval, or until a hold that the server announced
    /// is over.
    fn pause(&self) -> Duration {
        let until = self.view.get().grants_nothing.and_then(|says| says.until);
        let Some(until) = until else {
            return self.tools.poll;
        };
        let left_ms = until.as_millisecond().saturating_sub(wall_ms());
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        left.max(HOLD_LOOK).min(self.tools.poll)
    }

    /// Resumes the episode that was open when the previous manager ended.
    fn resume(&mut self, last: Option<EpisodeRow>) -> EpisodeTracker {
        let now = steady();
        let known = last.as_ref().map_or(0, |last| last.number);
        let watch = EpisodeTracker::new(self.tools.watching.clone(), known, now);
        let watch = match self.held {
            Some((verdict, since)) => watch.holding(verdict, gone_by(since.as_millisecond())),
            None => watch,
        };
        let Some(last) = last.filter(|last| last.ended_ms.is_none()) else {
            return watch;
        };
        let Some(verdict) = Verdict::of_name(&last.verdict) else {
            return watch;
        };
        self.record = last.record_id;
        self.began = Some((last.number, last.first_ms));
        self.held.get_or_insert((verdict, date(last.first_ms)));
        self.view.set(|view| view.episode = Some(shown(&last)));
        let lasted = gone_by(last.first_ms);
        watch.resuming(last.number, verdict, last.count, lasted, now)
    }

    async fn look(&mut self, watch: &mut EpisodeTracker) {
        let (mut seen, mut grants_nothing) = self.observe().await;
        let mut judgement = weigh(&seen);
        if !judgement.verdict.is_good() && judgement.verdict != watch.verdict() {
            tokio::time::sleep(SECOND_LOOK).await;
            (seen, grants_nothing) = self.observe().await;
            judgement = weigh(&seen);
        }
        let now = steady();
        let notices = watch.see(now, &judgement);
        let healing = self.who_heals(&seen.service_manager);
        self.show(watch, &judgement, grants_nothing, healing.clone());
        self.tell(notices, &judgement).await;
        let step = self
            .healer
            .as_mut()
            .and_then(|healer| healer.next(now, &judgement));
        if let Some(step) = step {
            self.heal(step).await;
        }
        self.say_that_nobody_heals(now, &healing, &judgement).await;
        self.tools.looked();
    }

    /// Who restarts the server.
    fn who_heals(&self, word: &ServiceManagerWord) -> Healing {
        // Only of the server beside the manager is the token read from its own file.
        let is_own = matches!(self.token, TokenSource::File(_));
        healing::of(&self.server, is_own, self.helpless.is_some(), word)
    }

    /// Reports if the server needs healing and nobody can do that.
    async fn say_that_nobody_heals(
        &mut self,
        now: Duration,
        healing: &Healing,
        judgement: &Judgement,
    ) {
        let helpless = self.helpless.as_mut().filter(|_| healing.by.is_none());
        if helpless.is_some_and(|it| it.is_to_be_told(now, judgement)) {
            let values = vec![self.server.name.clone(), healing.how.clone()];
            self.raise(9423, values).await;
        }
    }

    /// Asks a server that serves for facts that predict trouble.
    async fn look_ahead(&self, watch: &EpisodeTracker, outlook: &mut Outlook, asked: bool) {
        let verdict = watch.verdict();
        let answers = verdict.answers();
        if answers {
            let history = history_of(self.view.get().history);
            let told = outlook.look(&self.token.read(), asked, history).await;
            if let Some(told) = told {
                self.view.put_levels(told.levels);
                if let Some(id) = told.server_id {
                    self.view.set(|view| view.server_id = Some(id));
                }
            }
        }
        self.identify(answers).await;
        self.view.looked();
    }

    /// Notes by which id the server is known, and reports if it is watched under another name, too.
    async fn identify(&self, answers: bool) {
        let name = &self.server.name;
        let Some(id) = self.view.get().server_id else {
            return;
        };
        let identities = &self.tools.identities;
        identities.note(name, &id, answers);
        let Some(other) = identities.to_be_told(name) else {
            return;
        };
        let once = Once {
            what: TOLD_SAME,
            which: format!("{name} {other}"),
        };
        let what = format!(
            "it is the server that is watched as {other}, too, and counts once, as that; `usher \
             servers remove` with either name ends that it is watched twice"
        );
        let values = vec!["the manager".to_owned(), name.clone(), what];
        let dispatcher = &self.tools.dispatcher;
        dispatcher.raise_once(once, WATCHED_OTHERWISE, values).await;
    }

    /// Shows what a poll came to, all of it at once: nobody who asks meanwhile reads half of it.
    fn show(
        &mut self,
        watch: &EpisodeTracker,
        judgement: &Judgement,
        grants_nothing: Option<GrantsNothing>,
        healing: Healing,
    ) {
        let at = date(wall_ms());
        let verdict = watch.verdict();
        let held = self.held.take().filter(|(before, _)| *before == verdict);
        let known_ms = held.map(|(_, since)| since.as_millisecond());
        let anew_ms = wall_ms() - millis(watch.held_for(steady()));
        let since_ms = dated(known_ms, anew_ms);
        self.view.set(|view| {
            let verdict = verdict.name();
            if view.verdict != verdict || view.polled_at.is_none() {
                view.verdict = verdict.to_owned();
                view.since = date(since_ms);
            }
            view.polled_at = Some(at);
            view.evidence = judgement
                .findings
                .iter()
                .map(|finding| Evidence {
                    source: finding.source.name().to_owned(),
                    finding: finding.text.clone(),
                    observed_at: at,
                })
                .collect();
            view.service = judgement.service.as_ref().map(|word| ServiceSeen {
                state: word.state.name().to_owned(),
                state_age_seconds: word.age.as_secs(),
                checkpoint: word.checkpoint,
                wait_hint_seconds: word.wait_hint.as_secs(),
                win32_error: word.error,
            });
            view.grants_nothing = grants_nothing;
            view.healing = Some(healing);
        });
    }

    async fn heal(&self, step: HealingStep) {
        // Whoever leads now sees to it.
        if !self.tools.leading.holds() {
            return;
        }
        let name = self.server.name.clone();
        let id = match step {
            HealingStep::AskToStop => 9420,
            HealingStep::EndProcess => 9421,
            HealingStep::Start => 9422,
            HealingStep::GiveUp => 9424,
        };
        self.raise(id, vec![name.clone()]).await;
        let Some(unit) = self.server.unit.clone() else {
            return;
        };
        let told = unit.clone();
        let service_manager = self.tools.service_manager.clone();
        let done = tokio::task::spawn_blocking(move || match step {
            HealingStep::AskToStop => service_manager.stop(&unit),
            HealingStep::EndProcess => service_manager.end(&unit),
            HealingStep::Start => service_manager.start(&unit),
            HealingStep::GiveUp => Ok(()),
        });
        let outcome = match tokio::time::timeout(ASK * 6, done).await {
            Ok(Ok(outcome)) => outcome,
            _ => Err("the service manager does not answer".to_owned()),
        };
        if let Err(why) = outcome {
            let what = match step {
                HealingStep::AskToStop => "stopping",
                HealingStep::EndProcess => "ending",
                HealingStep::Start | HealingStep::GiveUp => "starting",
            };
            let why = format!("{what} its unit {told} failed: {why}");
            self.raise(9423, vec![name, why]).await;
        }
    }
}
