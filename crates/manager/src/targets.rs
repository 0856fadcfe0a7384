//! The programs and webhooks that message rules may name. Only who writes the settings of this
//! computer's manager says what is run and where secrets are: who has the manager's token names
//! them, and cannot add one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use usher_core::messages::{Action, Rule};

/// The longest name of a target, in bytes.
const NAME_LIMIT: usize = 64;

/// The destination of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Webhook {
    /// Its URL.
    pub url: String,
    /// The file that holds the secret by which it is signed.
    pub secret_file: PathBuf,
}

/// What the administrator of this computer has named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    programs: BTreeMap<String, Vec<String>>,
    webhooks: BTreeMap<String, Webhook>,
}

/// An action with a message outside of the site database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Errand {
    SystemLog,
    Webhook(Webhook),
    Mail {
        to: String,
    },
    Run {
        command: Vec<String>,
        timeout_seconds: u32,
    },
    /// The action names an unknown program or webhook.
    Unknown(String),
}

/// A stored action that names a program or webhook itself, as rules once did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unnamed {
    pub(crate) rule: String,
    /// What it does, in words for people.
    pub(crate) does: String,
    /// The line of the settings file that names it.
    pub(crate) setting: String,
}

impl Targets {
    /// From settings: `NAME=PROGRAM ARGUMENT...` and `NAME=URL SECRET_FILE`.
    ///
    /// # Errors
    /// The first that is not so.
    pub fn parse(programs: &[String], webhooks: &[String]) -> Result<Targets, String> {
        let mut targets = Targets::default();
        for setting in programs {
            let (name, words) = named("--message-program", setting)?;
            let command: Vec<String> = words.map(str::to_owned).collect();
            if !command
                .first()
                .is_some_and(|program| program.starts_with('/'))
            {
                return Err(format!(
                    "--message-program {setting:?} does not name a program by its path from / on"
                ));
            }
            if targets.programs.insert(name.clone(), command).is_some() {
                return Err(format!("--message-program names {name} twice"));
            }
        }
        for setting in webhooks {
            let (name, mut words) = named("--message-webhook", setting)?;
            let (Some(url), Some(file), None) = (words.next(), words.next(), words.next()) else {
                return Err(format!(
                    "--message-webhook {setting:?} is not NAME=URL SECRET_FILE"
                ));
            };
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err(format!(
                    "--message-webhook {name}: its URL must begin with https:// or http://"
                ));
            }
            let webhook = Webhook {
                url: url.to_owned(),
                secret_file: file.into(),
            };
            if targets.webhooks.insert(name.clone(), webhook).is_some() {
                return Err(format!("--message-webhook names {name} twice"));
            }
        }
        Ok(targets)
    }

    /// The errand for an action outside of the site database.
    pub(crate) fn errand(&self, action: Action) -> Option<Errand> {
        Some(match action {
            Action::Store { .. } | Action::DoNotSummarise | Action::Forward { .. } => return None,
            Action::SystemLog => Errand::SystemLog,
            Action::Mail { to } => Errand::Mail { to },
            Action::Webhook { target } => match self.webhooks.get(&target) {
                Some(webhook) => Errand::Webhook(webhook.clone()),
                None => Errand::Unknown(self.no_webhook(&target)),
            },
            Action::Run {
                program,
                timeout_seconds,
            } => match self.programs.get(&program) {
                Some(command) => Errand::Run {
                    command: command.clone(),
                    timeout_seconds,
                },
                None => Errand::Unknown(self.no_program(&program)),
            },
        })
    }

    /// Why rules are refused that name an unknown program or webhook; none: they name none.
    pub(crate) fn missing(&self, rules: &[Rule]) -> Option<String> {
        let actions = rules.iter().flat_map(|rule| &rule.actions);
        actions
            .cloned()
            .find_map(|action| match self.errand(action) {
                Some(Errand::Unknown(why)) => Some(why),
                _ => None,
            })
    }

    fn no_webhook(&self, name: &str) -> String {
        missing("webhook", name, self.webhooks.keys())
    }

    fn no_program(&self, name: &str) -> String {
        missing("program", name, self.programs.keys())
    }

    /// Stored rules, as they were written by any version. An action that names a program or webhook
    /// itself becomes one that refers to what has that content here; if nothing has, it is left
    /// out and told of.
    pub(crate) fn read_rules(&self, text: &str) -> serde_json::Result<(Vec<Rule>, Vec<Unnamed>)> {
        let mut rules: Value = serde_json::from_str(text)?;
        let mut unnamed = Vec::new();
        for rule in rules.as_array_mut().into_iter().flatten() {
            let name = rule["name"].as_str().unwrap_or_default().to_owned();
            let Some(actions) = rule.get_mut("actions").and_then(Value::as_array_mut) else {
                continue;
            };
            actions.retain_mut(|action| match self.refer(action) {
                Ok(()) => true,
                Err((does, setting)) => {
                    unnamed.push(Unnamed {
                        rule: name.clone(),
                        does,
                        setting,
                    });
                    false
                }
            });
        }
        Ok((serde_json::from_value(rules)?, unnamed))
    }

    /// Converts an action of an early rule to one that names a target; the error says what it does
    /// and how to name it, if no target has that content.
    fn refer(&self, action: &mut Value) -> Result<(), (String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if action.get("url").is_some() {
            let (url, file) = (text(&action["url"]), text(&action["secret_file"]));
            let is_it = |it: &Webhook| it.url == url && it.secret_file.as_os_str() == file.as_str();
            let known = self.webhooks.iter().find(|(_, webhook)| is_it(webhook));
            let (name, _) = known.ok_or_else(|| {
                (
                    format!("sends to {url}"),
                    format!("message-webhook = [\"NAME={url} {file}\"]"),
                )
            })?;
            *action = serde_json::json!({ "do": "webhook", "target": name });
        } else if let Some(words) = action.get("command").and_then(Value::as_array) {
            let command: Vec<String> = words.iter().map(text).collect();
            let known = self.programs.iter().find(|(_, it)| **it == command);
            let (name, _) = known.ok_or_else(|| {
                let line = command.join(" ");
                (
                    format!("runs {line}"),
                    format!("message-program = [\"NAME={line}\"]"),
                )
            })?;
            *action = serde_json::json!({
                "do": "run", "program": name, "timeout_seconds": action["timeout_seconds"],
            });
        }
        Ok(())
    }
}

