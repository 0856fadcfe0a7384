//! Folders of policy files, and files that cannot be read.

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &tempfile::TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn failure(files: &[PathBuf]) -> String {
    match policy(files) {
        Ok(policy) => panic!("{policy:?}"),
        Err(unread) => unread.failure().to_string(),
    }
}

const CAD: &str = "policy = 1\n[[product]]\nid = \"cad\"\n";

#[test]
fn the_files_of_a_folder_are_one_policy_in_the_order_of_their_names() {
    let folder = folder();
    write(&folder, "b.toml", CAD.replace("cad", "b"));
    write(&folder, "a.toml", CAD.replace("cad", "a"));
    write(&folder, "a.toml~", "no policy");
    let read = policy(&[folder.path().to_owned()]).ok().unwrap();
    assert_eq!(read.policy.products.len(), 2);
    write(&folder, "c.toml", CAD.replace("cad", "a"));
    let said = failure(&[folder.path().to_owned()]);
    assert!(
        said.contains("c.toml:2: product a stands here again"),
        "{said}"
    );
    assert!(said.contains("a.toml:2 already"), "{said}");
}

#[test]
fn what_cannot_be_read_is_said_by_its_name() {
    let folder = folder();
    let said = failure(&[folder.path().to_owned()]);
    assert!(said.contains("has no file *.toml"), "{said}");
    let said = failure(&[folder.path().join("none.toml")]);
    assert!(
        said.contains("cannot read") && said.contains("none.toml"),
        "{said}"
    );
    let long = write(&folder, "long", vec![b'#'; SOURCE_LIMIT_BYTES + 1]);
    let said = failure(&[long]);
    assert!(said.contains("is longer than 1 MiB"), "{said}");
    let latin = write(&folder, "latin", b"policy = 1\n# gr\xf6\xdfer\n");
    let said = failure(&[latin]);
    assert!(said.contains("latin:2: it is not UTF-8"), "{said}");
}

#[test]
fn a_name_is_the_same_however_its_accents_are_written() {
    let folder = folder();
    let one = write(&folder, "one", CAD.replace("cad", "zoe\u{308}"));
    let other = write(&folder, "other", CAD.replace("cad", "zo\u{eb}"));
    let said = failure(&[one, other]);
    assert!(said.contains("stands here again"), "{said}");
}
