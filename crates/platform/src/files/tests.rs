//! What holds at every end.

use super::*;

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_file_is_put_whole_in_place_of_another_and_over_a_draft_that_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let (path, draft) = (folder.path().join("it"), folder.path().join("it.new"));
    std::fs::write(&draft, "left by a killed one").unwrap();
    put(&path, &draft, Readers::Nobody, b"one").unwrap();
    assert_eq!(text(&path), "one");
    put(&path, &draft, Readers::Nobody, b"two").unwrap();
    assert_eq!(text(&path), "two");
    assert!(!draft.exists());
}

#[test]
fn a_private_file_is_made_once_and_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    open_private(&path).unwrap().write_all(b"held").unwrap();
    let mut held = String::new();
    open_private(&path)
        .unwrap()
        .read_to_string(&mut held)
        .unwrap();
    assert_eq!(held, "held");
    let again = create_new(&path, Readers::Nobody).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn a_file_is_renamed_over_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::write(&from, "new").unwrap();
    std::fs::write(&to, "old").unwrap();
    let refused = rename_new(&from, &to).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!((text(&from).as_str(), text(&to).as_str()), ("new", "old"));
    std::fs::remove_file(&to).unwrap();
    rename_new(&from, &to).unwrap();
    assert_eq!(text(&to), "new");
    assert!(!from.exists());
}

#[test]
fn folders_are_made_with_those_that_lead_there_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c");
    make_folders(&path, Readers::Nobody).unwrap();
    make_folders(&path, Readers::Everybody).unwrap();
    assert!(path.is_dir());
    let again = make_private_folder(&path).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(make_folders(&file, Readers::Nobody).is_err());
    assert!(make_folders(&file.join("below"), Readers::Nobody).is_err());
}

#[test]
fn a_file_is_the_same_by_each_name_and_another_that_takes_its_name_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::fs::write(&one, "").unwrap();
    std::fs::hard_link(&one, &two).unwrap();
    assert_eq!(identity(&one).unwrap(), identity(&two).unwrap());
    let other = folder.path().join("other");
    std::fs::write(&other, "").unwrap();
    std::fs::rename(&other, &one).unwrap();
    assert_ne!(identity(&one).unwrap(), identity(&two).unwrap());
    assert!(identity(&other).is_err());
}

#[test]
fn a_file_is_of_who_made_it_and_its_disk_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    std::fs::write(&path, "").unwrap();
    assert_eq!(
        owner(&std::fs::metadata(&path).unwrap()).unwrap(),
        Account::own().unwrap()
    );
    give_to_owner_of(folder.path(), &path).unwrap();
    let room = room(folder.path()).unwrap();
    assert!(room.free <= room.total && room.total > 0);
    sync_folder(folder.path()).unwrap();
}

#[test]
fn the_folder_of_a_bare_name_is_the_current_one() {
    assert_eq!(folder_of(Path::new("it")), Path::new("."));
    assert_eq!(folder_of(Path::new("in/it")), Path::new("in"));
}

#[test]
fn a_small_file_is_read_by_its_one_name_and_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("file"), folder.path().join("two"));
    std::fs::write(&file, "secret\n").unwrap();
    assert_eq!(read_own_text(&file, 7).unwrap(), "secret\n");
    let long = read_own_text(&file, 6).unwrap_err().to_string();
    assert_eq!(long, "it is too long");
    std::fs::hard_link(&file, &other).unwrap();
    let named = read_own_text(&file, 100).unwrap_err().to_string();
    assert_eq!(named, "it has more than one name");
    assert!(open_regular(folder.path()).is_err());
}
