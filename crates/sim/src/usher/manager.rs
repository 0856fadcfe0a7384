//! The manager of the simulated site: shipped judgement, watch, healing and messages, and nothing
//! of its own but the numbers that verdicts are told by.

use usher_core::health::{
    EpisodeOptions, EpisodeTracker, Healer, HealingOptions, HealingStep, Judgement, Notice,
    Observation, Verdict, weigh,
};
use usher_core::messages::{Folded, Folder, FolderOptions, Message, Rule, decide, default_rules};

use crate::clock::Moment;
use crate::text::span;

/// The server's name in messages.
const SERVER: &str = "METER1";

#[derive(Debug)]
pub(super) struct Manager {
    watch: EpisodeTracker,
    healer: Healer,
    folder: Folder,
    rules: Vec<Rule>,
    stored: i64,
}

/// What came of a look.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) judgement: Judgement,
    /// New messages for an administrator, as the rules store them.
    pub(super) messages: Vec<Message>,
    pub(super) healing: Option<HealingStep>,
}

impl Manager {
    pub(super) fn new(now: Moment) -> Manager {
        Manager {
            watch: EpisodeTracker::new(EpisodeOptions::default(), 0, now.span()),
            healer: Healer::new(HealingOptions::default()),
            folder: Folder::new(FolderOptions::default()),
            rules: default_rules(),
            stored: 0,
        }
    }

    /// Judges what was seen.
    pub(super) fn look(&mut self, now: Moment, seen: &Observation) -> Look {
        let judgement = weigh(seen);
        let notices = self.watch.see(now.span(), &judgement);
        let healing = self.healer.next(now.span(), &judgement);
        let messages = notices
            .iter()
            .filter_map(|notice| told(now, notice, &judgement))
            .chain(healing.map(healed))
            .filter_map(|(id, values)| self.tell(now, id, values))
            .collect();
        Look {
            judgement,
            messages,
            healing,
        }
    }

    /// A step of healing failed.
    pub(super) fn failed(&mut self, now: Moment, why: String) -> Option<Message> {
        self.tell(now, 9423, vec![SERVER.to_owned(), why])
    }

    /// Keeps a message, unless it was kept before or no rule keeps it.
    fn tell(&mut self, now: Moment, id: u16, values: Vec<String>) -> Option<Message> {
        let message = Message {
            id,
            computer: "SITE1".to_owned(),
            site: "S00".to_owned(),
            server: Some(SERVER.to_owned()),
            process_id: 1,
            time_ms: now.wall,
            values,
        };
        decide(&self.rules, &message).store_days()?;
        match self.folder.take(&message) {
            Folded::New => {
                self.stored += 1;
                self.folder.stored(&message, self.stored);
                Some(message)
            }
            Folded::Repeat { .. } | Folded::Flood { .. } => None,
        }
    }
}

/// The verdict that a message states.
pub(super) fn verdict(id: u16) -> Option<Verdict> {
    Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.message_id() == Some(id))
}

fn told(now: Moment, notice: &Notice, judgement: &Judgement) -> Option<(u16, Vec<String>)> {
    let server = SERVER.to_owned();
    match notice {
        Notice::Began(episode) => {
            let findings: Vec<String> = judgement
                .findings
                .iter()
                .map(|finding| format!("{} {}", finding.source.name(), finding.text))
                .collect();
            Some((
                episode.verdict.message_id()?,
                vec![server, findings.join("; ")],
            ))
        }
        Notice::Counted(_) | Notice::Reminded(_) => None,
        Notice::Ended {
            episode,
            now: verdict,
        } => {
            let id = if verdict.is_good() { 9414 } else { 9416 };
            let lasted = episode.lasted(now.span());
            let values = vec![
                server,
                verdict.to_string(),
                span(u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX)),
                episode.verdict.to_string(),
                episode.count.to_string(),
            ];
            Some((id, values))
        }
        Notice::Flapping { episodes, within } => {
            let within = span(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
            Some((9415, vec![server, episodes.to_string(), within]))
        }
    }
}

fn healed(step: HealingStep) -> (u16, Vec<String>) {
    let id = match step {
        HealingStep::AskToStop => 9420,
        HealingStep::EndProcess => 9421,
        HealingStep::Start => 9422,
        HealingStep::GiveUp => 9424,
    };
    (id, vec![SERVER.to_owned()])
}
