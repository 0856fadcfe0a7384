//! What is counted of one installation, and which counts are faults.

use serde::Serialize;

/// Counts of one history, or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Looks of the manager at the server.
    pub polls: u64,
    /// Messages to the administrator; repeats of one episode are one.
    pub messages: u64,
    /// Messages that were not so when they were said.
    pub false_messages: u64,
    /// Of these, those that it is not running (9406).
    pub false_9406: u64,
    /// Most false ones within a day of 24 hours.
    pub most_false_9406_a_day: u64,
    /// Polls while the service said that it stops, and did not.
    pub polls_in_false_stop: u64,
    /// Of these, those at which 9406 was said.
    pub told_in_false_stop: u64,
    /// Controls sent, by the manager and by an administrator.
    pub controls: u64,
    /// Controls refused though the state that the server was in takes them.
    pub controls_wrongly_refused: u64,
    /// States reported that were not so.
    pub false_states: u64,
    /// Packs that were due.
    pub packs_due: u64,
    /// Packs done whole.
    pub packs_done: u64,
    /// Packs that left out what was in use, or were not done.
    pub packs_skipped: u64,
    /// Requests of clients.
    pub requests: u64,
    /// Requests sent while a pack ran.
    pub requests_during_packs: u64,
    /// Requests without an answer within the client's patience.
    pub requests_failed: u64,
    /// Requests that were answered, and wrongly.
    pub requests_wrong: u64,
    /// Requests without an answer because an administrator had stopped the server.
    pub requests_while_stopped: u64,
    /// Checkouts refused because every seat was in use.
    pub denied: u64,
    /// Grants beyond the seats owned.
    pub over_granted: u64,
    /// Time for which the last verdict was false or unknown, in milliseconds.
    pub unknown_ms: u64,
    /// Steps of healing at a server that needed none.
    pub needless_healing: u64,
    /// Troubles injected: kills, freezes, hanging disks, cuts.
    pub troubles: u64,
    /// Of these, told at the next poll.
    pub troubles_told: u64,
    /// Times that its process ended unasked.
    pub kills: u64,
    /// Restarts because of its memory.
    pub memory_restarts: u64,
    /// Stops that never ended.
    pub stops_hung: u64,
    /// Reboots of its computer, as a cure.
    pub reboots: u64,
    /// Histories that were broken off because time did not go on.
    pub broken_off: u64,
    /// Processes that found on their disk something else than what was answered.
    pub wrong_recoveries: u64,
}

impl Tally {
    /// Adds the counts of another history.
    pub fn add(&mut self, other: &Tally) {
        let Tally {
            polls,
            messages,
            false_messages,
            false_9406,
            most_false_9406_a_day,
            polls_in_false_stop,
            told_in_false_stop,
            controls,
            controls_wrongly_refused,
            false_states,
            packs_due,
            packs_done,
            packs_skipped,
            requests,
            requests_during_packs,
            requests_failed,
            requests_wrong,
            requests_while_stopped,
            denied,
            over_granted,
            unknown_ms,
            needless_healing,
            troubles,
            troubles_told,
            kills,
            memory_restarts,
            stops_hung,
            reboots,
            broken_off,
            wrong_recoveries,
        } = self;
        *polls += other.polls;
        *messages += other.messages;
        *false_messages += other.false_messages;
        *false_9406 += other.false_9406;
        *most_false_9406_a_day = (*most_false_9406_a_day).max(other.most_false_9406_a_day);
        *polls_in_false_stop += other.polls_in_false_stop;
        *told_in_false_stop += other.told_in_false_stop;
        *controls += other.controls;
        *controls_wrongly_refused += other.controls_wrongly_refused;
        *false_states += other.false_states;
        *packs_due += other.packs_due;
        *packs_done += other.packs_done;
        *packs_skipped += other.packs_skipped;
        *requests += other.requests;
        *requests_during_packs += other.requests_during_packs;
        *requests_failed += other.requests_failed;
        *requests_wrong += other.requests_wrong;
        *requests_while_stopped += other.requests_while_stopped;
        *denied += other.denied;
        *over_granted += other.over_granted;
        *unknown_ms += other.unknown_ms;
        *needless_healing += other.needless_healing;
        *troubles += other.troubles;
        *troubles_told += other.troubles_told;
        *kills += other.kills;
        *memory_restarts += other.memory_restarts;
        *stops_hung += other.stops_hung;
        *reboots += other.reboots;
        *broken_off += other.broken_off;
        *wrong_recoveries += other.wrong_recoveries;
    }

    /// What no installation may show that never lies; one sentence each.
    pub(crate) fn faults(&self) -> Vec<String> {
        let rows = [
            (self.false_messages, "messages were false"),
            (
                self.controls_wrongly_refused,
                "controls were refused that had to be taken",
            ),
            (self.false_states, "reported states were not so"),
            (self.packs_skipped, "packs were skipped, in part or whole"),
            (
                self.packs_due.abs_diff(self.packs_done),
                "packs are between those due and those done",
            ),
            (self.requests_failed, "requests failed"),
            (self.requests_wrong, "requests were answered wrongly"),
            (self.over_granted, "grants were beyond the seats owned"),
            (self.unknown_ms, "ms passed with a false or unknown verdict"),
            (self.broken_off, "histories were broken off"),
            (
                self.wrong_recoveries,
                "recoveries gave something else than what was answered",
            ),
            (
                self.needless_healing,
                "steps of healing were taken at a server that needed none",
            ),
        ];
        let mut faults: Vec<String> = rows
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        // A history in which nothing happened proves nothing.
        if self.polls == 0 || self.requests == 0 || self.packs_due == 0 || self.controls == 0 {
            faults.push("nothing was polled, asked, packed or controlled".to_owned());
        }
        faults
    }
}
