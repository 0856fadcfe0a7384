//! What this computer and this account are called.

/// The account's name, else its number.
pub(crate) fn user() -> String {
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => std::env::var("USER").unwrap_or_else(|_| uid.to_string()),
    }
}

/// The computer's name.
pub(crate) fn computer() -> String {
    match nix::unistd::gethostname() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => "localhost".to_owned(),
    }
}

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
