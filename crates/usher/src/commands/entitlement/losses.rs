//! What becomes of who uses or waits for what is removed, in words.

use crate::output::counted;

/// What becomes of seats in use.
pub(crate) fn still_used(count: u64) -> String {
    let seats = counted(count, "seat");
    match count {
        1 => format!("{seats} of it is in use, and stays so until it is given back"),
        _ => format!("{seats} of it are in use, and stay so until they are given back"),
    }
}

/// What becomes of requests that wait.
pub(crate) fn waiting(count: u64) -> String {
    let requests = counted(count, "request");
    match count {
        1 => format!("{requests} waits for a seat of it, and is then refused"),
        _ => format!("{requests} wait for a seat of it, and are then refused"),
    }
}
