//! What other licence servers know: readers of their licence files, options files, logs and status
//! reports, all into one form ([`Fact`]), and from there into the rows and the answer of an import
//! ([`Import`]).
//!
//! A reader is given lines and opens nothing. What it does not understand is counted by its shape; a bad
//! line ends nothing. Dates that say no year, or no zone, are read by [`dates`], against the file's own
//! time and never against today's.

#![forbid(unsafe_code)]

pub mod asked;
pub mod configmgr;
pub mod dates;
pub mod decode;
pub mod dsls;
pub mod fact;
pub mod flexnet;
mod import;
mod instant;
pub mod kind;
pub mod lmx;
pub mod lsmon;
pub mod lstc;
pub mod olicense;
pub mod pairing;
mod reading;
mod record;
pub mod rlm;
pub mod sessions_csv;
mod shape;
pub mod slurm;
pub mod summary;
mod taken;
mod xml;

pub use asked::Asked;
pub use fact::Fact;
pub use import::{How, Import, licences, options};
pub use kind::guess;
pub use reading::{Counts, LINE_LIMIT_BYTES, NotUnderstood, Out, Reader, SHAPES_LIMIT, read_all};
pub use summary::ProductMap;
pub use taken::Taken;
pub use usher_api::{ImportKind as Kind, ImportRow as Row};
