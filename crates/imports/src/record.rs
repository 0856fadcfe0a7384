//! A row of a table in a text file: cells with a separator between them, quoted if they hold one.

/// Cells of one row that are read; a longer row is none.
pub(crate) const CELLS_LIMIT: usize = 1_000;

/// The cells of a row by RFC 4180, with any separator. None: a quoted cell does not end on its line, has
/// something after its end, or there are more cells than are read.
pub(crate) fn cells(row: &str, separator: char) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut letters = row.chars().peekable();
    loop {
        if cells.len() == CELLS_LIMIT {
            return None;
        }
        let mut cell = String::new();
        let more = if letters.peek() == Some(&'"') {
            letters.next();
            loop {
                match letters.next()? {
                    '"' if letters.peek() == Some(&'"') => {
                        letters.next();
                        cell.push('"');
                    }
                    '"' => break,
                    letter => cell.push(letter),
                }
            }
            match letters.next() {
                None => false,
                Some(letter) if letter == separator => true,
                Some(_) => return None,
            }
        } else {
            loop {
                match letters.next() {
                    None => break false,
                    Some(letter) if letter == separator => break true,
                    Some(letter) => cell.push(letter),
                }
            }
        };
        cells.push(cell);
        if !more {
            return Some(cells);
        }
    }
}

/// The separator that a header most likely has: the one of `,`, `;` and tab that it has most of.
pub(crate) fn separator_of(header: &str) -> char {
    let count = |separator: char| header.matches(separator).count();
    [';', '\t']
        .into_iter()
        .fold(',', |best, other| match count(other) > count(best) {
            true => other,
            false => best,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_cut_at_separators_outside_of_quotes() {
        let read = |row: &str| cells(row, ',').map(|cells| cells.join("|"));
        assert_eq!(read("a,,c"), Some("a||c".to_owned()));
        assert_eq!(
            read("\"a,b\",\"say \"\"c\"\"\""),
            Some("a,b|say \"c\"".to_owned())
        );
        assert_eq!(read(""), Some(String::new()));
        assert_eq!(read("a,"), Some("a|".to_owned()));
        assert_eq!(read("\"a"), None);
        assert_eq!(read("\"a\"b,c"), None);
        assert_eq!(read(&",".repeat(CELLS_LIMIT)), None);
        assert_eq!(separator_of("a;b;c,d"), ';');
        assert_eq!(separator_of("a"), ',');
    }

    proptest! {
        #[test]
        fn what_is_written_as_cells_is_read_as_the_same(
            written in proptest::collection::vec("[a-c,;\" ]{0,6}", 1..6)
        ) {
            let row: Vec<String> = written
                .iter()
                .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")))
                .collect();
            prop_assert_eq!(cells(&row.join(";"), ';'), Some(written));
        }

        #[test]
        fn no_row_breaks_the_reader(row in "\\PC{0,60}") {
            let _ = cells(&row, separator_of(&row));
        }
    }
}
