//! The text of `olixtool -sv`.

use super::Olicense;
use crate::fact::Feature;
use crate::reading::Out;

/// Begins of lines that say nothing of seats.
const OTHER: [&str; 8] = [
    "olixtool ",
    "Copyright",
    "List of requested licenses:",
    "Licenser:",
    "Licensee:",
    "License-ID:",
    "Modules:",
    "Name; LicenseType;",
];

impl Olicense {
    pub(super) fn text_line(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let is_rule = line.chars().all(|letter| letter == '-' || letter == '=');
        if is_rule || OTHER.iter().any(|begin| line.starts_with(begin)) {
            return true;
        }
        if let Some(server) = line.strip_prefix("Server: <") {
            return self.server(server, out);
        }
        if line.starts_with("OlComm ") {
            self.pools.silent(line, out);
            return true;
        }
        let told = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        if let Some(name) = line.strip_prefix("Application:") {
            self.pools.close(out);
            self.application = told(name);
            self.versions = None;
            return true;
        }
        if let Some(versions) = line.strip_prefix("VersionRange:") {
            self.versions = told(versions);
            return true;
        }
        self.locked(line) || self.module(line, out) || self.holder(line)
    }

    /// `192.0.2.97:31212:0> (Proxy: <>)`: the computer, its port, and a number.
    fn server(&mut self, text: &str, out: &mut Out<'_>) -> bool {
        let Some((address, _)) = text.split_once('>') else {
            return false;
        };
        // An address of IPv6 has colons, too.
        let mut parts = address.rsplitn(3, ':');
        let (_, port, host) = (parts.next(), parts.next(), parts.next());
        match (host, port) {
            (Some(host), Some(port)) => self.pools.of_server(&format!("{port}@{host}"), out),
            _ => self.pools.of_server(address, out),
        }
        true
    }

    /// `ftire_adams; FreeFloating; 3; 2022-12-31 23:59:59;`.
    fn module(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let parts: Vec<&str> = line.split(';').map(str::trim).collect();
        let [name, _, count, _, ..] = parts.as_slice() else {
            return false;
        };
        let Ok(count) = count.parse::<u64>() else {
            return false;
        };
        let feature = Feature {
            daemon: self.application.clone(),
            name: (*name).to_owned(),
        };
        let pool = self.pools.begin(feature, out);
        pool.issued = Some(count);
        // Seats in use have lines of their own; a module without such has none in use.
        pool.in_use = Some(0);
        !name.is_empty()
    }

    /// `3 FloatsLockedBy:`, and `1 FloatsLockedBy 'unknown clients'`.
    fn locked(&mut self, line: &str) -> bool {
        let Some((seats, _)) = line.split_once(" FloatsLockedBy") else {
            return false;
        };
        let (Ok(seats), Some(pool)) = (seats.trim().parse::<u64>(), self.pools.open()) else {
            return false;
        };
        pool.in_use = Some(pool.in_use.unwrap_or(0).saturating_add(seats));
        true
    }
}
