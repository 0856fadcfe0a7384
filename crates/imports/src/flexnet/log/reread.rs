//! Which daemons read their files again: then they list their features as they do at a start, with
//! `Server started on`, and what was checked out stays so.

use std::collections::BTreeSet;

use super::life;

/// Daemons that are followed; a server has at most some dozens.
const DAEMONS_LIMIT: usize = 64;

/// The daemons that are reading their files again.
#[derive(Debug, Default)]
pub(super) struct Rereads {
    daemons: BTreeSet<String>,
}

impl Rereads {
    /// A daemon says that it reads its files again.
    pub(super) fn begins(&mut self, daemon: &str) {
        if self.daemons.len() < DAEMONS_LIMIT {
            self.daemons.insert(daemon.to_owned());
        }
    }

    /// Takes in any message: one of a process that is new, or has read its files, ends it.
    pub(super) fn hear(&mut self, daemon: &str, message: &str) {
        if self.daemons.is_empty() {
            return;
        }
        let starts = |text: &str| {
            let start = message.get(..text.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(text))
        };
        if life::is_manager(daemon) {
            let mut words = message.split_whitespace();
            let first = words.next().unwrap_or_default();
            if matches!(first, "Started" | "REStarted") {
                self.daemons.remove(words.next().unwrap_or_default());
            }
        } else if starts("FlexNet Licensing version") || starts("...Finished rereading") {
            self.daemons.remove(daemon);
        }
    }

    /// Whether that daemon reads its files again.
    pub(super) fn is_by(&self, daemon: &str) -> bool {
        self.daemons.contains(daemon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_reads_until_it_says_so_or_is_a_new_process() {
        for (daemon, end) in [
            ("d", "...Finished rereading"),
            ("d", "FLEXnet Licensing version v11.18.0.0 build 1 x64_n6"),
            ("lmgrd", "Started d (pid 4440)"),
            ("lmgrd", "REStarted d (internet tcp_port 45413 pid 177)"),
        ] {
            let mut rereads = Rereads::default();
            rereads.begins("d");
            for (other, message) in [("e", end), ("lmgrd", "Started e (pid 1)"), ("d", "f g")] {
                rereads.hear(other, message);
            }
            assert!(rereads.is_by("d") && !rereads.is_by("e"));
            rereads.hear(daemon, end);
            assert!(!rereads.is_by("d"), "{daemon} {end}");
        }
    }
}
