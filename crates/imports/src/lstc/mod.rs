//! LS-DYNA's `lstc_qrun`: with `-r` and `-R` a table of programs and their seats, with `-R` also who has
//! them, and without either a list of the programs that run.
//!
//! The programs of a group share its seats: each may use them all, so their numbers are never added. The
//! line of the group is a pool of its own, named `LICENSE GROUP`.

use std::collections::BTreeMap;

use crate::asked::{self, Asked, Pools};
use crate::fact::{Fact, Feature, Held, Snapshot};
use crate::instant::{self, DateOrder};
use crate::reading::{Out, Reader};

/// The name of the pool that the programs share.
pub const GROUP: &str = "LICENSE GROUP";
/// Programs of the list of what runs that are told apart; lines of further ones are not understood.
pub const PROGRAMS_LIMIT: usize = 1_000;

/// What the list of running programs cannot say.
const NO_SEATS_TOLD: &str = "a list of running programs does not say how many seats there are";

/// Reads what `lstc_qrun` prints.
#[derive(Debug)]
pub struct Lstc {
    pools: Pools,
    /// By program; only what the list of running programs says.
    running: BTreeMap<String, Snapshot>,
    /// The list is of what waits.
    is_queue: bool,
}

impl Lstc {
    /// A reader of what was asked then.
    pub fn new(asked: Asked) -> Lstc {
        Lstc {
            pools: Pools::new(asked),
            running: BTreeMap::new(),
            is_queue: false,
        }
    }

    /// `MPPDYNA 12/30/2022 - 60 500 | 0`: used, free, most, and how many wait.
    fn program(&mut self, words: &[&str], out: &mut Out<'_>) -> bool {
        let Some(bar) = words.iter().position(|word| *word == "|") else {
            return false;
        };
        let (before, after) = words.split_at(bar);
        let [name, .., used, free, most] = before else {
            return false;
        };
        let [_, waiting] = after else { return false };
        // There are at least four words before the bar.
        let is_group = before.get(..2) == Some(&["LICENSE", "GROUP"][..]);
        let is_program = before
            .get(1)
            .is_some_and(|date| instant::year_last(date, DateOrder::MonthFirst).is_some());
        let numbers = (
            free.parse::<u64>(),
            most.parse::<u64>(),
            waiting.parse::<u32>(),
        );
        let (Ok(_), Ok(most), Ok(waiting)) = numbers else {
            return false;
        };
        let used = used.parse::<u64>();
        if !(is_group || is_program) || (used.is_err() && before.get(bar - 3) != Some(&"-")) {
            return false;
        }
        let name = match is_group {
            true => GROUP.to_owned(),
            false => (*name).to_owned(),
        };
        self.finish(out);
        let pool = self.pools.begin(Feature { daemon: None, name }, out);
        pool.issued = Some(most);
        // `-`: the seats in use are those of the lines that follow.
        pool.in_use = used.ok();
        // Who waits is not told.
        if waiting > 0 {
            pool.queued.push((asked::holder("", ""), waiting));
        }
        true
    }

    /// `ann 59005@node1 80`: a person, a process and its computer, and seats.
    fn holder(&mut self, words: &[&str]) -> bool {
        let [user, process, seats] = words else {
            return false;
        };
        let (Some((_, host)), Ok(seats)) = (asked::user_at_host(process), seats.parse::<u32>())
        else {
            return false;
        };
        self.pools.hold(asked::held(user, host, seats, None))
    }

    /// `ann 84212@node1 MPPDYNA Tue Mar 17 16:18 28`.
    fn running(&mut self, words: &[&str]) -> bool {
        let [user, process, program, when @ .., seats] = words else {
            return false;
        };
        let asked = self.pools.asked();
        let since = instant::without_year(when, asked.at, &asked.time_zone);
        let (Some((_, host)), Ok(seats)) = (asked::user_at_host(process), seats.parse::<u32>())
        else {
            return false;
        };
        if (since.is_none() && !self.is_queue)
            || (self.running.len() >= PROGRAMS_LIMIT && !self.running.contains_key(*program))
        {
            return false;
        }
        let new = || Snapshot {
            at: asked.at,
            server: asked.server.clone(),
            feature: Feature {
                daemon: None,
                name: (*program).to_owned(),
            },
            issued: None,
            in_use: Some(0),
            held: Vec::new(),
            reserved: Vec::new(),
            queued: Vec::new(),
            trouble: Some(NO_SEATS_TOLD.to_owned()),
        };
        let pool = self
            .running
            .entry((*program).to_owned())
            .or_insert_with(new);
        if pool.held.len().saturating_add(pool.queued.len()) >= asked::HOLDERS_LIMIT {
            return false;
        }
        if self.is_queue {
            pool.queued.push((asked::holder(user, host), seats));
            return true;
        }
        pool.held.push(Held {
            since,
            ..asked::held(user, host, seats, None)
        });
        let in_use = pool.in_use.unwrap_or(0);
        pool.in_use = Some(in_use.saturating_add(u64::from(seats)));
        true
    }

    /// A pool whose use is told by its holders only gets it from them.
    fn finish(&mut self, out: &mut Out<'_>) {
        if let Some(pool) = self.pools.open()
            && pool.in_use.is_none()
            && !pool.held.is_empty()
        {
            pool.in_use = Some(seats_of(&pool.held));
        }
        self.pools.close(out);
    }
}

fn seats_of(held: &[Held]) -> u64 {
    held.iter().fold(0, |sum: u64, held| {
        sum.saturating_add(u64::from(held.seats))
    })
}

impl Reader for Lstc {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let text = line.trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_line = words
            .iter()
            .all(|word| word.chars().all(|letter| letter == '-' || letter == '|'));
        let is_title = [
            "LICENSE INFORMATION",
            "No programs queued",
            "No programs running",
        ]
        .contains(&text)
            || text.starts_with("PROGRAM ")
            || words.starts_with(&["User", "Host"]);
        if is_line || is_title {
            return out.understood();
        }
        let server = ["Using user specified server ", "Using default server "];
        if let Some(server) = server.iter().find_map(|label| text.strip_prefix(label)) {
            self.finish(out);
            self.pools.of_server(server, out);
            return out.understood();
        }
        if let Some(why) = text.strip_prefix("*** ERROR") {
            self.finish(out);
            self.pools.silent(why, out);
            return out.understood();
        }
        if text == "Running Programs" || text == "Queued Programs" {
            self.is_queue = text == "Queued Programs";
            return out.understood();
        }
        match self.program(&words, out) || self.holder(&words) || self.running(&words) {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.finish(out);
        for pool in std::mem::take(&mut self.running).into_values() {
            out.say(Fact::Snapshot(Box::new(pool)));
        }
    }
}

#[cfg(test)]
mod tests;