fn named<'a>(
    option: &str,
    setting: &'a str,
) -> Result<(String, std::str::SplitAsciiWhitespace<'a>), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match setting.split_once('=') {
        Some((name, rest))
            if (1..=NAME_LIMIT).contains(&name.len()) && name.chars().all(is_plain) =>
        {
            Ok((name.to_owned(), rest.split_ascii_whitespace()))
        }
        _ => Err(format!(
            "{option} {setting:?} does not begin with NAME=, a name of letters, digits, dots and dashes"
        )),
    }
}

fn missing<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let known = match known.is_empty() {
        true => "none is".to_owned(),
        false => format!("these are: {}", known.join(", ")),
    };
    format!(
        "no {kind} {name:?} is named in the settings of the manager's computer ({known}): its \
         administrator adds message-{kind} = [\"{name}=...\"] to /etc/usher/usher.toml and restarts \
         the manager"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Targets {
        Targets::parse(
            &["page=/usr/local/bin/page --urgent".to_owned()],
            &["chat=https://chat.example/usher /etc/usher/chat.secret".to_owned()],
        )
        .unwrap()
    }

    const OLD: &str = r#"[
        {"name": "a", "actions": [
            {"do": "run", "command": ["/usr/local/bin/page", "--urgent"], "timeout_seconds": 5},
            {"do": "webhook", "url": "https://chat.example/usher",
             "secret_file": "/etc/usher/chat.secret"}]},
        {"name": "b", "actions": [
            {"do": "run", "command": ["/bin/other"], "timeout_seconds": 5},
            {"do": "store", "days": 7}]}]"#;

    #[test]
    fn rules_of_before_refer_to_what_is_named_and_the_rest_is_told_of() {
        let (rules, unnamed) = targets().read_rules(OLD).unwrap();
        let expected = [
            Action::Run {
                program: "page".to_owned(),
                timeout_seconds: 5,
            },
            Action::Webhook {
                target: "chat".to_owned(),
            },
        ];
        assert_eq!(rules[0].actions, expected);
        assert_eq!(rules[1].actions, [Action::Store { days: 7 }]);
        assert_eq!((unnamed.len(), &*unnamed[0].rule), (1, "b"));
        assert_eq!(
            unnamed[0].setting,
            "message-program = [\"NAME=/bin/other\"]"
        );
        let now = serde_json::to_string(&rules).unwrap();
        assert_eq!(targets().read_rules(&now).unwrap(), (rules, Vec::new()));
        let (none, unnamed) = Targets::default().read_rules(OLD).unwrap();
        assert!(none[0].actions.is_empty());
        assert_eq!(unnamed.len(), 3);
    }

    #[test]
    fn a_rule_can_name_only_what_there_is() {
        let rule = |action| Rule {
            name: "r".to_owned(),
            when: Default::default(),
            actions: vec![action],
            stop: false,
        };
        let run = |program: &str| {
            rule(Action::Run {
                program: program.to_owned(),
                timeout_seconds: 1,
            })
        };
        assert_eq!(targets().missing(&[run("page")]), None);
        let why = targets().missing(&[run("/bin/sh")]).unwrap();
        for word in ["/bin/sh", "page", "message-program", "usher.toml"] {
            assert!(why.contains(word), "{why}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let wrong = [
            Targets::parse(&["page".to_owned()], &[]),
            Targets::parse(&["page=page".to_owned()], &[]),
            Targets::parse(&["a b=/bin/true".to_owned()], &[]),
            Targets::parse(&["a=/bin/true".to_owned(), "a=/bin/true".to_owned()], &[]),
            Targets::parse(&[], &["chat=https://chat.example".to_owned()]),
            Targets::parse(&[], &["chat=ftp://chat.example /s".to_owned()]),
        ];
        assert!(wrong.iter().all(Result::is_err), "{wrong:?}");
    }
}
