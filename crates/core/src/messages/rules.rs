//! Message rules, in order: what is done with a message.
//!
//! As SMS 2.0's status filter rules: criteria of one rule all hold (OR is two rules); the same
//! action of two rules is done once, and where they differ the higher rule wins.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::catalogue::{CATALOGUE, entry};
use super::grade::{Kind, Severity};
use super::message::Message;

/// Most rules of a site.
const RULES_LIMIT: usize = 200;
/// Longest text in a rule, in bytes.
const TEXT_LIMIT: usize = 1_024;
/// Longest name of a program or webhook, in bytes.
const NAME_LIMIT: usize = 64;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, for people.
    pub name: String,
    /// Which messages it is for; nothing given: all.
    #[serde(default)]
    pub when: Criteria,
    /// What is done.
    pub actions: Vec<Action>,
    /// No rule below it is looked at.
    #[serde(default)]
    pub stop: bool,
}

/// Which messages; what is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// As severe as this, or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_at_least: Option<Severity>,
    /// Of this type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// One of these numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u16>,
    /// Of this component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// About this metering server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Raised on this computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
}

/// How soon a message is passed on to a parent site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is nothing else to send.
    Low,
    /// In its turn.
    Medium,
    /// Before others.
    High,
}

/// What may be done with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Action {
    /// Kept in the site database.
    Store {
        /// For so many days.
        days: u32,
    },
    /// Written to the operating system's log.
    SystemLog,
    /// Passed on to the parent site.
    Forward {
        /// How soon.
        priority: Priority,
    },
    /// Sent by HTTP, signed by HMAC-SHA-256 with a secret.
    Webhook {
        /// Which one, by the name that the settings of the manager's computer give it.
        target: String,
    },
    /// Sent by mail.
    Mail {
        /// To whom.
        to: String,
    },
    /// A program is run with the message in its environment.
    Run {
        /// Which one, by the name that the settings of the manager's computer give it.
        program: String,
        /// It is ended after so many seconds.
        timeout_seconds: u32,
    },
    /// It does not count in summaries.
    DoNotSummarise,
}

/// Why rules are not taken, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// There are too many.
    #[error("there are {0} rules, at most {RULES_LIMIT} are taken")]
    TooMany(usize),
    /// One is not sound.
    #[error("rule {index} (\"{name}\"): {why}")]
    Unsound {
        /// Which, from 1.
        index: usize,
        /// The name of the rule.
        name: String,
        /// What is wrong.
        why: String,
    },
}

impl Rule {
    /// Checks a site's rules.
    ///
    /// # Errors
    /// [`RuleError`] names the first that is not sound.
    pub fn check_all(rules: &[Rule]) -> Result<(), RuleError> {
        if rules.len() > RULES_LIMIT {
            return Err(RuleError::TooMany(rules.len()));
        }
        for (index, rule) in rules.iter().enumerate() {
            if let Some(why) = rule.unsound() {
                return Err(RuleError::Unsound {
                    index: index + 1,
                    name: rule.name.clone(),
                    why,
                });
            }
        }
        Ok(())
    }

    /// Why no message can be one that the rule is for, as the end of a sentence: a number or a
    /// component that none has. Rules that a newer version has kept may name such.
    pub fn names_none(&self) -> Option<String> {
        if let Some(id) = self.when.ids.iter().find(|id| !is_number(**id)) {
            let numbers = CATALOGUE.iter().map(|entry| entry.id);
            let near =
                numbers.min_by_key(|known| (!is_swapped(*known, *id), known.abs_diff(*id), *known));
            let near = near.unwrap_or_default();
            return Some(format!(
                "no message has the number {id}; the nearest is {near}: {}",
                entry(near).meaning
            ));
        }
        let component = self.when.component.as_deref()?;
        let known: BTreeSet<&str> = CATALOGUE.iter().map(|entry| entry.component).collect();
        (!known.contains(component)).then(|| {
            let known: Vec<&str> = known.into_iter().collect();
            format!(
                "no message is of the component {component:?}; there are {}",
                known.join(", ")
            )
        })
    }

    fn unsound(&self) -> Option<String> {
        if self.name.is_empty() || self.name.len() > 255 {
            return Some("a name has 1 to 255 bytes".to_owned());
        }
        if self.actions.is_empty() && !self.stop {
            return Some("it does nothing".to_owned());
        }
        self.actions.iter().find_map(Action::unsound)
    }

    fn is_for(&self, message: &Message) -> bool {
        let entry = message.entry();
        let when = &self.when;
        when.severity_at_least
            .is_none_or(|least| entry.severity >= least)
            && when.kind.is_none_or(|kind| entry.kind == kind)
            && (when.ids.is_empty() || when.ids.contains(&message.id))
            && when.component.as_deref().is_none_or(|it| entry.is_of(it))
            && when.server.is_none_or_eq(message.server.as_deref())
            && when.computer.is_none_or_eq(Some(&message.computer))
    }
}

