//! Reports the result of a poll: an episode's one message, its end, and reminders.

use std::time::Duration;

use usher_api::EpisodeSeen;
use usher_core::health::{Episode, Judgement, Notice, Verdict, span};
use usher_site::{Change, EpisodeRow};

use super::Work;
use crate::clock::{date, dated, steady, wall_ms};
use crate::dispatch::Raise;

/// The message that a server's state is unknown.
const UNKNOWN: u16 = 9413;

impl Work {
    /// Records the result of a poll in one step, and raises its messages.
    pub(super) async fn tell(&mut self, notices: Vec<Notice>, judgement: &Judgement) {
        let mut changes = Vec::with_capacity(notices.len());
        let (mut began, mut is_reminder) = (None, false);
        for notice in notices {
            changes.push(match notice {
                Notice::Began(episode) => {
                    let name = self.server.name.clone();
                    let values = vec![name, evidence(judgement), self.id_of(&episode)];
                    began = Some(changes.len());
                    let message = self.raised(message_of(episode.verdict), values);
                    Change::EpisodeBegan(self.row(&episode, None), message)
                }
                Notice::Counted(episode) => Change::EpisodeGoesOn(self.row(&episode, None)),
                Notice::Reminded(episode) => {
                    is_reminder = true;
                    Change::EpisodeGoesOn(self.row(&episode, None))
                }
                Notice::Ended { episode, now } => {
                    let row = self.row(&episode, Some(wall_ms()));
                    self.record = None;
                    let lasted = episode.lasted(steady());
                    let values = vec![
                        self.server.name.clone(),
                        now.name().to_owned(),
                        span(lasted),
                        episode.verdict.name().to_owned(),
                        episode.count.to_string(),
                        self.id_of(&episode),
                    ];
                    let id = if now.is_good() { 9414 } else { 9416 };
                    Change::EpisodeEnded(row, self.raised(id, values))
                }
                Notice::Flapping { episodes, within } => {
                    let name = self.server.name.clone();
                    let values = vec![name, episodes.to_string(), span(within)];
                    Change::Message(self.raised(9415, values))
                }
            });
        }
        let records = self.tools.dispatcher.record(changes).await;
        if let Some(began) = began {
            self.record = records.get(began).copied().flatten();
        }
        if let Some(record) = self.record.filter(|_| is_reminder) {
            self.tools.dispatcher.remind(record).await;
        }
    }

    /// The id of the episode that a message is about. It follows the values of the text, so that
    /// the same text about another episode is another message, not a repeat.
    fn id_of(&self, episode: &Episode) -> String {
        episode_id(&self.server.name, episode.number)
    }

    fn raised(&self, id: u16, values: Vec<String>) -> Raise {
        Raise::new(id, Some(&self.server.name), values)
    }

    pub(super) async fn raise(&self, id: u16, values: Vec<String>) -> Option<i64> {
        let name = self.server.name.as_str();
        self.tools.dispatcher.raise(id, Some(name), values).await
    }

    /// An episode as it is recorded and shown now.
    fn row(&mut self, episode: &Episode, ended_ms: Option<i64>) -> EpisodeRow {
        let now_ms = wall_ms();
        let now = steady();
        let known = self.began.filter(|(number, _)| *number == episode.number);
        let anew_ms = now_ms - millis(episode.lasted(now));
        let first_ms = dated(known.map(|(_, first_ms)| first_ms), anew_ms);
        self.began = Some((episode.number, first_ms));
        let row = EpisodeRow {
            server: self.server.name.clone(),
            number: episode.number,
            verdict: episode.verdict.name().to_owned(),
            record_id: self.record,
            message_id: message_of(episode.verdict),
            count: episode.count,
            first_ms,
            last_ms: now_ms - millis(now.saturating_sub(episode.last_at)),
            ended_ms,
        };
        self.view.set(|view| {
            view.episode = ended_ms.is_none().then(|| shown(&row));
        });
        row
    }
}

/// The number of an episode's message; only trouble has one.
fn message_of(verdict: Verdict) -> u16 {
    verdict.message_id().unwrap_or(UNKNOWN)
}

fn evidence(judgement: &Judgement) -> String {
    let said: Vec<String> = judgement
        .findings
        .iter()
        .map(|finding| format!("{}: {}", finding.source.words(), finding.text))
        .collect();
    said.join("; ")
}

fn episode_id(server: &str, number: u64) -> String {
    format!("{server}-{number}")
}

pub(super) fn shown(row: &EpisodeRow) -> EpisodeSeen {
    EpisodeSeen {
        id: episode_id(&row.server, row.number),
        message_id: row.message_id,
        count: row.count,
        first_at: date(row.first_ms),
        last_at: date(row.last_ms),
    }
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
