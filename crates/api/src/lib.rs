//! usher-api: the wire types of `/v1`, its error codes and a small client.
//!
//! Shared by every role and by users' programs. It knows nothing of how a server decides: it only
//! says what may be said. Times are RFC 3339 in UTC, durations are whole seconds in fields named
//! `*_seconds`, ids are opaque strings. Fields are added, never removed or redefined.

#![forbid(unsafe_code)]

mod agents;
mod away;
mod catalogue;
mod checkout;
pub mod client;
mod collected;
mod demand;
mod facts;
mod faults;
mod groups;
mod history;
mod imports;
mod last_use;
mod manager;
mod notices;
pub mod object;
mod pack;
mod page;
mod price;
mod problem;
mod report;
pub mod rights;
mod secret;
mod service;
mod site_usage;
mod status;
mod tokens;
mod unreached;
mod whatif;

pub use agents::*;
pub use away::*;
pub use catalogue::*;
pub use checkout::*;
pub use collected::*;
pub use demand::*;
pub use facts::*;
pub use faults::*;
pub use groups::*;
pub use history::*;
pub use imports::*;
pub use jiff::Timestamp;
pub use last_use::*;
pub use manager::*;
pub use notices::*;
pub use pack::*;
pub use page::*;
pub use price::*;
pub use problem::*;
pub use report::*;
pub use secret::secret_in;
pub use service::*;
pub use site_usage::*;
pub use status::*;
pub use tokens::*;
pub use unreached::takes_connections;
pub use whatif::*;

/// The largest request body that a server reads, in bytes; a larger one is answered with 413.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// The longest name (product, user, computer, …) in bytes of UTF-8.
pub const NAME_LIMIT_BYTES: usize = 255;
/// Whether names may not contain this character: an invisible one, or one that reverses what
/// follows, makes one name look like another. Control and format characters (Unicode's categories
/// Cc and Cf, those that occur in practice), line and paragraph separators.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The most seats that one checkout may ask for.
pub const SEATS_LIMIT: u32 = 100_000;
/// The longest ttl that a product allows by default, in seconds.
pub const DEFAULT_MAX_TTL_SECONDS: u32 = 86_400;
/// How long a seat is kept for the next start of a user who asked to be told, by default, in
/// seconds.
pub const DEFAULT_CLAIM_SECONDS: u32 = 300;
/// How long a request for more seats than there are waits before it is refused, by default, in
/// seconds.
pub const DEFAULT_IMPOSSIBLE_SECONDS: u32 = 60;
/// The largest value of `impossible_seconds`.
pub const IMPOSSIBLE_LIMIT_SECONDS: u32 = 604_800;
/// The largest value of `claim_seconds`.
pub const CLAIM_LIMIT_SECONDS: u32 = 86_400;
/// How long a program has after the notice to its user, by default, in seconds.
pub const DEFAULT_GRACE_SECONDS: u32 = 300;
/// The range of `grace_seconds`.
pub const GRACE_LIMITS_SECONDS: (u32, u32) = (10, 86_400);
/// The range of `idle_seconds`, besides 0.
pub const IDLE_LIMITS_SECONDS: (u32, u32) = (10, 604_800);
