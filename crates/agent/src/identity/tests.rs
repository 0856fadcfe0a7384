//! The identifier on real files: what is remembered, what is looked at again.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use usher_core::identify::Facts;
use usher_testing::windows::{Program, Version};

use super::*;

fn identifier(rules: &[&str]) -> Identifier {
    let product = usher_api::Product {
        programs: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        ..serde_json::from_str(r#"{"id": "app"}"#).unwrap()
    };
    let identifier = Identifier::new();
    identifier.set_rules(Rules::compile(&[product]));
    identifier
}

fn target(path: &Path) -> Target {
    Target {
        path: path.as_os_str().as_bytes().to_vec(),
        key: FileKey::of(&rustix::fs::stat(path).unwrap()),
        file: File::open(path).ok(),
    }
}

fn product_of(identifier: &Identifier, path: &Path) -> Option<String> {
    let target = target(path);
    let verdict = match identifier.quick(&target.path, &target.key).verdict {
        Some(verdict) => verdict,
        None => identifier.thorough(&target),
    };
    verdict.map(|matched| matched.product.to_string())
}

#[test]
fn what_no_cheap_rule_matches_is_known_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    std::fs::write(&file, "x").unwrap();
    let target = target(&file);
    let quick = |rule: &str| identifier(&[rule]).quick(&target.path, &target.key).verdict;
    assert!(matches!(quick("name=app"), Some(None)));
    assert!(quick("package=app").is_none());
    assert!(quick(&format!("sha256={}", "0".repeat(64))).is_none());
    assert!(quick("name=x").is_none());
}

#[test]
fn a_path_that_holds_in_a_root_of_its_own_names_the_file_for_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("editor");
    std::fs::write(&file, "1").unwrap();
    let identifier = identifier(&["path=/opt/cad/cad-of-no-computer"]);
    // As a process says in whose chroot the file lies there.
    let elsewhere = Target {
        path: b"/opt/cad/cad-of-no-computer".to_vec(),
        ..target(&file)
    };
    assert!(identifier.thorough(&elsewhere).is_some());
    assert_eq!(product_of(&identifier, &file), None);
}

#[test]
fn a_verdict_is_remembered_for_the_same_file_under_the_same_path() {
    let folder = tempfile::tempdir().unwrap();
    let identifier = identifier(&["name=app"]);
    let file = folder.path().join("app");
    std::fs::write(&file, "1").unwrap();
    assert_eq!(product_of(&identifier, &file).as_deref(), Some("app"));
    let known = identifier.quick(file.as_os_str().as_bytes(), &target(&file).key);
    assert!(matches!(known.verdict, Some(Some(_))));
    let linked = folder.path().join("other");
    std::fs::hard_link(&file, &linked).unwrap();
    assert_eq!(product_of(&identifier, &linked), None);
    assert_eq!(product_of(&identifier, &file).as_deref(), Some("app"));
}

#[test]
fn a_file_named_by_path_stays_known_when_it_is_moved_but_not_when_it_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app");
    std::fs::write(&file, "1").unwrap();
    let identifier = identifier(&[&format!("path={}", file.display())]);
    let moved = folder.path().join("moved");
    std::fs::rename(&file, &moved).unwrap();
    assert_eq!(product_of(&identifier, &moved).as_deref(), Some("app"));
    std::fs::write(&moved, "another program").unwrap();
    assert_eq!(product_of(&identifier, &moved), None);
}

#[test]
fn a_renamed_windows_program_is_known_by_its_original_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renamed.exe");
    let strings = [
        ("OriginalFilename", "WinApp.exe"),
        ("ProductVersion", "3.2"),
    ];
    std::fs::write(&file, windows_program(&strings)).unwrap();
    let rules = ["original-name=winapp.exe,version=3"];
    assert_eq!(
        product_of(&identifier(&rules), &file).as_deref(),
        Some("app")
    );
    let rules = ["original-name=winapp.exe,version=4"];
    assert_eq!(product_of(&identifier(&rules), &file), None);
}

#[test]
fn an_empty_original_name_is_none_and_the_version_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clang-format.exe");
    // In the order of the real one.
    let strings = [
        ("FileVersion", "23.1.5"),
        ("InternalName", "clang-format"),
        ("OriginalFilename", ""),
        ("ProductName", "clang"),
        ("ProductVersion", "23.1.5"),
    ];
    std::fs::write(&file, windows_program(&strings)).unwrap();
    let target = target(&file);
    let packages = Packages::new(Path::new("/nonexistent"));
    let mut facts = FileFacts::new(&target, &[], &packages);
    assert_eq!(facts.original_name(), None);
    assert_eq!(facts.file_version().as_deref(), Some("23.1.5"));
}

fn windows_program(strings: &[(&str, &str)]) -> Vec<u8> {
    Program::of(&Version::english(strings)).bytes()
}

#[test]
fn new_rules_are_asked_of_files_that_were_known_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app");
    std::fs::write(&file, "1").unwrap();
    let identifier = identifier(&["name=other"]);
    assert_eq!(product_of(&identifier, &file), None);
    let product: usher_api::Product =
        serde_json::from_str(r#"{"id": "new", "programs": ["name=app", "not a key=1"]}"#).unwrap();
    identifier.set_rules(Rules::compile(&[product]));
    assert_eq!(product_of(&identifier, &file).as_deref(), Some("new"));
}

#[test]
fn names_that_are_shown_have_no_control_characters_and_a_bounded_length() {
    assert_eq!(&*display_name(b"/opt/a\nb\xff"), "a\u{fffd}b\u{fffd}");
    assert_eq!(&*display_name(b"/opt/"), "(unnamed)");
    assert!(display_name(&[b'x'; 4000]).len() <= 255);
}
