//! Episodes of trouble: one message for each episode.

use std::collections::VecDeque;
use std::time::Duration;

use super::weigh::{Judgement, Verdict};

/// When an episode is reported again, and what counts as flapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeOptions {
    /// After this time an episode is reported again; each next time after twice as long.
    pub repeat_after: Duration,
    /// The longest time between two such reports.
    pub repeat_at_most: Duration,
    /// How many episodes must begin within [`EpisodeOptions::flapping_within`] to count as
    /// flapping.
    pub flapping_count: usize,
    /// The period in which episodes are counted for [`EpisodeOptions::flapping_count`].
    pub flapping_within: Duration,
}

impl Default for EpisodeOptions {
    fn default() -> Self {
        EpisodeOptions {
            repeat_after: Duration::from_secs(3_600),
            repeat_at_most: Duration::from_secs(86_400),
            flapping_count: 4,
            flapping_within: Duration::from_secs(3_600),
        }
    }
}

/// A period during which the verdict on a server is the same kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// The number of the episode, counted over all episodes of the server.
    pub number: u64,
    /// The verdict during the episode.
    pub verdict: Verdict,
    /// In how many polls it was seen.
    pub count: u64,
    /// When it was first seen, on the caller's clock.
    pub first_at: Duration,
    /// When it was last seen, on the caller's clock.
    pub last_at: Duration,
    /// How long it had lasted before `first_at`, as an earlier manager saw it.
    before: Duration,
    next_repeat: Duration,
    pause: Duration,
}

impl Episode {
    /// How long it has lasted at the time `now`, the time before this manager included.
    pub fn lasted(&self, now: Duration) -> Duration {
        self.before + now.saturating_sub(self.first_at)
    }
}

/// What to report about episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An episode begins: raise its one message.
    Began(Episode),
    /// The episode was seen again: only its count and last time change.
    Counted(Episode),
    /// The episode was seen again, and its next report is due.
    Reminded(Episode),
    /// The episode is over: the server is well again, or in another kind of trouble.
    Ended {
        /// The episode, as it was last seen.
        episode: Episode,
        /// The verdict on the server now.
        now: Verdict,
    },
    /// Episodes begin and end too often.
    Flapping {
        /// How many episodes there were.
        episodes: usize,
        /// The period in which they began.
        within: Duration,
    },
}

/// What a manager remembers about a server between two polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeTracker {
    options: EpisodeOptions,
    verdict: Verdict,
    since: Duration,
    /// How long the verdict had been the same before `since`, as an earlier manager saw it.
    before: Duration,
    episode: Option<Episode>,
    episodes: u64,
    begun: VecDeque<Duration>,
    flapping: bool,
}

impl EpisodeTracker {
    /// A tracker that has seen nothing yet. `episodes` is how many this server has had before.
    pub fn new(options: EpisodeOptions, episodes: u64, now: Duration) -> Self {
        EpisodeTracker {
            options,
            verdict: Verdict::Unknown,
            since: now,
            before: Duration::ZERO,
            episode: None,
            episodes,
            begun: VecDeque::new(),
            flapping: false,
        }
    }

    /// Resumes an episode that was open when an earlier manager ended, and had `lasted` so long by
    /// then.
    #[must_use]
    pub fn resuming(
        mut self,
        number: u64,
        verdict: Verdict,
        count: u64,
        lasted: Duration,
        now: Duration,
    ) -> Self {
        self.episodes = self.episodes.max(number);
        self.verdict = verdict;
        self.before = lasted;
        self.episode = Some(Episode {
            number,
            verdict,
            count,
            first_at: now,
            last_at: now,
            before: lasted,
            next_repeat: now + self.options.repeat_after,
            pause: self.options.repeat_after,
        });
        self
    }

    /// Resumes the verdict of an earlier manager, which had held for so long. An open episode knows
    /// its own duration.
    #[must_use]
    pub fn holding(mut self, verdict: Verdict, lasted: Duration) -> Self {
        if self.episode.is_none() && verdict.is_good() {
            self.verdict = verdict;
            self.before = lasted;
        }
        self
    }

    /// The last verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// For how long the verdict has been the same at the time `now`.
    pub fn held_for(&self, now: Duration) -> Duration {
        self.before + now.saturating_sub(self.since)
    }

    /// The open episode; none: the server is well.
    pub fn episode(&self) -> Option<&Episode> {
        self.episode.as_ref()
    }

    /// Takes the judgement of a poll at the time `now`; answers what to report.
    pub fn see(&mut self, now: Duration, judgement: &Judgement) -> Vec<Notice> {
        let verdict = judgement.verdict;
        if verdict != self.verdict {
            self.verdict = verdict;
            self.since = now;
            self.before = Duration::ZERO;
        }
        let mut notices = Vec::new();
        if let Some(episode) = self.episode.take_if(|episode| episode.verdict != verdict) {
            notices.push(Notice::Ended {
                episode,
                now: verdict,
            });
        }
        if verdict.is_good() {
            return notices;
        }
        match &mut self.episode {
            Some(episode) => {
                episode.count += 1;
                episode.last_at = now;
                if now >= episode.next_repeat {
                    episode.pause = (episode.pause * 2).min(self.options.repeat_at_most);
                    episode.next_repeat = now + episode.pause;
                    notices.push(Notice::Reminded(episode.clone()));
                } else {
                    notices.push(Notice::Counted(episode.clone()));
                }
            }
            None => {
                self.episodes += 1;
                let episode = Episode {
                    number: self.episodes,
                    verdict,
                    count: 1,
                    first_at: now,
                    last_at: now,
                    before: Duration::ZERO,
                    next_repeat: now + self.options.repeat_after,
                    pause: self.options.repeat_after,
                };
                self.episode = Some(episode.clone());
                notices.push(Notice::Began(episode));
                notices.extend(self.note_beginning(now));
            }
        }
        notices
    }

    /// Flapping is reported once, until no episode has begun for the period in which it is counted.
    fn note_beginning(&mut self, now: Duration) -> Option<Notice> {
        let within = self.options.flapping_within;
        self.begun.push_back(now);
        while self.begun.front().is_some_and(|at| now - *at > within) {
            self.begun.pop_front();
        }
        while self.begun.len() > self.options.flapping_count {
            self.begun.pop_front();
        }
        let flapping = self.begun.len() >= self.options.flapping_count;
        let told = std::mem::replace(&mut self.flapping, flapping);
        (flapping && !told).then_some(Notice::Flapping {
            episodes: self.begun.len(),
            within,
        })
    }
}
