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
mod history;
mod manager;
mod notices;
pub mod object;
mod pack;
mod page;
mod price;
mod problem;
pub mod rights;
mod secret;
mod service;
mod site_usage;
mod status;
mod tokens;
mod unreached;

pub use agents::*;
pub use away::*;
pub use catalogue::*;
pub use checkout::*;
pub use collected::*;
pub use demand::*;
pub use facts::*;
pub use faults::*;
pub use history::*;
pub use jiff::Timestamp;
pub use manager::*;
pub use notices::*;
pub use pack::*;
pub use page::*;
pub use price::*;
pub use problem::*;
pub use secret::secret_in;
pub use service::*;
pub use site_usage::*;
pub use status::*;
pub use tokens::*;
pub use unreached::takes_connections;

/// The largest request body that a server reads, in bytes; a larger one is answered with 413.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// The longest name (product, user, computer, …) in bytes of UTF-8.
pub const NAME_LIMIT_BYTES: usize = 255;
/// Whether a name may not hold this character: what cannot be seen, or turns around what follows,
/// makes one name look like another. Control and format characters (Unicode's categories Cc and Cf,
/// as far as names of today may meet them), line and paragraph separators.
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
/// The longest ttl a product allows unless it is set otherwise.
pub const DEFAULT_MAX_TTL_SECONDS: u32 = 86_400;
/// How long a seat that came free for who waited is kept for their next start unless it is set
/// otherwise.
pub const DEFAULT_CLAIM_SECONDS: u32 = 300;
/// How long a request waits for more seats than there are before it is refused, unless it is set
/// otherwise.
pub const DEFAULT_IMPOSSIBLE_SECONDS: u32 = 60;
/// The longest that it may wait so.
pub const IMPOSSIBLE_LIMIT_SECONDS: u32 = 604_800;
/// The longest that it may be kept.
pub const CLAIM_LIMIT_SECONDS: u32 = 86_400;
/// How long a program has after its user was asked, unless it is set otherwise.
pub const DEFAULT_GRACE_SECONDS: u32 = 300;
/// The least and the most that it may have.
pub const GRACE_LIMITS_SECONDS: (u32, u32) = (10, 86_400);
/// The least and the most time that nobody may touch a program before its user is asked.
pub const IDLE_LIMITS_SECONDS: (u32, u32) = (10, 604_800);
