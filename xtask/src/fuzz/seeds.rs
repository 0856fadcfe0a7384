//! The first inputs of a fuzz target: mostly the texts that the reader's own tests read. They are made
//! up, so nothing of outside software is kept, and they grow with the tests.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use super::programs;
use super::target::Seeds;

/// A shorter text says too little.
const SHORTEST_BYTES: usize = 6;
/// Texts of one reader; further ones are left out.
const LIMIT: usize = 2_000;

/// Writes the first inputs of a target, each into a file of its own.
pub(super) fn write(root: &Path, seeds: Seeds, folder: &Path) -> Result<(), String> {
    let inputs = match seeds {
        Seeds::Programs => programs::made(),
        Seeds::TextsOfTests(source) => texts(&root.join(source))?,
    };
    for (number, input) in inputs.iter().enumerate() {
        let file = folder.join(format!("{number:04}"));
        fs::write(&file, input).map_err(|error| format!("cannot write {file:?}: {error}"))?;
    }
    Ok(())
}

/// The texts of the tests under `source`, and one of them all.
fn texts(source: &Path) -> Result<Vec<Vec<u8>>, String> {
    let mut texts = Vec::new();
    for file in sources(source) {
        let code = fs::read_to_string(&file).map_err(|error| format!("{file:?}: {error}"))?;
        texts.extend(of_tests(&file, &code)?);
    }
    texts.truncate(LIMIT);
    texts.push(texts.join("\n"));
    Ok(texts.into_iter().map(String::into_bytes).collect())
}

/// The Rust files in a folder and the folders in it, in their order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The texts of a file of tests, or of the tests at the end of another.
fn of_tests(file: &Path, code: &str) -> Result<Vec<String>, String> {
    let is_of_tests = file.iter().any(|part| {
        let part = part.to_str().unwrap_or_default();
        part == "tests" || part == "tests.rs"
    });
    let code = match code.split_once("#[cfg(test)]\nmod tests {") {
        _ if is_of_tests => code.to_owned(),
        Some((_, tests)) => format!("mod tests {{{tests}"),
        None => return Ok(Vec::new()),
    };
    let tokens: TokenStream = code
        .parse()
        .map_err(|error| format!("{} is no Rust: {error}", file.display()))?;
    let mut texts = Vec::new();
    gather(tokens, &mut texts);
    Ok(texts)
}

fn gather(tokens: TokenStream, texts: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => gather(group.stream(), texts),
            TokenTree::Literal(literal) => {
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    let text = text.value();
                    if text.len() >= SHORTEST_BYTES {
                        texts.push(text);
                    }
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_tests_are_taken_and_no_others() {
        let code = "const A: &str = \"no text of a test\";\n#[cfg(test)]\nmod tests {\n\
                    fn t() { read(\"first\\nline\"); read(r#\"with \"quotes\"\"#); x(\"short\") }\n}\n";
        let texts = of_tests(Path::new("src/a.rs"), code).unwrap();
        assert_eq!(texts, ["first\nline", "with \"quotes\""]);
        let texts = of_tests(Path::new("src/a/tests.rs"), "fn t() { r(\"line of it\") }").unwrap();
        assert_eq!(texts, ["line of it"]);
        let texts = of_tests(
            Path::new("src/b.rs"),
            "const A: &str = \"no text of a test\";",
        );
        assert_eq!(texts, Ok(Vec::new()));
    }
}
