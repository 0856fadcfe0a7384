//! Rules as people read them, and what waits for whom.

use usher_api::Delivery;
use usher_core::messages::{Action, Criteria, Rule, Severity};

use super::All;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::eprintln_quiet;
use crate::output::{Table, counted, line, print_json, tame};
use crate::time;

pub(super) fn show(all: &All, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(all);
    }
    if all.items.is_empty() {
        return line("There are no rules: messages are neither kept nor sent.");
    }
    let mut table = Table::new(&["RULE", "FOR", "DOES"]);
    for rule in &all.items {
        let mut does: Vec<String> = rule.actions.iter().map(action).collect();
        does.extend(rule.stop.then(|| "stops here".to_owned()));
        table.row([tame(&rule.name), criteria(&rule.when), does.join("; ")]);
    }
    table.print()?;
    if let Some(why) = all.mail_why_not.as_ref().filter(|_| mails(&all.items)) {
        eprintln_quiet(&format!("Note: no mail can go out: {}.", tame(why)));
    }
    Ok(())
}

/// Whether any of them sends mails.
fn mails(rules: &[Rule]) -> bool {
    let mut actions = rules.iter().flat_map(|rule| &rule.actions);
    actions.any(|action| matches!(action, Action::Mail { .. }))
}

/// Prints for which destinations messages wait, and why.
pub(super) fn waiting(deliveries: &[Delivery]) -> Result<(), Failure> {
    for it in deliveries {
        line(waits(it))?;
    }
    Ok(())
}

/// What waits for one destination, since when nothing goes through and why: each a sentence.
fn waits(it: &Delivery) -> String {
    let to = tame(&it.destination);
    let mut said = match it.waiting {
        0 => format!("Nothing waits for {to}."),
        1 => format!("1 message waits for {to}."),
        many => format!("{many} messages wait for {to}."),
    };
    if let Some(why) = &it.why {
        let since = time::local_or_dash(it.failing_since);
        said += &format!(
            " Every try since {since} has failed: {}.",
            tame(why).trim_end_matches('.')
        );
    }
    if let Some(at) = it.why.as_ref().and(it.next_at) {
        said += &format!(" The next try is at {}.", time::local(at));
    }
    said += &match it.given_up {
        0 => String::new(),
        1 => " 1 message was given up.".to_owned(),
        many => format!(" {many} messages were given up."),
    };
    said
}

fn criteria(when: &Criteria) -> String {
    let ids: Vec<String> = when.ids.iter().map(u16::to_string).collect();
    let named = |what: &str, value: &Option<String>| {
        value
            .as_ref()
            .map(|value| format!("{what} {}", tame(value)))
    };
    let said: Vec<String> = [
        when.severity_at_least.map(|least| match least {
            Severity::Error => "errors".to_owned(),
            least => format!("{} or worse", least.name()),
        }),
        when.kind.map(|kind| format!("type {}", kind.name())),
        (!ids.is_empty()).then(|| ids.join(" or ")),
        named("component", &when.component),
        named("about", &when.server),
        named("on", &when.computer),
    ]
    .into_iter()
    .flatten()
    .collect();
    match said.is_empty() {
        true => "all".to_owned(),
        false => said.join(", "),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Store { days } => format!("keep {}", counted((*days).into(), "day")),
        Action::SystemLog => "system log".to_owned(),
        Action::Forward { .. } => "forward".to_owned(),
        Action::Webhook { target } => format!("webhook {}", tame(target)),
        Action::Mail { to } => format!("mail {}", tame(to)),
        Action::Run { program, .. } => format!("run {}", tame(program)),
        Action::DoNotSummarise => "not in summaries".to_owned(),
    }
}

#[cfg(test)]
mod tests;