/// Whether two numbers differ only in two digits that stand beside each other and are swapped.
fn is_swapped(one: u16, other: u16) -> bool {
    let (one, other) = (one.to_string().into_bytes(), other.to_string().into_bytes());
    let swapped = |at: usize| {
        let mut digits = one.clone();
        digits.swap(at, at + 1);
        digits == other
    };
    one != other && (1..one.len()).any(|at| swapped(at - 1))
}

fn is_number(id: u16) -> bool {
    CATALOGUE
        .binary_search_by_key(&id, |entry| entry.id)
        .is_ok()
}

trait NoneOrEq {
    fn is_none_or_eq(&self, other: Option<&str>) -> bool;
}

impl NoneOrEq for Option<String> {
    fn is_none_or_eq(&self, other: Option<&str>) -> bool {
        self.as_deref().is_none_or(|it| Some(it) == other)
    }
}

impl Action {
    fn unsound(&self) -> Option<String> {
        match self {
            Action::Store { days } if !(1..=3_650).contains(days) => Some(format!(
                "{days} is no number of days to keep messages: give 1 to 3650"
            )),
            Action::Webhook { target } if !is_name(target) => Some(format!(
                "{} is no name of a webhook: give one as in the settings, of 1 to 64 letters, digits, \
                 dots and dashes",
                quoted(target)
            )),
            Action::Mail { to } if !is_address(to) => Some(format!(
                "{} is no address of mail: give one such as licences@example.org",
                quoted(to)
            )),
            Action::Run { program, .. } if !is_name(program) => Some(format!(
                "{} is no name of a program: give one as in the settings, of 1 to 64 letters, \
                 digits, dots and dashes",
                quoted(program)
            )),
            Action::Run {
                timeout_seconds, ..
            } if !(1..=3_600).contains(timeout_seconds) => Some(format!(
                "{timeout_seconds} is no number of seconds that a program may run: give 1 to 3600"
            )),
            _ => None,
        }
    }

    /// Whether both do the same sort of thing: then it is done once. Two addresses are two things.
    fn is_like(&self, other: &Action) -> bool {
        match (self, other) {
            (Action::Webhook { target }, Action::Webhook { target: other }) => target == other,
            (Action::Mail { to }, Action::Mail { to: other }) => to == other,
            (Action::Run { program, .. }, Action::Run { program: other, .. }) => program == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// Whether mail can be sent there, and nothing but the address can be meant by it: neither a second
/// line of a header nor an option of a program.
pub fn is_address(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c);
    text.len() <= TEXT_LIMIT
        && !text.starts_with('-')
        && !text.contains(is_odd)
        && text
            .split_once('@')
            .is_some_and(|(name, host)| ![name, host].contains(&"") && !host.contains('@'))
}

/// What somebody has given, as far as it is needed to know it again.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(NAME_LIMIT).collect();
    format!("{shown:?}")
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=NAME_LIMIT).contains(&text.len()) && text.chars().all(is_plain)
}

/// What is done with one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Each action once, with the name of the rule that says so.
    pub actions: Vec<(String, Action)>,
}

impl Decision {
    /// For how many days it is kept; none: not at all.
    pub fn store_days(&self) -> Option<u32> {
        self.actions.iter().find_map(|(_, action)| match action {
            Action::Store { days } => Some(*days),
            _ => None,
        })
    }

    /// What it does that another one does not.
    #[must_use]
    pub fn beyond(&self, other: &Decision) -> Decision {
        let is_new = |action: &Action| !other.actions.iter().any(|(_, it)| it.is_like(action));
        let new = self.actions.iter().filter(|(_, action)| is_new(action));
        Decision {
            actions: new.cloned().collect(),
        }
    }

    /// Whether it counts in summaries.
    pub fn is_summarised(&self) -> bool {
        !self
            .actions
            .iter()
            .any(|(_, action)| *action == Action::DoNotSummarise)
    }
}

/// What becomes of a message by these rules.
pub fn decide(rules: &[Rule], message: &Message) -> Decision {
    let mut decision = Decision::default();
    for rule in rules.iter().filter(|rule| rule.is_for(message)) {
        for action in &rule.actions {
            let known = decision.actions.iter().any(|(_, it)| it.is_like(action));
            if !known {
                decision.actions.push((rule.name.clone(), action.clone()));
            }
        }
        if rule.stop {
            break;
        }
    }
    decision
}

/// The rules of a new site: audit for half a year, everything else a month; errors into the
/// system's log.
pub fn default_rules() -> Vec<Rule> {
    let rule = |name: &str, when, actions| Rule {
        name: name.to_owned(),
        when,
        actions,
        stop: false,
    };
    vec![
        rule(
            "audit",
            Criteria {
                kind: Some(Kind::Audit),
                ..Criteria::default()
            },
            vec![Action::Store { days: 180 }],
        ),
        rule(
            "errors",
            Criteria {
                severity_at_least: Some(Severity::Error),
                ..Criteria::default()
            },
            vec![Action::SystemLog],
        ),
        rule(
            "everything",
            Criteria::default(),
            vec![Action::Store { days: 30 }],
        ),
    ]
}
