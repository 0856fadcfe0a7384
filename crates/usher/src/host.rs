//! What this computer and this account are called, and the one message to systemd.

use std::io;
use std::os::unix::net::UnixDatagram;

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

/// Tells systemd that this service is ready, where it wants to know.
pub(crate) fn notify_ready() {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    // Nothing depends on it but systemd's patience, and it says so itself.
    if let Err(error) = notify(&address, b"READY=1") {
        tracing::warn!(%error, "cannot tell systemd that this service is ready");
    }
}

/// sd_notify(3): one datagram to a path, or to an abstract address, written with a leading `@`.
fn notify(address: &std::ffi::OsStr, message: &[u8]) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    let socket = UnixDatagram::unbound()?;
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => std::os::unix::net::SocketAddr::from_abstract_name(name)?,
        None => std::os::unix::net::SocketAddr::from_pathname(address)?,
    };
    socket.send_to_addr(message, &address).map(drop)
}

/// A new random key for a request that may have to be repeated.
pub(crate) fn request_key() -> String {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Only uniqueness is asked of it: a process has one such instant.
        let now = jiff::Timestamp::now().as_nanosecond();
        return format!("{}-{now}", std::process::id());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique() -> String {
        format!("usher-test-{}", request_key())
    }

    #[test]
    fn systemd_is_told_over_a_path_and_over_an_abstract_address() {
        use std::os::linux::net::SocketAddrExt;
        let path = std::env::temp_dir().join(unique());
        let by_path = UnixDatagram::bind(&path).unwrap();
        notify(path.as_os_str(), b"READY=1").unwrap();
        let name = unique();
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        notify(format!("@{name}").as_ref(), b"READY=1").unwrap();
        for socket in [by_path, by_name] {
            let mut buffer = [0; 64];
            let length = socket.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"READY=1");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn two_request_keys_are_never_the_same() {
        assert_ne!(request_key(), request_key());
    }
}
