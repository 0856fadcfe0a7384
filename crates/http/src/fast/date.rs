//! The date in an answer's head, written once a second on each thread.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;

/// Appends the date as an HTTP date (RFC 9110, 5.6.7). It is looked up once in each `second` of this
/// thread's coarse clock, and so at most about one too early.
pub(super) fn put(to: &mut Vec<u8>, second: u32) {
    WRITTEN.with_borrow_mut(|(of, text)| {
        if *of != Some(second) {
            *of = Some(second);
            *text = date(SystemTime::now());
        }
        to.extend_from_slice(text.as_bytes());
    });
}

fn date(now: SystemTime) -> String {
    // The years that an HTTP date can be of.
    let latest = UNIX_EPOCH + Duration::from_secs(LATEST_SECONDS);
    HttpDate::from(now.clamp(UNIX_EPOCH, latest)).to_string()
}

/// The last second of the year 9999.
const LATEST_SECONDS: u64 = 253_402_300_799;

thread_local! {
    /// The coarse second and the date in it.
    static WRITTEN: RefCell<(Option<u32>, String)> = const { RefCell::new((None, String::new())) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_one_whatever_the_clock_says() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(LATEST_SECONDS * 2), "Fri, 31 Dec 9999 23:59:59 GMT");
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(date(before), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn a_date_is_looked_up_again_in_another_second() {
        let written = |second| {
            let mut text = Vec::new();
            put(&mut text, second);
            text
        };
        let first = written(1);
        WRITTEN.with_borrow_mut(|(_, text)| *text = "old".to_owned());
        assert_eq!(written(1), b"old");
        assert_eq!(written(2).len(), first.len());
    }
}
