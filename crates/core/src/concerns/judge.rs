//! Judges facts by the thresholds: which concerns there are.

use super::facts::*;
use super::figures::{bytes, counted, day, lasted, minute, names};
use super::kinds::{Concern, Kind};
use super::thresholds::Thresholds;
use super::{door, ends};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The concerns that follow from the facts. `is_open` says which are reported already; those end
/// only well past their threshold (hysteresis). `server` is the server's name in messages.
pub fn judge(
    server: &str,
    facts: &Facts,
    thresholds: &Thresholds,
    is_open: &dyn Fn(Kind, &str) -> bool,
) -> Vec<Concern> {
    let view = View {
        server,
        facts,
        at: thresholds,
        is_open,
    };
    let mut concerns = Vec::new();
    concerns.extend(facts.entitlements.iter().filter_map(|it| view.ends(it)));
    concerns.extend(facts.entitlements.iter().filter_map(|it| view.notice(it)));
    concerns.extend(facts.products.iter().filter_map(|it| view.low(it)));
    concerns.extend(view.silent());
    concerns.extend(view.unreached());
    concerns.extend(view.disk());
    concerns.extend(view.backup());
    concerns.extend(view.pack());
    concerns.extend(view.version());
    concerns.extend(view.paused());
    concerns.extend(view.ended());
    concerns.extend(view.caught());
    concerns.extend(view.log());
    concerns.extend(view.turned_away());
    concerns.extend(view.history());
    concerns.extend(facts.quiet_rules.iter().filter_map(|it| view.quiet(it)));
    concerns
}

struct View<'a> {
    server: &'a str,
    facts: &'a Facts,
    at: &'a Thresholds,
    is_open: &'a dyn Fn(Kind, &str) -> bool,
}

