//! A document whose tables are replaced between marks.

use std::fs;
use std::path::Path;

/// Puts a text at the mark of that name in a document; makes the document if there is none.
pub(crate) fn write_between(path: &Path, name: &str, body: &str) -> Result<(), String> {
    let failed = |error| format!("cannot write {}: {error}", path.display());
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (begin, end) = marks(name);
            format!("# Performance\n\n{begin}\n{end}\n")
        }
        Err(error) => return Err(failed(error)),
    };
    let new = between_marks(&old, name, body)
        .ok_or_else(|| format!("{} has no place marked {}", path.display(), marks(name).0))?;
    fs::write(path, new).map_err(failed)?;
    println!("written to {}", path.display());
    Ok(())
}

fn marks(name: &str) -> (String, String) {
    (
        format!("<!-- {name}: begin -->"),
        format!("<!-- {name}: end -->"),
    )
}

fn between_marks(document: &str, name: &str, body: &str) -> Option<String> {
    let (begin, end) = marks(name);
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{body}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let (begin, end) = marks("here");
        let document = format!("# A\n{begin}\nold\n{end}\n## B\n");
        let new = between_marks(&document, "here", "new").unwrap();
        assert_eq!(new, format!("# A\n{begin}\n\nnew\n{end}\n## B\n"));
        assert_eq!(between_marks(&document, "there", "new"), None);
    }
}
