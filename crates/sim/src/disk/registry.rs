//! The made-up disks of this process by number: the first part of a file's name says which it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::state::State;

/// A disk as all who use it share it.
pub(super) type Shared = Arc<Mutex<State>>;

/// What the name of every file on a made-up disk begins with.
const PREFIX: &str = "usher-sim-disk-";

static DISKS: Mutex<BTreeMap<u64, Weak<Mutex<State>>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A panic elsewhere leaves these values whole: each is changed by what does not panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a disk its number.
pub(super) fn enter(disk: &Shared) -> u64 {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    lock(&DISKS).insert(number, Arc::downgrade(disk));
    number
}

/// Nobody opens anything on it from now on.
pub(super) fn leave(number: u64) {
    lock(&DISKS).remove(&number);
}

/// The name by which everybody opens a file of a disk.
pub(super) fn path(number: u64, name: &str) -> String {
    format!("{PREFIX}{number:08x}/{name}")
}

/// The disk that a file is on, and its name there.
pub(super) fn find(path: &str) -> Option<(Shared, &str)> {
    let (number, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let number = u64::from_str_radix(number, 16).ok()?;
    let disk = lock(&DISKS).get(&number)?.upgrade()?;
    Some((disk, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_on_its_own_disk_until_the_disk_is_gone() {
        let disks = [1, 2].map(|seed| Arc::new(Mutex::new(State::new(seed))));
        let [first, second] = [&disks[0], &disks[1]].map(enter);
        let (found, name) = find(&path(second, "cache.db-wal"))
            .map(|(disk, name)| (disk, name.to_owned()))
            .unwrap();
        assert!(Arc::ptr_eq(&found, &disks[1]));
        assert_eq!(name, "cache.db-wal");
        leave(first);
        leave(second);
        assert!(find(&path(second, "cache.db")).is_none());
        assert!(find("/etc/passwd").is_none());
    }
}
