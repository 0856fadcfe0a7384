//! Message rules: an ordered list that decides what is done with a message.
//!
//! They work like the status filter rules of SMS 2.0. A rule applies if all its criteria hold; for
//! "or", write two rules. If two rules have the same action, it is done once; if its details differ,
//! those of the rule that stands earlier count.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::catalogue::{CATALOGUE, entry};
use super::grade::{Kind, Severity};
use super::message::Message;

/// The largest number of rules of a site.
const RULES_LIMIT: usize = 200;
/// The longest text in a rule, in bytes.
const TEXT_LIMIT: usize = 1_024;
/// The longest name of a program or webhook, in bytes.
const NAME_LIMIT: usize = 64;

/// One message rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, 1 to 255 bytes.
    pub name: String,
    /// The messages that it applies to; without criteria, to all.
    #[serde(default)]
    pub when: Criteria,
    /// What is done with such a message.
    pub actions: Vec<Action>,
    /// If true, later rules do not apply to a message that this one applies to.
    #[serde(default)]
    pub stop: bool,
}

/// Which messages a rule applies to: those for which every criterion that is given holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// The message is at least as severe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_at_least: Option<Severity>,
    /// The message has this type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The message has one of these numbers; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u16>,
    /// The message belongs to this component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The message is about this metering server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The message was raised on this computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
}

/// How soon a message is passed on to a parent site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// If there is nothing else to send.
    Low,
    /// In the order in which messages were raised.
    Medium,
    /// Before messages of a lower priority.
    High,
}

/// One thing that is done with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Action {
    /// The message is kept in the site database.
    Store {
        /// For how many days, 1 to 3650.
        days: u32,
    },
    /// It is written to the operating system's log.
    SystemLog,
    /// It is passed on to the parent site.
    Forward {
        /// How soon it is sent.
        priority: Priority,
    },
    /// It is sent by HTTP, signed with a secret (HMAC-SHA-256).
    Webhook {
        /// The name of the webhook in the settings of the manager's computer.
        target: String,
    },
    /// It is sent by mail.
    Mail {
        /// The address of the recipient.
        to: String,
    },
    /// A program is run with the message in its environment.
    Run {
        /// The name of the program in the settings of the manager's computer.
        program: String,
        /// After how many seconds the manager ends the program, 1 to 3600.
        timeout_seconds: u32,
    },
    /// The message does not count in summaries.
    DoNotSummarise,
}

/// Why a list of rules is refused, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// The list has more rules than the limit.
    #[error("there are {0} rules; the limit is {RULES_LIMIT}")]
    TooMany(usize),
    /// A rule has a fault.
    #[error("rule {index} (\"{name}\"): {why}")]
    Unsound {
        /// Its place in the list, from 1.
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
    /// [`RuleError`] names the first rule that has a fault.
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

    /// Why the rule can apply to no message, as the end of a sentence: it names a number or a
    /// component that the catalogue does not have. A rule that a newer version stored may do so.
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
                "no message belongs to the component {component:?}; the components are {}",
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

/// Whether two numbers differ only by two adjacent digits that are swapped.
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
                "messages cannot be kept for {days} days: give 1 to 3650"
            )),
            Action::Webhook { target } if !is_name(target) => Some(format!(
                "{} is not a valid name of a webhook: give the name from the settings, 1 to 64 letters, \
                 digits, dots, underscores and dashes",
                quoted(target)
            )),
            Action::Mail { to } if !is_address(to) => Some(format!(
                "{} is not a mail address: give one such as licences@example.org",
                quoted(to)
            )),
            Action::Run { program, .. } if !is_name(program) => Some(format!(
                "{} is not a valid name of a program: give the name from the settings, 1 to 64 letters, \
                 digits, dots, underscores and dashes",
                quoted(program)
            )),
            Action::Run {
                timeout_seconds, ..
            } if !(1..=3_600).contains(timeout_seconds) => Some(format!(
                "a program cannot have a time limit of {timeout_seconds} seconds: give 1 to 3600"
            )),
            _ => None,
        }
    }

    /// Whether both are the same action, which is done once. The same kind of action with another
    /// address, webhook or program is another action.
    fn is_like(&self, other: &Action) -> bool {
        match (self, other) {
            (Action::Webhook { target }, Action::Webhook { target: other }) => target == other,
            (Action::Mail { to }, Action::Mail { to: other }) => to == other,
            (Action::Run { program, .. }, Action::Run { program: other, .. }) => program == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// Whether the text is a mail address and nothing else: it adds no line to a header, and a program
/// does not take it for an option.
pub fn is_address(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c);
    text.len() <= TEXT_LIMIT
        && !text.starts_with('-')
        && !text.contains(is_odd)
        && text
            .split_once('@')
            .is_some_and(|(name, host)| ![name, host].contains(&"") && !host.contains('@'))
}

/// The start of a given text, in quotes: enough to recognise it.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(NAME_LIMIT).collect();
    format!("{shown:?}")
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=NAME_LIMIT).contains(&text.len()) && text.chars().all(is_plain)
}

/// What the rules decide for one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Each action once, with the name of the rule that it comes from.
    pub actions: Vec<(String, Action)>,
}

impl Decision {
    /// For how many days the message is stored; none: it is not stored.
    pub fn store_days(&self) -> Option<u32> {
        self.actions.iter().find_map(|(_, action)| match action {
            Action::Store { days } => Some(*days),
            _ => None,
        })
    }

    /// The actions that `other` does not have.
    #[must_use]
    pub fn beyond(&self, other: &Decision) -> Decision {
        let is_new = |action: &Action| !other.actions.iter().any(|(_, it)| it.is_like(action));
        let new = self.actions.iter().filter(|(_, action)| is_new(action));
        Decision {
            actions: new.cloned().collect(),
        }
    }

    /// Whether the message counts in summaries.
    pub fn is_summarised(&self) -> bool {
        !self
            .actions
            .iter()
            .any(|(_, action)| *action == Action::DoNotSummarise)
    }
}

/// Applies the rules, in their order, to a message.
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

/// The rules of a new site: audit messages are kept for 180 days, all others for 30; errors are also
/// written to the operating system's log.
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
