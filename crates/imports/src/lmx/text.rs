//! The text of `lmxendutil -licstat`.

use super::{Lmx, seats};
use crate::asked::{self, labelled};
use crate::fact::Feature;
use crate::instant;
use crate::reading::Out;

/// Begins of lines that say nothing of seats.
const OTHER: [&str; 9] = [
    "LM-X End-user Utility",
    "LM-X license server",
    "Altair License",
    "Copyright",
    "Server version:",
    "Start date:",
    "Key type:",
    "Shared on ",
    "License sharing:",
];

/// Begins of lines that say that a server tells nothing.
const SILENT: [&str; 3] = ["There are no license server", "Error", "ERROR"];

impl Lmx {
    pub(super) fn text_line(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let is_rule = line.chars().all(|letter| letter == '-' || letter == '+');
        if is_rule || OTHER.iter().any(|begin| line.starts_with(begin)) {
            return true;
        }
        if let Some(server) = line.strip_prefix("LM-X License Server on ") {
            self.pools.of_server(server.trim_end_matches(':'), out);
            return true;
        }
        if SILENT.iter().any(|begin| line.starts_with(begin)) {
            self.pools.silent(line, out);
            return true;
        }
        self.feature(line, out) || self.used(line) || self.holder(line) || self.times(line)
    }

    /// `Feature: NAME Version: 1.0 Vendor: ALTAIR`.
    fn feature(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        if !line.starts_with("Feature:") {
            return false;
        }
        let next = [" Version:", " Vendor:"];
        let Some(name) = labelled(line, "Feature:", &next).filter(|name| !name.is_empty()) else {
            return false;
        };
        let told = |label| {
            let text = labelled(line, label, &next)?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        self.version = told(" Version:");
        let feature = Feature {
            daemon: told(" Vendor:"),
            name: name.to_owned(),
        };
        self.pools.begin(feature, out);
        true
    }

    /// `40000 of 1000003 license(s) used:`.
    fn used(&mut self, line: &str) -> bool {
        let Some((numbers, rest)) = line.split_once(" license(s) used") else {
            return false;
        };
        if !rest.trim_end_matches(':').is_empty() {
            return false;
        }
        let Some((used, all)) = numbers.split_once(" of ") else {
            return false;
        };
        let (Ok(used), Some(pool)) = (used.trim().parse::<u64>(), self.pools.open()) else {
            return false;
        };
        let all = match all.trim().parse::<u64>() {
            Ok(all) => seats(all),
            Err(_) if all.trim().eq_ignore_ascii_case("unlimited") => None,
            Err(_) => return false,
        };
        pool.in_use = Some(used);
        pool.issued = all;
        true
    }

    /// `15000 license(s) used by ann@pc1 [192.0.2.1]`.
    fn holder(&mut self, line: &str) -> bool {
        let Some((seats, who)) = line.split_once(" license(s) used by ") else {
            return false;
        };
        let who = match who.rsplit_once(" [") {
            Some((who, _)) => who,
            None => who,
        };
        let (Ok(seats), Some((user, host))) = (seats.trim().parse(), asked::user_at_host(who))
        else {
            return false;
        };
        let held = asked::held(user, host, seats, self.version.as_deref());
        self.pools.hold(held)
    }

    /// `Login time: 2022-02-18 09:26   Checkout time: 2022-02-18 09:29`, of the holder above.
    fn times(&mut self, line: &str) -> bool {
        const LABELS: [&str; 3] = ["Login time:", "Checkout time:", "Borrow expire time:"];
        if !LABELS.iter().any(|label| line.starts_with(label)) {
            return false;
        }
        let told = |label| labelled(line, label, &LABELS).and_then(instant::year_first);
        let since = self
            .pools
            .instant(told("Checkout time:").or(told("Login time:")));
        let borrowed = self.pools.instant(told("Borrow expire time:"));
        let Some(held) = self.pools.last_held() else {
            return false;
        };
        held.since = since.or(held.since);
        held.borrowed_until = borrowed.or(held.borrowed_until);
        since.is_some() || borrowed.is_some()
    }
}
