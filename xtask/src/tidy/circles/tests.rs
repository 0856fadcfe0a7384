//! Circles that are planted are found and named; what is none is not.

use super::*;

/// A crate of some files below `src/`.
fn krate(files: &[(&str, &str)]) -> (Vec<Found>, Vec<Finding>) {
    let mut files: Vec<File> = files
        .iter()
        .map(|(path, text)| File {
            path: format!("crates/a/src/{path}"),
            text: (*text).to_owned(),
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let root = Root {
        package: "usher-a".to_owned(),
        file: "crates/a/src/lib.rs".to_owned(),
    };
    let (crates, unread) = read(&[root], &files);
    (find(&crates), unread)
}

/// The circles of a crate as the list has them.
#[track_caller]
fn circles(files: &[(&str, &str)], expected: &[&str]) {
    let (found, unread) = krate(files);
    assert_eq!(unread, []);
    let lines: Vec<String> = found.iter().map(Found::line).collect();
    assert_eq!(lines, expected);
}

const PAIR: &[(&str, &str)] = &[
    ("lib.rs", "mod a;\nmod b;\n"),
    ("a.rs", "use crate::b::Low;\n\npub struct High(Low);\n"),
    ("b.rs", "pub struct Low;\npub fn f(_: crate::a::High) {}\n"),
];

#[test]
fn a_planted_circle_is_named_with_what_ties_it() {
    let (found, _) = krate(PAIR);
    let findings = check(&found);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].to_string(),
        "usher-a: its modules need each other in a circle: usher-a crate: a, b\n  \
         move what closes it to a module that both may use\n  \
         a needs b:\n    crates/a/src/a.rs:1: crate::b::Low\n  \
         b needs a:\n    crates/a/src/b.rs:2: crate::a::High"
    );
}

#[test]
fn one_way_is_no_circle() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::{b::Low, c::f};\n"),
        (
            "b.rs",
            "use crate::c;\npub struct Low;\npub fn g() { c::f() }\n",
        ),
        ("c.rs", "pub fn f() { std::mem::drop(1) }\n"),
    ];
    circles(&files, &[]);
}

#[test]
fn a_name_that_is_handed_on_leads_to_where_it_is_defined() {
    // Each takes the other's from their parent, which hands both on.
    let files = [
        ("lib.rs", "mod a;\n"),
        (
            "a/mod.rs",
            "mod one;\nmod two;\npub use one::One;\npub use two::*;\n",
        ),
        ("a/one.rs", "use super::Two;\npub struct One(Two);\n"),
        (
            "a/two.rs",
            "use crate::a::One as First;\npub struct Two(First);\n",
        ),
    ];
    circles(&files, &["usher-a crate::a: one, two"]);
}

#[test]
fn a_glob_of_the_parent_counts_by_the_names_that_are_used() {
    let files = [
        (
            "lib.rs",
            "mod one;\nmod two;\nuse one::One;\nuse two::Two;\n",
        ),
        (
            "one.rs",
            "use super::*;\npub struct One;\nfn f(_: Two) {}\n",
        ),
        ("two.rs", "use super::*;\npub struct Two;\n"),
    ];
    circles(&files, &[]);
    let files = [
        files[0],
        files[1],
        ("two.rs", "use super::*;\npub struct Two(One);\n"),
    ];
    circles(&files, &["usher-a crate: one, two"]);
}

#[test]
fn a_variable_that_is_called_like_a_module_is_none() {
    let files = [
        (
            "lib.rs",
            "mod one;\nmod two;\nuse one::One;\nuse two::Two;\n",
        ),
        (
            "one.rs",
            "use super::*;\npub struct One;\nfn f(two: u8) -> u8 { two }\n",
        ),
        ("two.rs", "use super::*;\npub struct Two(One);\n"),
    ];
    circles(&files, &[]);
}

