//! `scontrol show licenses`: records of `Key=Value`, on one line each with `-o`, else over some lines.
//!
//! `Used` counts what the cluster's own jobs use. A licence with `Remote=yes` may be used by others, too:
//! `LastConsumed` is what Slurm was last told of the use by all, so it counts if it is more than `Used`.

use crate::asked::{Asked, Pools};
use crate::fact::Feature;
use crate::reading::{Out, Reader};

/// Keys that say nothing of seats.
const OTHER_KEYS: [&str; 5] = ["Free", "Remote", "LastDeficit", "LastUpdate", "LastUpdated"];

/// Reads `scontrol show licenses`. A licence's name is the feature's, with `@SERVER` if it has one.
#[derive(Debug)]
pub struct Slurm {
    pools: Pools,
}

impl Slurm {
    /// A reader of what was asked then.
    pub fn new(asked: Asked) -> Slurm {
        Slurm {
            pools: Pools::new(asked),
        }
    }

    fn pair(&mut self, key: &str, value: &str, out: &mut Out<'_>) -> bool {
        if key == "LicenseName" {
            let name = value.to_owned();
            self.pools.begin(Feature { daemon: None, name }, out);
            return !value.is_empty();
        }
        let Some(pool) = self.pools.open() else {
            return false;
        };
        let number = value.parse::<u64>().ok();
        match key {
            "Total" => pool.issued = number,
            "Used" => pool.in_use = number,
            "LastConsumed" => pool.in_use = pool.in_use.max(number),
            "Reserved" => {
                let seats = number.and_then(|seats| u32::try_from(seats).ok());
                if let Some(seats @ 1..) = seats {
                    pool.reserved = vec![("a reservation".to_owned(), seats)];
                }
            }
            _ => return OTHER_KEYS.contains(&key),
        }
        number.is_some()
    }
}

impl Reader for Slurm {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let words = line.split_whitespace();
        if line.trim() == "No licenses configured in Slurm." {
            return out.understood();
        }
        let mut all = true;
        for word in words {
            let pair = word.split_once('=');
            // A time of the form `2006-01-02 15:04:05` is cut at its blank.
            let is_clock = word.starts_with(|letter: char| letter.is_ascii_digit());
            all &= match pair {
                Some((key, value)) => self.pair(key, value, out),
                None => is_clock && word.contains(':'),
            };
        }
        match all {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.pools.close(out);
    }
}

#[cfg(test)]
mod tests;
