//! What a manager concludes about a metering server: from evidence to a verdict to an episode.
//!
//! Three witnesses are heard: the service manager (state, its age, whether checkpoint and wait
//! hint are kept), the API (does it answer, and what does it say), and the work (is a canary
//! seated, do commits go on). None is believed alone: a service manager that says "stopping" of a
//! server that seats a canary is contradicted, not repeated (KB Q299261). There are seven
//! verdicts, not two; only [`Verdict::Stopped`] is "not running" (message 9406).
//!
//! One episode of trouble is one message, with its count, its first and last time, and a recovery
//! message at its end; repeats back off, and flapping is named.

mod episode;
mod evidence;
mod healing;
mod hourly;
mod memory;
mod weigh;

pub use episode::{Episode, EpisodeOptions, EpisodeTracker, Notice};
pub use evidence::{
    ApiAnswer, Finding, Observation, PackWord, ServiceManagerWord, ServiceWord, Source, WorkSeen,
};
pub use healing::{Healer, HealingOptions, HealingStep, Helpless};
pub use memory::{MemoryGuard, MemoryOptions, MemorySeen, MemoryStep};
pub use weigh::{Judgement, Verdict, span, weigh};
