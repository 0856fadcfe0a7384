//! Who owns a directory, and what its owner can exchange.

use std::os::unix::fs::{PermissionsExt, chown};

use super::*;

const OWNER: Owner = Owner {
    uid: 64_321,
    gid: 64_321,
};

#[test]
fn a_program_that_the_owner_can_exchange_is_found_out() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("bin");
    std::fs::create_dir(&inner).unwrap();
    let file = inner.join("usher");
    std::fs::write(&file, "").unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    mode(&file, 0o755);
    mode(&inner, 0o755);
    assert_eq!(OWNER.can_change(&file), None);
    mode(&inner, 0o777);
    assert!(OWNER.can_change(&file).is_some());
    mode(&inner, 0o1777);
    assert_eq!(OWNER.can_change(&file), None);
    mode(&inner, 0o775);
    chown(&inner, None, Some(OWNER.gid)).unwrap();
    assert!(OWNER.can_change(&file).is_some());
    mode(&inner, 0o755);
    assert_eq!(OWNER.can_change(&file), None);
    chown(&file, Some(OWNER.uid), None).unwrap();
    assert!(OWNER.can_change(&file).is_some());
}

#[test]
fn a_directory_that_the_usual_account_may_write_to_is_whose_its_data_is() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(of(folder.path()).unwrap(), None);
    let file = folder.path().join("cache.db");
    std::fs::write(&file, "").unwrap();
    chown(&file, Some(OWNER.uid), Some(OWNER.gid)).unwrap();
    let writable = PermissionsExt::from_mode(0o1771);
    std::fs::set_permissions(folder.path(), writable).unwrap();
    chown(folder.path(), None, Some(OWNER.gid)).unwrap();
    assert_eq!(of(folder.path()).unwrap(), Some(OWNER));
    // A second name: it may be anybody's.
    std::fs::hard_link(&file, folder.path().join("other")).unwrap();
    assert!(of(folder.path()).is_err());
}
