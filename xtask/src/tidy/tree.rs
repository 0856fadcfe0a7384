//! The files of the repository: all below its root, without what is built or cloned into it.

use std::fs;
use std::path::Path;

/// Folders that hold nothing written by hand.
const NOT_OURS: &[&str] = &["target", ".git", "node_modules"];

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// From the root, with `/` between folders.
    pub(crate) path: String,
    /// Its text; none of a picture.
    pub(crate) text: String,
}

/// All files below `root`, by path. Those that are not UTF-8 are there for who links to them, without
/// text.
pub(crate) fn read(root: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            files.push(File { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_files_are_left_out_and_pictures_have_no_text() {
        let root = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        fs::create_dir_all(root.join("target")).unwrap();
        fs::create_dir_all(root.join("crates/core")).unwrap();
        fs::write(root.join("target/built.rs"), "x").unwrap();
        fs::write(root.join("crates/core/lib.rs"), "x").unwrap();
        fs::write(root.join("picture.png"), [0xff, 0xfe]).unwrap();
        let files = read(&root).unwrap();
        fs::remove_dir_all(&root).unwrap();
        let found = files.iter().map(|file| (&*file.path, &*file.text));
        let found: Vec<(&str, &str)> = found.collect();
        assert_eq!(found, [("crates/core/lib.rs", "x"), ("picture.png", "")]);
    }
}
