//! The command line as people read and type it: help, examples, options.

use super::*;

#[test]
fn the_definition_holds_together() {
    command().debug_assert();
    config::layered(command(), &config::File::default(), &[]).debug_assert();
}

#[test]
fn the_help_of_each_command_is_as_it_was_read_last() {
    let mut all = String::new();
    pages(&mut command().term_width(100), "usher", &mut all);
    insta::assert_snapshot!("help", all);
}

/// A longer one is broken by who prints it, and leaves a word alone on a line.
#[test]
fn no_line_of_a_help_text_is_longer_than_the_help_is_wide() {
    fn look(command: &clap::Command, long: &mut Vec<String>) {
        let text = command.get_after_help().map(ToString::to_string);
        let lines = text.iter().flat_map(|text| text.lines());
        long.extend(
            lines
                .filter(|line| line.chars().count() > 100)
                .map(str::to_owned),
        );
        command.get_subcommands().for_each(|sub| look(sub, long));
    }
    let mut long = Vec::new();
    look(&command(), &mut long);
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn each_example_of_a_help_text_is_taken() {
    let mut all = String::new();
    pages(&mut command(), "usher", &mut all);
    let (mut tried, mut refused) = (0, String::new());
    // Options are explained further in.
    let is_example = |line: &&str| line.starts_with("  ") && !line.starts_with("       ");
    // One that goes on in the next line is one.
    let all = all.replace("\\\n", " ");
    for line in all.lines().filter(is_example) {
        for words in examples(line) {
            let parsed = parse(words.iter().map(OsString::from).collect());
            if let Err(failure) = parsed {
                refused += &format!("{line}\n{words:?}\n{failure}\n");
            }
            tried += 1;
        }
    }
    assert!(refused.is_empty(), "{refused}");
    assert!(tried > 80, "only {tried} examples were found");
}

#[test]
fn what_has_no_effect_where_it_is_typed_is_refused() {
    for line in [
        "usher messages --server alpha",
        "usher whatif cad --seats 1 --server http://127.0.0.1:1",
        "usher report usage --server http://127.0.0.1:1",
        "usher --server http://127.0.0.1:1 servers list",
        "usher man DIR --server http://127.0.0.1:1",
        "usher usage programs --since 7d",
        "usher usage programs --during yesterday",
        "usher usage --during yesterday --since 7d",
        "usher usage --since tomorrow",
        "usher usage --since 7",
        "usher usage programs --user ann",
        "usher usage by-product --user ann",
        "usher usage by-product --running",
        "usher usage --all",
        "usher manager --memory-wait 5m",
        "usher token list --manager http://127.0.0.1:1",
    ] {
        let words = line.split(' ').map(OsString::from).collect();
        let failure = parse(words).map(drop).expect_err(line);
        assert_eq!(failure.code(), 2, "{line}");
    }
}

/// The commands of a line of examples, as a shell would give them to the program.
fn examples(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("usher ").map(|(at, _)| at);
    let is_start = |at: &usize| {
        let before = line[..*at].chars().next_back().unwrap_or(' ');
        // A comment stands after two blanks that are not the first.
        let is_comment = line[..*at].trim_start().contains("  ");
        " ('\"`".contains(before) && !is_comment
    };
    starts
        .filter(is_start)
        .map(|at| {
            let mut words = shell_words(&line[at..]);
            // It puts what it reads behind the command.
            words.extend(line[..at].ends_with("xargs ").then(|| "ID".to_owned()));
            words
        })
        .filter(|words| words.len() > 1 && words.iter().all(|word| word != "..."))
        .collect()
}

fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => {
                words.extend(word.take());
                if chars.peek() == Some(&' ') {
                    return words;
                }
            }
            (None, '|' | '>' | ';' | '&' | ')' | '`' | '#') => {
                words.extend(word.take());
                return words;
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn pages(command: &mut clap::Command, name: &str, all: &mut String) {
    command.build();
    let common = command.render_help().to_string();
    // What every command takes is said once.
    let (own, rest) = common
        .split_once("Options for every command:")
        .unwrap_or((&common, ""));
    let examples = rest.split_once("\n\n").map_or("", |(_, examples)| examples);
    all.push_str(&format!("===== {name}\n{own}{examples}\n"));
    for sub in command
        .get_subcommands_mut()
        .filter(|sub| sub.get_name() != "help")
    {
        let sub_name = format!("{name} {}", sub.get_name());
        pages(sub, &sub_name, all);
    }
}

#[test]
fn what_was_to_be_started_is_known_of_a_line_that_cannot_be_read() {
    let of = |line: &str| {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        to_start(&words)
    };
    assert_eq!(of("usher run --seats 0 -- cad -x").as_deref(), Some("cad"));
    assert_eq!(of("usher --json run --typo -- cad").as_deref(), Some("cad"));
    for other in [
        "usher run --typo",
        "usher product learn cad --typo -- cad",
        "usher leases -- run",
    ] {
        assert_eq!(of(other), None, "{other}");
    }
}

#[test]
fn a_flag_is_taken_before_and_after_the_command() {
    for line in [
        ["usher", "--server", "http://a:1", "status"],
        ["usher", "status", "--server", "http://a:1"],
    ] {
        let matches = command().try_get_matches_from(line).unwrap();
        assert_eq!(
            Cli::from_arg_matches(&matches).unwrap().globals.server,
            "http://a:1"
        );
    }
}
