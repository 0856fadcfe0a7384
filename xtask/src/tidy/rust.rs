//! Rust source as rules see it: code without comments and strings, comments without code.
//!
//! Both keep their line numbers and columns, so that a rule that looks for a word in code is not
//! fooled by the same word in a string or a comment, and can still say where it stands.

/// One source file.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// From the root, with `/` between folders.
    pub(crate) path: &'a str,
    /// As it is written.
    pub(crate) text: &'a str,
    code: String,
    comments: String,
    tests_from: usize,
}

impl<'a> Source<'a> {
    /// Takes a file apart.
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        let (code, comments) = separate(text);
        let tests_from = first_line_of_tests(path, &code);
        Source {
            path,
            text,
            code,
            comments,
            tests_from,
        }
    }

    /// Lines of code with their numbers, comments and strings blanked out.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.code)
    }

    /// Lines of comments with their numbers, code blanked out.
    pub(crate) fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.comments)
    }

    /// Whether a line belongs to tests.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        line >= self.tests_from
    }

    /// Whether a line, or the one above it, carries the comment `mark` with a reason after it.
    pub(crate) fn is_marked(&self, line: usize, mark: &str) -> bool {
        [line, line.wrapping_sub(1)].iter().any(|&at| {
            self.comments()
                .find(|(number, _)| *number == at)
                .and_then(|(_, comment)| comment.split_once(mark))
                .is_some_and(|(_, reason)| !reason.trim().is_empty())
        })
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// Files of tests are tests from their first line; others from `#[cfg(test)]` to their end, as the
/// tests of a module stand last.
fn first_line_of_tests(path: &str, code: &str) -> usize {
    let whole = path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs");
    if whole {
        return 1;
    }
    numbered(code)
        .find(|(_, line)| line.contains("#[cfg(test)]"))
        .map_or(usize::MAX, |(number, _)| number)
}

/// Whether `word` stands in `line` as a word of its own.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { hashes: Option<usize> },
}

/// Code and comments, each with the other and all strings replaced by spaces.
fn separate(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut comments = String::with_capacity(text.len());
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        let (length, to, next) = token(&chars, at, state);
        for &c in &chars[at..at + length] {
            let (in_code, in_comments) = match to {
                Part::Code => (c, ' '),
                Part::Comment => (' ', c),
                Part::Text => (' ', ' '),
            };
            code.push(if c == '\n' { '\n' } else { in_code });
            comments.push(if c == '\n' { '\n' } else { in_comments });
        }
        state = next;
        at += length;
    }
    (code, comments)
}

#[derive(Clone, Copy)]
enum Part {
    Code,
    Comment,
    Text,
}

/// The next token from `at`: its length, what it belongs to, and the state after it.
fn token(chars: &[char], at: usize, state: State) -> (usize, Part, State) {
    let here = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    match state {
        State::Code => code_token(chars, at),
        State::LineComment if here(0) == '\n' => (1, Part::Code, State::Code),
        State::LineComment => (1, Part::Comment, State::LineComment),
        State::BlockComment { depth } => match (here(0), here(1)) {
            ('/', '*') => (2, Part::Comment, State::BlockComment { depth: depth + 1 }),
            ('*', '/') if depth == 1 => (2, Part::Comment, State::Code),
            ('*', '/') => (2, Part::Comment, State::BlockComment { depth: depth - 1 }),
            _ => (1, Part::Comment, state),
        },
        State::Text { hashes: None } => match here(0) {
            '\\' if at + 1 < chars.len() => (2, Part::Text, state),
            '"' => (1, Part::Text, State::Code),
            _ => (1, Part::Text, state),
        },
        State::Text {
            hashes: Some(count),
        } => {
            let ends = here(0) == '"' && (1..=count).all(|offset| here(offset) == '#');
            if ends {
                (1 + count, Part::Text, State::Code)
            } else {
                (1, Part::Text, state)
            }
        }
    }
}

fn code_token(chars: &[char], at: usize) -> (usize, Part, State) {
    let here = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (here(0), here(1)) {
        ('/', '/') => (2, Part::Comment, State::LineComment),
        ('/', '*') => (2, Part::Comment, State::BlockComment { depth: 1 }),
        ('"', _) => (1, Part::Text, State::Text { hashes: None }),
        ('r', '"' | '#') if !after_word || chars[at - 1] == 'b' => {
            let count = (1..).take_while(|&offset| here(offset) == '#').count();
            if here(1 + count) == '"' {
                let state = State::Text {
                    hashes: Some(count),
                };
                (2 + count, Part::Text, state)
            } else {
                (1, Part::Code, State::Code)
            }
        }
        // A character, but not a lifetime: 'a' closes, 'a does not.
        ('\'', '\\') => {
            let length = (2..12).find(|&offset| here(offset) == '\'' && offset > 2);
            (
                length.map_or(1, |offset| offset + 1),
                Part::Text,
                State::Code,
            )
        }
        ('\'', _) if here(2) == '\'' => (3, Part::Text, State::Code),
        _ => (1, Part::Code, State::Code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blanked text counts as one space.
    #[track_caller]
    fn check(text: &str, code: &str, comments: &str) {
        let squeezed = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (in_code, in_comments) = separate(text);
        assert_eq!(squeezed(in_code), code, "code of {text}");
        assert_eq!(squeezed(in_comments), comments, "comments of {text}");
    }

    #[test]
    fn strings_and_comments_are_taken_out_of_code() {
        check("let a = 1; // unsafe", "let a = 1;", "// unsafe");
        check("f(\"unsafe \\\" // x\"); g()", "f( ); g()", "");
        check("f(r#\"a \" b\"#, 2)", "f( , 2)", "");
        check("f(br\"a\", 2)", "f(b , 2)", "");
        check("/* a /* b */ c */ d", "d", "/* a /* b */ c */");
        check("f('\"', 'a'); g(\"x\")", "f( , ); g( )", "");
        check(
            "fn f<'a>(x: &'a str) {} // y",
            "fn f<'a>(x: &'a str) {}",
            "// y",
        );
        check("f('\\'', '\\n', '\\u{1F600}'); // z", "f( , , );", "// z");
        check("let r = for_r; b\"x\"", "let r = for_r; b", "");
    }

    #[test]
    fn lines_keep_their_numbers() {
        let source = Source::new("a.rs", "//! a\nlet x = \"\n\";\nf();\n");
        assert!(
            source
                .code()
                .any(|(line, code)| line == 4 && code == "f();")
        );
    }

    #[test]
    fn tests_begin_at_their_module_or_fill_their_file() {
        let source = Source::new("src/a.rs", "//! a\nf();\n#[cfg(test)]\nmod tests {}\n");
        assert!(!source.is_test(2));
        assert!(source.is_test(4));
        assert!(Source::new("tests/tests/kill.rs", "//! a\n").is_test(1));
    }

    #[test]
    fn a_word_is_not_found_inside_another() {
        assert!(has_word("unsafe { f() }", "unsafe"));
        assert!(!has_word("#![forbid(unsafe_code)]", "unsafe"));
        assert!(!has_word("is_unsafe", "unsafe"));
    }

    #[test]
    fn a_mark_counts_only_with_a_reason() {
        let source = Source::new("a.rs", "//! a\n// ok: because\nf();\n// ok:\ng();\n");
        assert!(source.is_marked(3, "ok:"));
        assert!(!source.is_marked(5, "ok:"));
    }
}