#[test]
fn what_lies_in_a_folder_counts_for_the_folder() {
    let files = [
        ("lib.rs", "mod high;\nmod low;\n"),
        ("high.rs", "pub mod part;\n"),
        ("high/part.rs", "use crate::low;\npub fn f() { low::g() }\n"),
        ("low/mod.rs", "mod deep;\npub fn g() {}\n"),
        (
            "low/deep.rs",
            "use super::super::high;\nfn h() { high::part::f() }\n",
        ),
    ];
    circles(&files, &["usher-a crate: high, low"]);
}

#[test]
fn a_part_may_use_what_its_whole_defines() {
    let files = [
        ("lib.rs", "mod a;\n"),
        (
            "a/mod.rs",
            "mod part;\npub struct Whole;\npub fn f() { part::g(&Whole) }\n",
        ),
        ("a/part.rs", "use super::Whole;\npub fn g(_: &Whole) {}\n"),
    ];
    circles(&files, &[]);
}

#[test]
fn paths_in_macros_attributes_and_functions_count() {
    let back = |text: &'static str| [PAIR[0], PAIR[1], ("b.rs", text)];
    for text in [
        "pub struct Low;\npub fn f() { println!(\"{}\", crate::a::High::NAME) }\n",
        "pub struct Low;\nmacro_rules! m { () => { $crate::a::High } }\n",
        "pub struct Low;\n#[derive(S)]\nstruct T { #[serde(with = \"crate::a::High\")] t: u8 }\n",
        "pub struct Low;\npub fn f() { use crate::a::High as H; }\n",
        "pub struct Low;\nmod inner { use super::super::a::High; }\n",
    ] {
        circles(&back(text), &["usher-a crate: a, b"]);
    }
}

#[test]
fn what_tests_need_counts_for_nothing() {
    let back = |text: &'static str| {
        [
            PAIR[0],
            PAIR[1],
            ("b.rs", text),
            ("b/tests.rs", "use crate::a::High;\n"),
        ]
    };
    for text in [
        "pub struct Low;\n#[cfg(test)]\nmod tests { use crate::a::High; }\n",
        "pub struct Low;\n#[cfg(test)]\nmod tests;\n",
        "pub struct Low;\n#[cfg(test)]\nuse crate::a::High;\n",
        "pub struct Low;\n#[cfg(all(test, unix))]\nfn f(_: crate::a::High) {}\n",
        "pub struct Low;\nimpl Low { #[cfg(test)]\nfn f(_: crate::a::High) {} }\n",
        "pub struct Low;\npub(in crate::a) struct M;\n// crate::a::High\n",
    ] {
        circles(&back(text), &[]);
    }
    let otherwise = "pub struct Low;\n#[cfg(not(test))]\nuse crate::a::High;\n";
    circles(&back(otherwise), &["usher-a crate: a, b"]);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let (_, unread) = krate(&[("lib.rs", "mod a;\n")]);
    assert_eq!(
        unread[0].to_string(),
        "usher-a: crates/a/src/lib.rs: the file of `mod a` is not found"
    );
    let (_, unread) = krate(&[("lib.rs", "mod a;\n"), ("a.rs", "fn f( {\n")]);
    assert!(
        unread[0]
            .to_string()
            .starts_with("usher-a: crates/a/src/a.rs:1: ")
    );
}

#[test]
fn roots_are_the_workspaces_libraries_and_binaries() {
    let target = |kind: &str, path: &str| serde_json::json!({"kind": [kind], "src_path": path});
    let metadata = serde_json::json!({"packages": [
        {"name": "usher-a", "source": null, "targets": [
            target("lib", "/r/crates/a/src/lib.rs"),
            target("test", "/r/crates/a/tests/a.rs"),
            target("bin", "/r/crates/a/src/main.rs"),
        ]},
        {"name": "serde", "source": "registry", "targets": [target("lib", "/c/serde/lib.rs")]},
    ]});
    let files: Vec<String> = roots(Path::new("/r"), &metadata)
        .into_iter()
        .map(|root| root.file)
        .collect();
    assert_eq!(files, ["crates/a/src/lib.rs", "crates/a/src/main.rs"]);
}
