//! Statements of several lines, and their words: what licence files and options files share.

use crate::reading::LINE_LIMIT_BYTES;

/// Characters of a statement that are shown if it is not understood.
const SHOWN_CHARS: usize = 400;

/// Lines of a file that are one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statement {
    /// The lines, joined by a blank, without the backslashes at their ends.
    pub(super) text: String,
    /// The first line, from 1.
    pub(super) line: u64,
    /// How many lines it has.
    pub(super) lines: u64,
    /// The last line ended in a backslash.
    pub(super) continued: bool,
    /// A quoted string is open.
    pub(super) quoted: bool,
    /// It has more than [`LINE_LIMIT_BYTES`], and what is beyond was dropped.
    pub(super) too_long: bool,
}

impl Statement {
    /// Begins with that line, whose number is `number`.
    pub(super) fn new(number: u64, line: &str) -> Statement {
        let mut statement = Statement {
            line: number,
            ..Statement::default()
        };
        statement.add(line);
        statement
    }

    /// Goes on with that line.
    pub(super) fn add(&mut self, line: &str) {
        let line = line.trim();
        let cut = line.strip_suffix('\\');
        self.continued = cut.is_some();
        self.lines = self.lines.saturating_add(1);
        let line = cut.unwrap_or(line).trim_end();
        if line.chars().filter(|letter| is_quote(*letter)).count() % 2 == 1 {
            self.quoted = !self.quoted;
        }
        if self.text.len().saturating_add(line.len()) >= LINE_LIMIT_BYTES {
            self.too_long = true;
            return;
        }
        if !self.text.is_empty() && !line.is_empty() {
            self.text.push(' ');
        }
        let letters = line.chars();
        self.text
            .extend(letters.map(|letter| match is_quote(letter) {
                true => '"',
                false => letter,
            }));
    }

    /// Its beginning, as much as the count of what was not understood needs.
    pub(super) fn shown(&self) -> String {
        self.text.chars().take(SHOWN_CHARS).collect()
    }
}

/// Also what a web page or a mail program makes of a double quote.
fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\u{201c}' | '\u{201d}' | '\u{2033}')
}

/// The words of a statement. What stands in double quotes belongs to one word, without the quotes:
/// `NOTICE="a b"` is `NOTICE=a b`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for letter in text.chars() {
        if letter == '"' {
            quoted = !quoted;
            begun = true;
        } else if letter.is_whitespace() && !quoted {
            if begun {
                words.push(std::mem::take(&mut word));
            }
            begun = false;
        } else {
            word.push(letter);
            begun = true;
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_joined_by_a_blank_and_quotes_of_a_web_page_are_quotes() {
        let mut statement = Statement::new(7, "FEATURE f SIGN=\u{201d}15D9 \\");
        assert!(statement.continued && statement.quoted);
        statement.add("\t 5C5C\u{2033}");
        assert_eq!(statement.text, "FEATURE f SIGN=\"15D9 5C5C\"");
        assert!(!statement.continued && !statement.quoted && !statement.too_long);
        assert_eq!((statement.line, statement.lines), (7, 2));
    }

    #[test]
    fn a_statement_without_an_end_is_cut() {
        let mut statement = Statement::new(1, "FEATURE \"");
        for _ in 0..100_000 {
            statement.add("ab \\");
        }
        assert!(statement.too_long);
        assert!(statement.text.len() <= LINE_LIMIT_BYTES);
    }

    #[test]
    fn what_is_quoted_is_one_word() {
        assert_eq!(
            words(r#" a  NOTICE="b  c" "" d"e"#),
            ["a", "NOTICE=b  c", "", "de"]
        );
        assert_eq!(words(" \t "), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn words_without_quotes_are_what_blanks_divide(text in "[a-zé# =\\\\]{0,40}") {
            let expected: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(words(&text), expected);
        }
    }
}
