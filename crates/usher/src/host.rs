//! What this computer and this account are called, and where settings are.

pub(crate) use usher_platform::host::{
    computer_name as computer, own_settings, settings, user_name as user,
};

/// A new random key for a request that may have to be repeated.
pub(crate) fn request_key() -> String {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Only uniqueness is asked of it: a process has one such instant.
        let now = jiff::Timestamp::now().as_nanosecond();
        return format!("{}-{now}", std::process::id());
    }
    data_encoding::HEXLOWER.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_request_keys_are_never_the_same() {
        assert_ne!(request_key(), request_key());
    }
}
