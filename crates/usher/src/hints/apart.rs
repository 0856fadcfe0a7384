//! Values that people type separated from their options.

use clap::Command;

use super::Hint;
use crate::output::quoted;
use crate::time;

/// How many words a time can have, such as `3 days ago`.
const WORDS: usize = 4;
/// The value names of options that take times.
const TIMES: [&str; 3] = ["TIME", "PERIOD", "DATE"];

/// A hint for a duration that follows `--wait` after a blank: it is then not the option's value.
pub(super) fn wait(words: &[&str], command: &Command) -> Option<Hint> {
    let mut of_wait = command.get_arguments();
    of_wait.find(|arg| arg.get_long() == Some("wait"))?;
    let mut pairs = words.windows(2);
    let pair = pairs.find(|pair| pair[0] == "--wait" && time::duration(pair[1]).is_ok())?;
    Hint::new(
        format!("{} stands apart from --wait", pair[1]),
        format!(
            "Write --wait={}: --wait alone takes no value, and waits for ever.",
            pair[1]
        ),
    )
}

/// A time of several words, which is one value only in quotes.
pub(super) fn words_of_a_time(words: &[&str], command: &Command) -> Option<Hint> {
    let (option, time) = words.iter().enumerate().find_map(|(at, word)| {
        let (option, first) = match word.split_once('=') {
            Some((option, first)) => (option, Some(first)),
            None => (*word, None),
        };
        takes_a_time(option, command).then_some(())?;
        let behind = words[at + 1..].iter().copied();
        let behind = behind.take_while(|word| !word.starts_with('-'));
        let parts: Vec<&str> = first.into_iter().chain(behind).take(WORDS).collect();
        let time = (2..=parts.len())
            .rev()
            .map(|count| parts[..count].join(" "))
            .find(|time| is_a_time(time))?;
        Some((option, time))
    })?;
    Hint::new(
        format!("{time} is one value only in quotes"),
        format!("Write {option} {}", quoted(&time)),
    )
}

fn takes_a_time(option: &str, command: &Command) -> bool {
    let Some(name) = option.strip_prefix("--") else {
        return false;
    };
    let found = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name));
    let names = found.and_then(|arg| arg.get_value_names());
    names
        .into_iter()
        .flatten()
        .any(|name| TIMES.contains(&name.as_str()))
}

fn is_a_time(text: &str) -> bool {
    time::during(text).is_ok() || time::since(text).is_ok() || time::until(text).is_ok()
}
