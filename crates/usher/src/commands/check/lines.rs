//! Lines as a monitor shows them: short, and the first says the most.

use crate::failure::Failure;

/// The longest line, in characters; Nagios and its kin show the first one in lists.
const LINE_CHARS: usize = 200;

/// The text in lines that are no longer than a monitor shows, broken between words.
pub(super) fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().flat_map(pieces) {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.chars().count() + 1 + length <= LINE_CHARS => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// A word that is longer than a line is cut.
fn pieces(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let cut = letters.chunks(LINE_CHARS);
    cut.map(|piece| piece.iter().collect()).collect()
}

/// Why a command ended, without the marks of a terminal's error and without a usage text.
pub(super) fn of_failure(failure: &Failure) -> String {
    let text = failure.to_string();
    let text = match failure {
        Failure::Usage(_) => text.split("\n\nUsage:").next().unwrap_or(&text),
        _ => &text,
    };
    let text = text.trim();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let text = text.strip_prefix("usher: ").unwrap_or(text);
    // What to do is a sentence of its own.
    text.replace("\n  ", ". ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_words_only_where_they_are_too_long() {
        let text = format!("{} {}", "word ".repeat(50), "x".repeat(450));
        let lines = wrapped(&text);
        assert!(lines.iter().all(|line| line.chars().count() <= LINE_CHARS));
        assert!(lines[0].starts_with("word word") && lines[0].ends_with(" word"));
        let all = lines.concat().replace(' ', "");
        assert_eq!(all, text.replace(' ', ""));
    }

    #[test]
    fn a_failure_is_told_without_the_marks_of_a_terminal() {
        let failure = Failure::usage("there is no settings file").next("Name another.");
        assert_eq!(
            of_failure(&failure),
            "there is no settings file. Name another."
        );
    }
}
