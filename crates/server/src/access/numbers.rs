//! The number of a request, by which the record of a change refers to it.

use usher_http::RequestId;

use crate::base::random::surrogate;

/// The number of a request: that of its id, if a server can have made the id; else a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestNumber {
    number: u64,
    /// Whether the client gave the request an id of another form: the log then says which number
    /// belongs to it.
    is_apart: bool,
}

impl RequestNumber {
    /// The number for a request with this id.
    pub(crate) fn of(id: &RequestId) -> RequestNumber {
        let known = match id {
            RequestId::Made(number) => Some(*number),
            RequestId::Given(text) => number_in(text),
        };
        RequestNumber {
            number: known.unwrap_or_else(surrogate),
            is_apart: known.is_none(),
        }
    }

    /// The number, for a record of a change.
    pub(crate) fn recorded(self) -> u64 {
        if self.is_apart {
            let recorded = format_args!("{:016x}", self.number);
            tracing::info!(%recorded, "the changes of this request are recorded with another id");
        }
        self.number
    }
}

/// The number that an id stands for, if a server could have made it: tables hold those below 2^63.
fn number_in(id: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_made = id.len() == 16 && id.bytes().all(is_digit);
    let number = is_made.then(|| u64::from_str_radix(id, 16).ok())??;
    i64::try_from(number).is_ok().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_server_could_have_made_is_recorded_as_it_is() {
        let given = |text: &str| RequestNumber::of(&RequestId::Given(text.into()));
        assert_eq!(given("00000000000000ab").recorded(), 0xab);
        assert_eq!(RequestNumber::of(&RequestId::Made(7)).recorded(), 7);
        for other in ["ab", "mine", "00000000000000AB", "8000000000000000"] {
            assert!(given(other).is_apart, "{other}");
        }
    }
}
