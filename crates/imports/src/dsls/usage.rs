//! The text of `getLicenseUsage -all`: a line for each feature, and below it one for each use.

use super::Dsls;
use crate::asked::{self, labelled};
use crate::fact::{Feature, Held};
use crate::instant;
use crate::reading::Out;

/// Labels of a use's line, each of which ends what stands before it.
const LABELS: [&str; 12] = [
    "internal Id:",
    "granted since:",
    "granted at:",
    "last used at:",
    "by user:",
    "on host:",
    "by process:",
    "active process:",
    "client code version:",
    "session Id:",
    "tokens:",
    "queue position:",
];

/// Begins of lines that say nothing of seats.
const OTHER: [&str; 8] = [
    "Software version",
    "Build number",
    "Standalone mode",
    "Failover mode",
    "Ready:",
    "License server",
    "Warning",
    "Server version",
];

impl Dsls {
    pub(super) fn usage_line(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        // After the prompt stands a command, or what the one before printed.
        let (is_prompt, line) = match line.strip_prefix("admin >") {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if line.is_empty() || OTHER.iter().any(|begin| line.starts_with(begin)) {
            return true;
        }
        if let Some(rest) = line.strip_prefix("Server name:") {
            let name = rest.split_whitespace().next().unwrap_or_default();
            self.pools.of_server(name, out);
            return true;
        }
        if let Some(rest) = line.strip_prefix("Editor:") {
            let name = rest.split(", ").next().unwrap_or_default().trim();
            self.pools.close(out);
            self.editor = (!name.is_empty()).then(|| name.to_owned());
            return true;
        }
        if line.starts_with("Error") || line.starts_with("Cannot ") {
            self.pools.silent(line, out);
            return true;
        }
        self.feature(line, out) || self.used(line) || is_prompt
    }

    /// `XM2-FTA maxReleaseNumber: 9 ... count: 2 inuse: 1 customerId: 200`.
    fn feature(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let Some((name, rest)) = line.split_once("maxReleaseNumber:") else {
            return false;
        };
        // Another label may end with the same word.
        let number = |label: &str| {
            let (_, value) = rest.rsplit_once(label)?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        let (issued, in_use) = (number(" count:"), number(" inuse:"));
        let feature = Feature {
            daemon: self.editor.clone(),
            name: name.trim().to_owned(),
        };
        let is_named = !feature.name.is_empty();
        let pool = self.pools.begin(feature, out);
        pool.issued = issued;
        pool.in_use = in_use;
        is_named && issued.is_some() && in_use.is_some()
    }

    /// `internal Id: XM2-FTA granted since: ... last used at: ... by user: ann on host: PC1 (4C0)/192.0.2.1`.
    fn used(&mut self, line: &str) -> bool {
        let told = |label| labelled(line, label, &LABELS).filter(|value| !value.is_empty());
        let (Some(user), Some(host)) = (told("by user:"), told("on host:")) else {
            return false;
        };
        let host = host_of(host);
        let seats = match told("tokens:").map(str::parse::<u32>) {
            None => 1,
            Some(Ok(seats)) => seats,
            Some(Err(_)) => return false,
        };
        if told("queue position:").is_some() {
            return self.pools.wait(asked::holder(user, host), seats);
        }
        // Dates are written as the computer's language has them; one that is not known is left out.
        let since = told("granted since:").or_else(|| told("granted at:"));
        let since = self.pools.instant(since.and_then(instant::any_form));
        self.pools.hold(Held {
            since,
            ..asked::held(user, host, seats, None)
        })
    }
}

/// `PC1 (4C01-AB.0)/192.0.2.1` without the computer's id and address.
pub(super) fn host_of(text: &str) -> &str {
    let end = text.find([' ', '(', '/', '|']).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}
