//! A storm: twenty people start programs at random, while the server is killed, the network cut,
//! the agent ended and the products changed; and a judge, who saw all of it from outside.

pub(crate) mod books;
pub(crate) mod dice;
pub(crate) mod judge;
mod pairing;
pub(crate) mod policies;
pub(crate) mod products;
pub(crate) mod site;
pub(crate) mod users;
pub(crate) mod weather;

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970: all that is compared happens on one computer.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
