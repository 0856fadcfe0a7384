//! What is so of the server, and what its manager sees of it.

use std::time::Duration;

use usher_core::health::{ApiAnswer, Observation, PackWord, ServiceManagerWord, WorkSeen};

use super::{PROBE_MS, Usher};
use crate::clock::Moment;
use crate::planted::Planted;
use crate::truth::{Doing, Truth};

impl Usher {
    /// How long a commit takes now; none: it does not end.
    pub(super) fn commit_ms(&self, now: Moment) -> Option<u64> {
        let usual = 2;
        let slow = self.slow_disk.filter(|(_, until)| *until > now.steady);
        let commit_ms = slow.map_or(usual, |(commit_ms, _)| commit_ms);
        (!self.service.disk_hangs(now) && commit_ms < PROBE_MS).then_some(commit_ms)
    }

    pub(super) fn truth(&self, now: Moment) -> Truth {
        let doing = self.service.doing();
        let is_still = self.service.is_still(now) || self.commit_ms(now).is_none();
        match doing {
            _ if self.cut_until > now.steady => Truth::Cut,
            Doing::Nothing => Truth::Down,
            _ if is_still => Truth::Hangs {
                pending: doing.is_pending(),
            },
            Doing::Opening => Truth::Starting,
            Doing::Draining => Truth::Stopping,
            Doing::Pausing | Doing::Continuing => Truth::Turning,
            Doing::Paused => Truth::Paused,
            Doing::Serving if self.pack.is_running() => Truth::Packing,
            Doing::Serving => Truth::Well,
        }
    }

    /// What the manager sees when it looks.
    pub(super) fn observe(&mut self, now: Moment) -> Observation {
        match self.planted {
            Some(Planted::StaleLooks) => self.stale_look(now),
            Some(Planted::DeafToWork) if self.pack.is_running() => Observation {
                service_manager: ServiceManagerWord::Says(self.service.word(now)),
                api: ApiAnswer::Silent(Duration::from_millis(PROBE_MS)),
                work: WorkSeen::NotTried,
            },
            _ => self.look(now),
        }
    }

    fn stale_look(&mut self, now: Moment) -> Observation {
        if let Some(look) = &self.first_good_look {
            return look.clone();
        }
        let look = self.look(now);
        if matches!(look.work, WorkSeen::Moves(_)) {
            self.first_good_look = Some(look.clone());
        }
        look
    }

    fn look(&mut self, now: Moment) -> Observation {
        if self.cut_until > now.steady {
            return Observation {
                service_manager: ServiceManagerWord::NoAnswer("no route to host".to_owned()),
                api: ApiAnswer::NoConnection("no route to host".to_owned()),
                work: WorkSeen::NotTried,
            };
        }
        let word = self.service.word(now);
        let probe = Duration::from_millis(PROBE_MS);
        let api = match self.service.doing() {
            Doing::Nothing | Doing::Opening | Doing::Draining => ApiAnswer::Refused,
            _ if self.service.is_still(now) => ApiAnswer::Silent(probe),
            _ => ApiAnswer::Well {
                state: word.state,
                pack: self.pack.percent(now).map(|percent| PackWord { percent }),
            },
        };
        let work = match (&api, self.commit_ms(now)) {
            (ApiAnswer::Well { .. }, Some(commit_ms)) => match self.seats.canary(now) {
                Ok(()) => WorkSeen::Moves(Duration::from_millis(2 * commit_ms)),
                Err(why) => WorkSeen::Refused(why),
            },
            (ApiAnswer::Well { .. }, None) => WorkSeen::StandsStill(probe),
            _ => WorkSeen::NotTried,
        };
        Observation {
            service_manager: ServiceManagerWord::Says(word),
            api,
            work,
        }
    }
}
