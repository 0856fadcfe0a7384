//! What is wrong with a command line, in words that help: the reader of the line guesses, and some
//! of its guesses mislead.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Display;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What is wrong, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) message: String,
    pub(crate) next: String,
}

impl Hint {
    fn new(message: impl Display, next: impl Display) -> Option<Hint> {
        Some(Hint {
            message: message.to_string(),
            next: next.to_string(),
        })
    }
}

/// What is better said in words of our own; none where the reader's are good.
pub(crate) fn of(error: &clap::Error, args: &[OsString]) -> Option<Hint> {
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(error, args),
        ErrorKind::ValueValidation => number(error),
        ErrorKind::MissingRequiredArgument => rehearsal(error, args),
        _ => None,
    }
}

/// The error without the guess that something was meant as a value: no id begins with a minus.
pub(crate) fn without_guesses(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) {
        let kept = tips
            .iter()
            .filter(|tip| !tip.to_string().contains("as a value"));
        let kept = kept.cloned().collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(kept));
    }
    error
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

fn words(args: &[OsString]) -> Vec<&str> {
    let own = args.iter().take_while(|arg| *arg != "--");
    own.filter_map(|arg| arg.to_str()).collect()
}

fn unknown(error: &clap::Error, args: &[OsString]) -> Option<Hint> {
    let unknown = context(error, ContextKind::InvalidArg)?;
    let words = words(args);
    let is_figure = |word: &str| word.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if unknown.starts_with('-') && is_figure(&unknown) {
        // The reader names the first letter alone.
        let at = words.iter().position(|word| word.starts_with(&*unknown))?;
        let (word, before) = (words[at], words[at.checked_sub(1)?]);
        if !before.starts_with("--") {
            return Hint::new(
                format!("{word} is no option"),
                "`usher help` lists the commands, and --help behind one its options.",
            );
        }
        let positive = word.trim_start_matches('-');
        return Hint::new(
            format!("{before} is {word}: it takes no value below 0"),
            match positive.bytes().all(|b| b.is_ascii_digit()) {
                true => "Give a number from 0 on.".to_owned(),
                false => format!("Leave the minus out: {before} {positive}"),
            },
        );
    }
    let is_run = words.get(1) == Some(&"run") && !unknown.starts_with('-');
    match is_run {
        true => Hint::new(
            format!("{unknown} stands where an option of `usher run` may stand"),
            format!(
                "The command that is to run stands behind --: usher run [OPTIONS] -- {unknown}"
            ),
        ),
        false => None,
    }
}

fn number(error: &clap::Error) -> Option<Hint> {
    let why = error.source()?.to_string();
    let option = context(error, ContextKind::InvalidArg)?;
    let option = option.split(' ').next().unwrap_or_default();
    let value = context(error, ContextKind::InvalidValue)?;
    let range = why
        .split_once(" is not in ")
        .map(|(_, range)| range.split_once("..="));
    match (range, &*why) {
        (Some(Some((least, most))), _) => Hint::new(
            format!("{option} is {value}"),
            format!("Give a whole number from {least} to {most}."),
        ),
        (None, "invalid digit found in string" | "cannot parse integer from empty string") => {
            Hint::new(
                format!("{option} is {value:?}, which is no whole number"),
                format!("Give it in figures, such as {option} 5."),
            )
        }
        (
            None,
            "number too large to fit in target type" | "number too small to fit in target type",
        ) => Hint::new(
            format!("{option} is {value}, which is out of bounds"),
            "`--help` says what it is.",
        ),
        _ => None,
    }
}

/// Seats are not what a product has, but what is owned of it.
fn rehearsal(error: &clap::Error, args: &[OsString]) -> Option<Hint> {
    let missing = context(error, ContextKind::InvalidArg)?;
    let is_edit = words(args)
        .windows(2)
        .any(|pair| pair == ["product", "edit"]);
    match is_edit && missing == "--dry-run" {
        true => Hint::new(
            "--seats of `usher product edit` asks what so many seats would have meant, and takes \
             --dry-run",
            "`usher entitlement add` and `edit` change how many are owned.",
        ),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::cli;

    #[test]
    fn a_mistyped_line_is_explained_without_guesses_that_mislead() {
        let mut all = String::new();
        for line in [
            "usher -4",
            "usher entitlement add cad --seats -4",
            "usher entitlement add cad --seats=-4",
            "usher usage --since -7d",
            "usher checkout cad --wait -5",
            "usher leases --limit 1.5",
            "usher leases --limit 99999999999",
            "usher run gimp -n",
            "usher run -p gimp",
            "usher product edit cad --seats 3",
            "usher usage --sinse 7d",
            "usher statsu",
        ] {
            let words = line.split(' ').map(OsString::from).collect();
            let failure = cli::parse(words).map(drop).expect_err(line);
            assert_eq!(failure.code(), 2, "{line}");
            let text = failure.to_string();
            let told = text
                .split("\n\nUsage:")
                .next()
                .unwrap_or_default()
                .trim_end();
            writeln!(all, "$ {line}\n{told}").unwrap();
        }
        insta::assert_snapshot!(all, @r#"
        $ usher -4
        usher: -4 is no option
          `usher help` lists the commands, and --help behind one its options.
        $ usher entitlement add cad --seats -4
        usher: --seats is -4: it takes no value below 0
          Give a number from 0 on.
        $ usher entitlement add cad --seats=-4
        usher: --seats is -4
          Give a whole number from 0 to 4294967295.
        $ usher usage --since -7d
        usher: --since is -7d: it takes no value below 0
          Leave the minus out: --since 7d
        $ usher checkout cad --wait -5
        usher: --wait is -5: it takes no value below 0
          Give a number from 0 on.
        $ usher leases --limit 1.5
        usher: --limit is "1.5", which is no whole number
          Give it in figures, such as --limit 5.
        $ usher leases --limit 99999999999
        usher: --limit is 99999999999
          Give a whole number from 0 to 4294967295.
        $ usher run gimp -n
        usher: gimp stands where an option of `usher run` may stand
          The command that is to run stands behind --: usher run [OPTIONS] -- gimp
        $ usher run -p gimp
        error: unexpected argument '-p' found
        $ usher product edit cad --seats 3
        usher: --seats of `usher product edit` asks what so many seats would have meant, and takes --dry-run
          `usher entitlement add` and `edit` change how many are owned.
        $ usher usage --sinse 7d
        error: unexpected argument '--sinse' found

          tip: a similar argument exists: '--since'
        $ usher statsu
        error: unrecognized subcommand 'statsu'

          tip: a similar subcommand exists: 'status'
        "#);
    }
}
