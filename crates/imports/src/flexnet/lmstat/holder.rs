//! Who a line names: user, computer and display stand side by side, and each may hold blanks.

use std::collections::BTreeSet;

use crate::fact::Holder;

/// Computers that are remembered; further ones are not.
const HOSTS_LIMIT: usize = 50_000;

/// The computers of lines that leave no doubt; they tell where names end in others.
#[derive(Debug, Default)]
pub(super) struct Hosts(BTreeSet<String>);

impl Hosts {
    fn learn(&mut self, host: &str) {
        if self.0.len() < HOSTS_LIMIT && !self.0.contains(host) {
            self.0.insert(host.to_owned());
        }
    }

    /// Splits `USER HOST [DISPLAY ...]`. The computer is, in this order: what follows a user in quotes;
    /// the word that the next repeats (`pc7 pc7:0.0`); the word before a terminal (`/dev/pts/0`, `:0`);
    /// the second of three or two words; a computer of another line; the last word but one at the most
    /// that can be a computer's name; the second word. None: fewer than two words.
    pub(super) fn split(&mut self, who: &str) -> Option<Holder> {
        if let Some((user, rest)) = quoted_user(who) {
            let (host, display) = rest.split_once(' ').unwrap_or((rest, ""));
            return Some(holder(user, host, display));
        }
        let words = words(who);
        let text = |at: usize| {
            words
                .get(at)
                .and_then(|(from, to)| who.get(*from..*to))
                .unwrap_or("")
        };
        let last = words.len().checked_sub(1)?;
        if last == 0 {
            return None;
        }
        let certain = (1..last)
            .find(|at| repeats(text(*at), text(at + 1)))
            .or_else(|| (1..last).find(|at| is_terminal(text(at + 1))))
            .or((last <= 2).then_some(1));
        if let Some(at) = certain {
            self.learn(text(at));
        }
        let at = certain
            .or_else(|| (1..last).find(|at| self.0.contains(text(*at))))
            .or_else(|| (1..last).rev().find(|at| can_be_a_host(text(*at))))
            .unwrap_or(1);
        let (from, to) = words.get(at).copied()?;
        Some(holder(who.get(..from)?, who.get(from..to)?, who.get(to..)?))
    }
}

fn holder(user: &str, host: &str, display: &str) -> Holder {
    let display = display.trim();
    Holder {
        user: user.trim().to_owned(),
        host: host.trim().to_owned(),
        display: (!display.is_empty()).then(|| display.to_owned()),
    }
}

/// `"USER" REST`.
fn quoted_user(who: &str) -> Option<(&str, &str)> {
    let (user, rest) = who.strip_prefix('"')?.split_once("\" ")?;
    let rest = rest.trim();
    (!user.is_empty() && !rest.is_empty()).then_some((user, rest))
}

/// Where each word begins and ends, in bytes.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut begun = None;
    for (at, letter) in text.char_indices() {
        match (letter.is_whitespace(), begun) {
            (true, Some(from)) => {
                words.push((from, at));
                begun = None;
            }
            (false, None) => begun = Some(at),
            _ => (),
        }
    }
    if let Some(from) = begun {
        words.push((from, text.len()));
    }
    words
}

/// Whether a display names the computer before it: `pc7`, `PC7:0.0`, `pc70.0`, `pc7.example.org:1`.
fn repeats(host: &str, display: &str) -> bool {
    let (host, display) = (host.to_lowercase(), display.to_lowercase());
    let behind = display.strip_prefix(host.as_str());
    can_be_a_host(&host)
        && behind
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '.']) || rest == "0.0")
}

fn is_terminal(display: &str) -> bool {
    display.starts_with("/dev/") || display.starts_with(':') || display == "tty"
}

fn can_be_a_host(word: &str) -> bool {
    word.chars()
        .all(|letter| letter.is_alphanumeric() || ['-', '_', '.'].contains(&letter))
}