impl View<'_> {
    fn concern(&self, kind: Kind, about: &str, values: Vec<String>) -> Concern {
        Concern {
            kind,
            about: about.to_owned(),
            values,
        }
    }

    fn ends(&self, it: &EntitlementFact) -> Option<Concern> {
        let values = ends::soon(it, self.facts.at_ms, self.at.entitlement_days)?;
        Some(self.concern(Kind::EntitlementEnds, &it.id, values))
    }

    fn notice(&self, it: &EntitlementFact) -> Option<Concern> {
        let values = ends::notice(it, self.facts.at_ms, self.at.notice_days_ahead)?;
        Some(self.concern(Kind::NoticeDue, &it.id, values))
    }

    fn low(&self, it: &ProductFact) -> Option<Concern> {
        let is_open = (self.is_open)(Kind::SeatsLow, &it.id);
        let at = self.at;
        // Where it is told of, a tenth more has to be free.
        let percent = u64::from(
            at.seats_percent
                .saturating_sub(if is_open { 10 } else { 0 }),
        );
        let judged = at.seats_percent > 0 && it.seats > 0 && it.seats >= u64::from(at.seats_from);
        let full = judged && it.in_use * 100 >= it.seats * percent;
        let wanted = it.queued.max(it.refused_last_hour);
        let is_wanted = at.seats_wanted > 0 && wanted >= u64::from(at.seats_wanted);
        (full || is_wanted).then(|| {
            let values = vec![
                it.name.clone(),
                it.in_use.to_string(),
                it.seats.to_string(),
                it.queued.to_string(),
                it.refused_last_hour.to_string(),
            ];
            self.concern(Kind::SeatsLow, &it.id, values)
        })
    }

    /// Agents that have been silent longest come first; if there are too many, these are reported.
    fn silent(&self) -> Vec<Concern> {
        let silent_ms = |it: &AgentFact| self.facts.at_ms - it.last_seen_ms;
        let from = i64::from(self.at.agent_hours) * HOUR_MS;
        let gone = match self.at.agent_gone_days {
            0 => i64::MAX,
            days => i64::from(days) * DAY_MS,
        };
        let is_silent = |it: &&AgentFact| from > 0 && (from..gone).contains(&silent_ms(it));
        let mut silent: Vec<&AgentFact> = self.facts.agents.iter().filter(is_silent).collect();
        silent.sort_by_key(|it| it.last_seen_ms);
        let concern = |it: &AgentFact| {
            let values = vec![
                it.name.clone(),
                lasted(it.last_seen_ms, self.facts.at_ms),
                self.server.to_owned(),
            ];
            self.concern(Kind::AgentSilent, &it.id, values)
        };
        silent.into_iter().map(concern).collect()
    }

    fn unreached(&self) -> Option<Concern> {
        let since = self.facts.at_ms - i64::from(self.at.unreached_hours) * HOUR_MS;
        let recent: Vec<(&AgentFact, &Unreached)> = self
            .facts
            .agents
            .iter()
            .filter_map(|agent| Some((agent, agent.unreached.as_ref()?)))
            .filter(|(_, unreached)| unreached.last_ms > since)
            .collect();
        let starts: u64 = recent.iter().map(|(_, it)| it.starts).sum();
        if self.at.unreached_starts == 0 || starts < u64::from(self.at.unreached_starts) {
            return None;
        }
        let computers: Vec<String> = recent.iter().map(|(it, _)| it.name.clone()).collect();
        let mut products: Vec<String> = recent
            .iter()
            .flat_map(|(_, it)| it.products.iter().cloned())
            .collect();
        products.sort();
        products.dedup();
        let values = vec![
            starts.to_string(),
            computers.len().to_string(),
            names(&computers),
            names(&products),
        ];
        Some(self.concern(Kind::Unreached, "", values))
    }

    fn disk(&self) -> Option<Concern> {
        let DiskFact {
            free_bytes,
            total_bytes,
        } = self.facts.disk?;
        // Where it is told of, a fifth more has to be free.
        let slack: u128 = if (self.is_open)(Kind::DiskLow, "") {
            120
        } else {
            100
        };
        let free = u128::from(free_bytes);
        let share =
            free * 10_000 <= u128::from(total_bytes) * u128::from(self.at.disk_percent) * slack;
        let little = free * 100 <= u128::from(self.at.disk_mb) * 1_000_000 * slack;
        let is_off = self.at.disk_percent == 0 || self.at.disk_mb == 0;
        (share && little && !is_off).then(|| {
            let values = vec![
                self.server.to_owned(),
                bytes(free_bytes),
                bytes(total_bytes),
                self.served(),
            ];
            self.concern(Kind::DiskLow, "", values)
        })
    }

    fn backup(&self) -> Option<Concern> {
        let BackupFact {
            last_ms,
            data_since_ms,
        } = self.facts.backup?;
        let since = last_ms.unwrap_or(data_since_ms);
        let limit = i64::from(self.at.backup_days) * DAY_MS;
        let is_old = limit > 0 && self.facts.at_ms - since >= limit;
        is_old.then(|| {
            let age = lasted(since, self.facts.at_ms);
            let what = match last_ms {
                Some(_) => format!("is {age} old"),
                None => format!("was never made: its data is {age} old"),
            };
            let values = vec![self.server.to_owned(), what, self.served()];
            self.concern(Kind::BackupOld, "", values)
        })
    }

    fn pack(&self) -> Option<Concern> {
        let PackFact { due_ms, runs } = self.facts.pack?;
        let limit = i64::from(self.at.pack_hours) * HOUR_MS;
        let is_late = limit > 0 && self.facts.at_ms - due_ms >= limit;
        (is_late && !runs).then(|| {
            let values = vec![self.server.to_owned(), minute(due_ms), self.served()];
            self.concern(Kind::PackOverdue, "", values)
        })
    }

    fn quiet(&self, it: &QuietRule) -> Option<Concern> {
        let limit = i64::from(self.at.rule_days) * DAY_MS;
        let is_quiet = limit > 0 && self.facts.at_ms - it.last_matched_ms >= limit;
        is_quiet.then(|| {
            let values = vec![
                it.rule.clone(),
                it.product.clone(),
                day(it.last_matched_ms),
                it.seen_as.clone(),
                it.computers.to_string(),
                day(it.seen_since_ms),
            ];
            self.concern(
                Kind::RuleQuiet,
                &format!("{}/{}", it.product, it.rule),
                values,
            )
        })
    }

    fn paused(&self) -> Option<Concern> {
        let since_ms = self.facts.paused_since_ms?;
        let limit = i64::from(self.at.paused_minutes) * MINUTE_MS;
        let is_long = limit > 0 && self.facts.at_ms - since_ms >= limit;
        is_long.then(|| {
            let values = vec![self.server.to_owned(), minute(since_ms), self.served()];
            self.concern(Kind::Paused, "", values)
        })
    }

    /// A version counts as new until its first scheduled pack is done.
    fn version(&self) -> Vec<Concern> {
        let upgrade = self.facts.upgrade.as_ref();
        let Some(new) = upgrade.filter(|upgrade| upgrade.packed_ms.is_none()) else {
            return Vec::new();
        };
        let named = |third: String| {
            let (server, from) = (self.server.to_owned(), new.from.clone());
            vec![server, new.to.clone(), from, third, self.served()]
        };
        let mut concerns =
            vec![self.concern(Kind::VersionNew, &new.to, named(minute(new.since_ms)))];
        if let Some(why) = &new.pack_failed {
            concerns.push(self.concern(Kind::VersionFails, &new.to, named(why.clone())));
        }
        concerns
    }

    /// Each end by a panic is one concern, for a day.
    fn ended(&self) -> Vec<Concern> {
        let concern = |role: &str, id: &str, on: &str, it: &EndedFact| {
            let values = vec![
                role.to_owned(),
                on.to_owned(),
                it.thread.clone(),
                minute(it.at_ms),
                it.what.clone(),
            ];
            let about = format!("{role}/{id}/{}", it.at_ms);
            self.concern(Kind::RoleEnded, &about, values)
        };
        let is_recent = |it: &&EndedFact| self.facts.at_ms - it.at_ms < DAY_MS;
        let server = self.facts.ended.as_ref().filter(is_recent);
        let agents = self.facts.agents.iter().filter_map(|agent| {
            let ended = agent.ended.as_ref().filter(is_recent)?;
            Some(concern("agent", &agent.id, &agent.name, ended))
        });
        let of_server = server.map(|it| concern("server", "", self.server, it));
        of_server.into_iter().chain(agents).collect()
    }

    /// Panics that ended only one request or item are one concern for each role, for a day.
    fn caught(&self) -> Vec<Concern> {
        let concern = |who: String, about: &str, it: &CaughtFact| {
            let values = vec![
                who,
                it.count.to_string(),
                minute(it.last_ms),
                it.last.clone(),
            ];
            self.concern(Kind::Caught, about, values)
        };
        let is_recent = |it: &&CaughtFact| self.facts.at_ms - it.last_ms < DAY_MS;
        let server = self.facts.caught.as_ref().filter(is_recent);
        let of_server = server.map(|it| concern(format!("the server {}", self.server), "", it));
        let agents = self.facts.agents.iter().filter_map(|agent| {
            let it = agent.caught.as_ref().filter(is_recent)?;
            let who = format!("the agent on {}", agent.name);
            Some(concern(who, &format!("agent/{}", agent.id), it))
        });
        of_server.into_iter().chain(agents).collect()
    }

    fn log(&self) -> Option<Concern> {
        let it = self.facts.held_log.as_ref()?;
        let readers = match it.readers.is_empty() {
            true => "a process that the system does not name".to_owned(),
            false => names(&it.readers),
        };
        let values = vec![self.server.to_owned(), bytes(it.bytes), readers];
        Some(self.concern(Kind::LogHeld, "", values))
    }

    /// An address at which it happened once or twice, or within a moment, may be a person who tries
    /// something.
    fn turned_away(&self) -> Option<Concern> {
        let often = u64::from(self.at.turned_away_times);
        let told = (often > 0).then(|| door::told(self.facts, often))??;
        let values = [vec![self.server.to_owned()], told.to_vec()].concat();
        Some(self.concern(Kind::TurnedAway, "", values))
    }

    fn history(&self) -> Option<Concern> {
        let it = self.facts.history.as_ref()?;
        let limit = i64::from(self.at.history_hours) * HOUR_MS;
        let is_long = limit > 0 && it.failing_ms >= limit;
        is_long.then(|| {
            let values = vec![self.server.to_owned(), minute(it.since_ms), it.why.clone()];
            self.concern(Kind::HistoryFails, "", values)
        })
    }

    /// How many products and computers depend on the server.
    fn served(&self) -> String {
        let (products, computers) = (self.facts.products.len(), self.facts.computers);
        let products = counted(products as u64, "product");
        format!(
            "{products} and {} depend on it",
            counted(computers, "computer")
        )
    }
}
