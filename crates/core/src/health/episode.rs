//! Episodes of trouble: one message for each.

use std::collections::VecDeque;
use std::time::Duration;

use super::weigh::{Judgement, Verdict};

/// How a watch speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeOptions {
    /// The first repeat of an episode is told so long after its beginning; each next one after
    /// twice the time.
    pub repeat_after: Duration,
    /// Repeats are never further apart than that.
    pub repeat_at_most: Duration,
    /// So many episodes begun within [`EpisodeOptions::flapping_within`] are flapping.
    pub flapping_count: usize,
    /// See [`EpisodeOptions::flapping_count`].
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

/// A stretch of time in which a server is not well in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Counts up over all episodes of the server.
    pub number: u64,
    /// What the verdict on the server is meanwhile.
    pub verdict: Verdict,
    /// How often it was seen.
    pub count: u64,
    /// When first, on the caller's clock.
    pub first_at: Duration,
    /// When last, on the caller's clock.
    pub last_at: Duration,
    /// How long it had lasted before `first_at`, while another watch saw it.
    before: Duration,
    next_repeat: Duration,
    pause: Duration,
}

impl Episode {
    /// How long it has lasted at the time `now`, whoever saw it begin.
    pub fn lasted(&self, now: Duration) -> Duration {
        self.before + now.saturating_sub(self.first_at)
    }
}

/// What is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An episode begins: the one message about it.
    Began(Episode),
    /// The same, seen again: only its count and last time change.
    Counted(Episode),
    /// The same, and long enough after the last word to remind of it.
    Reminded(Episode),
    /// The episode is over: the server is well again, or unwell in another way.
    Ended {
        /// The episode, as it was last seen.
        episode: Episode,
        /// How the server is now.
        now: Verdict,
    },
    /// Episodes come and go; how many in which time.
    Flapping {
        /// How many episodes there were.
        episodes: usize,
        /// Within how long.
        within: Duration,
    },
}

/// What a manager remembers of a server between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeTracker {
    options: EpisodeOptions,
    verdict: Verdict,
    since: Duration,
    /// How long the verdict had been that before `since`, while another watch saw it.
    before: Duration,
    episode: Option<Episode>,
    episodes: u64,
    begun: VecDeque<Duration>,
    flapping: bool,
}

impl EpisodeTracker {
    /// Nothing is known yet. `episodes` were counted of this server before.
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

    /// Goes on with an episode that was under way when another watch ended, and had `lasted` for so
    /// long by then.
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

    /// Goes on with a verdict that another watch came to so long ago; an episode under way says
    /// itself how long it has lasted.
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

    /// How long the verdict has been that at the time `now`.
    pub fn held_for(&self, now: Duration) -> Duration {
        self.before + now.saturating_sub(self.since)
    }

    /// The episode under way.
    pub fn episode(&self) -> Option<&Episode> {
        self.episode.as_ref()
    }

    /// Takes a judgement at the time `now`; answers what is worth telling.
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

    /// Flapping is told once, until there has been quiet for as long as it is judged by.
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
