//! The words of a line: split at blanks, except within quotes.

/// A word, and whether it stands in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'l> {
    pub(super) text: &'l str,
    pub(super) quoted: bool,
}

/// Splits a line. A quote that nothing closes reaches to the line's end.
pub(super) fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (text, quoted, behind) = match rest.strip_prefix('"') {
            Some(inside) => {
                let (text, behind) = inside.split_once('"').unwrap_or((inside, ""));
                (text, true, behind)
            }
            None => {
                let (text, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (text, false, behind)
            }
        };
        words.push(Word { text, quoted });
        rest = behind.trim_start();
    }
    words
}

/// The words at a place, as one text.
pub(super) fn joined(words: &[Word<'_>]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
    texts.join(" ")
}
