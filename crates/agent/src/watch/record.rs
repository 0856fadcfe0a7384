//! Reads the records that `exec.bpf.c` writes into its ring; the numbers are the same there.

use usher_core::sessions::{ProcessKey, Stamp, Who};

use crate::base::clock;
use crate::system::{FileKey, account_key};

const FORK: u32 = 1;
const EXEC: u32 = 2;
const EXIT: u32 = 3;
const PROCESS_BYTES: usize = 40;
const FILE_WORDS: usize = 6;
const NAME_AT: usize = PROCESS_BYTES + 8 * FILE_WORDS;
/// What the kernel says of an account that was never set.
const UNSET: u32 = u32::MAX;

/// What the kernel knows of a process when it tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Nanoseconds since boot.
    pub(super) at_ns: u64,
    pub(super) key: ProcessKey,
    pub(super) parent: u32,
    pub(super) who: Who,
}

impl Told {
    /// The instant of the event.
    pub(super) fn at(&self) -> Stamp {
        clock::at_ns(self.at_ns, clock::now())
    }
}

/// A file under a name, as the kernel knows it: path (0: not known), inode, size, times of change
/// in nanoseconds, device. What the agent's [`FileKey`] says of the device can differ: btrfs and
/// overlays make up their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KnownAs(pub(super) [u64; FILE_WORDS]);

impl KnownAs {
    /// Whether the path is part of it: else the same file under another name looks the same.
    pub(super) fn has_path(&self) -> bool {
        self.0[0] != 0
    }

    pub(super) fn inode(&self) -> u64 {
        self.0[1]
    }

    /// Whether that is this file, unchanged since.
    pub(super) fn is(&self, key: &FileKey) -> bool {
        let nanoseconds = |(seconds, rest): (i64, i64)| {
            let whole = seconds.wrapping_mul(1_000_000_000);
            whole.wrapping_add(rest).cast_unsigned()
        };
        let found = [
            key.inode,
            key.size.cast_unsigned(),
            nanoseconds(key.modified),
            nanoseconds(key.changed),
        ];
        self.0[1..=4] == found
    }
}

/// Something that a process did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// It was made by `parent`.
    Fork { parent: u32, told: Told },
    /// It runs another program from now on, which it was given by `name`.
    Exec {
        told: Told,
        file: KnownAs,
        name: Vec<u8>,
    },
    /// Its last thread has ended.
    Exit { told: Told },
}

/// One record; none if it is not one.
pub(super) fn parse(bytes: &[u8]) -> Option<Record> {
    let word = |index: usize| {
        let part = bytes.get(index * 4..index * 4 + 4)?;
        Some(u32::from_ne_bytes(part.try_into().ok()?))
    };
    let long = |index: usize| {
        let part = bytes.get(index * 8..index * 8 + 8)?;
        Some(u64::from_ne_bytes(part.try_into().ok()?))
    };
    let (parent, real, login) = (word(6)?, word(7)?, word(8)?);
    let name_bytes = word(9)? as usize;
    let key = ProcessKey {
        pid: word(1)?,
        start: clock::ticks(long(2)?),
    };
    let real = account_key::of_uid(real);
    let counted = match login {
        UNSET => real,
        login => account_key::of_uid(login),
    };
    let told = Told {
        at_ns: long(1)?,
        key,
        parent,
        who: Who { counted, real },
    };
    match word(0)? {
        FORK => Some(Record::Fork { parent, told }),
        EXEC => {
            let mut file = [0; FILE_WORDS];
            for (at, part) in file.iter_mut().enumerate() {
                *part = long(PROCESS_BYTES / 8 + at)?;
            }
            Some(Record::Exec {
                told,
                file: KnownAs(file),
                name: bytes.get(NAME_AT..NAME_AT + name_bytes)?.to_vec(),
            })
        }
        EXIT => Some(Record::Exit { told }),
        _ => None,
    }
}

/// One run that has ended, as `struct ended` has it: of which file, since when and until when, in
/// nanoseconds that the computer was awake since its boot.
pub(super) fn parse_ended(bytes: &[u8]) -> Option<(KnownAs, u64, u64)> {
    let mut words = [0; FILE_WORDS + 2];
    for (at, word) in words.iter_mut().enumerate() {
        let part = bytes.get(at * 8..at * 8 + 8)?;
        *word = u64::from_ne_bytes(part.try_into().ok()?);
    }
    let [path, inode, size, modified, changed, device, since, ended] = words;
    let file = KnownAs([path, inode, size, modified, changed, device]);
    Some((file, since, ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_has_ended_tells_of_which_file_and_how_long_and_a_part_of_one_nothing() {
        let words = [1, 2, 3, 4, 5, 6, 7_000, 9_000_u64];
        let bytes = words.map(u64::to_ne_bytes).concat();
        let file = KnownAs([1, 2, 3, 4, 5, 6]);
        assert_eq!(parse_ended(&bytes), Some((file, 7_000, 9_000)));
        assert_eq!(parse_ended(&bytes[1..]), None);
    }

    fn exec() -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend([EXEC, 7].map(u32::to_ne_bytes).concat());
        bytes.extend(
            [5_000_000_000, 4_990_000_000_u64]
                .map(u64::to_ne_bytes)
                .concat(),
        );
        bytes.extend([3, 1000, UNSET, 4].map(u32::to_ne_bytes).concat());
        bytes.extend(
            [9, 8, 2, 1_000_000_003, 4, 6_u64]
                .map(u64::to_ne_bytes)
                .concat(),
        );
        bytes.extend(b"/bin");
        bytes
    }

    #[test]
    fn a_record_of_a_start_tells_who_and_what() {
        let Some(Record::Exec { told, file, name }) = parse(&exec()) else {
            panic!("no record of a start");
        };
        assert_eq!(told.key, ProcessKey { pid: 7, start: 499 });
        assert_eq!(told.parent, 3);
        let (counted, real) = (account_key::of_uid(1000), account_key::of_uid(1000));
        assert_eq!(told.who, Who { counted, real });
        assert_eq!(name, b"/bin");
        let key = FileKey {
            device: 1,
            inode: 8,
            size: 2,
            modified: (1, 3),
            changed: (0, 4),
        };
        assert!(file.is(&key) && file.has_path());
        assert!(!file.is(&FileKey { inode: 9, ..key }));
        assert!(!file.is(&FileKey { size: 3, ..key }));
        assert!(!file.is(&FileKey {
            modified: (1, 4),
            ..key
        }));
        assert!(!file.is(&FileKey {
            changed: (1, 4),
            ..key
        }));
    }

    #[test]
    fn who_logged_in_counts_where_the_kernel_knows() {
        let mut bytes = exec();
        bytes[32..36].copy_from_slice(&1234_u32.to_ne_bytes());
        let Some(Record::Exec { told, .. }) = parse(&bytes) else {
            panic!("no record of a start");
        };
        let (counted, real) = (account_key::of_uid(1234), account_key::of_uid(1000));
        assert_eq!(told.who, Who { counted, real });
    }

    #[test]
    fn a_record_that_is_cut_short_is_none() {
        let whole = exec();
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
    }
}
