//! Why something about a service was not done.

use std::path::Path;

use usher_service::AskError;
use usher_service::files::Role;

use crate::failure::{Failure, exit};

/// The next step for a user who may not change a service.
const BY_SUDO: &str = "Services are the administrator's: call it by sudo.";

/// Why a file of a service could not be written or removed.
pub(super) fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot {doing} {}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::new(exit::REFUSED, what).next(BY_SUDO),
        _ => Failure::failed(what),
    }
}

/// What systemctl answers if the user lacks the rights.
const MAY_NOT: [&str; 3] = [
    "authentication required",
    "Access denied",
    "Permission denied",
];

/// Why a service manager did not do what it was asked for a role.
pub(super) fn not_done(error: AskError, role: Role) -> Failure {
    if let AskError::Refused { why, .. } = &error
        && MAY_NOT.iter().any(|words| why.contains(words))
    {
        return Failure::new(exit::REFUSED, error.to_string()).next(BY_SUDO);
    }
    let next = match &error {
        AskError::NoManager { .. } => {
            "`usher up` starts everything without a service manager.".to_owned()
        }
        _ => format!(
            "`usher service query {}` and `journalctl -u {}` tell more.",
            role.name(),
            role.service()
        ),
    };
    Failure::failed(error.to_string()).next(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_change_a_service_is_refused_and_told_to_call_it_by_sudo() {
        let refused = |why: &str| {
            let command = "systemctl start usher-server.service".to_owned();
            let why = why.to_owned();
            not_done(AskError::Refused { command, why }, Role::Server)
        };
        let failure = refused("Failed to start: Interactive authentication required.");
        assert_eq!(failure.code(), exit::REFUSED);
        assert!(failure.to_string().contains("by sudo"), "{failure}");
        assert_eq!(refused("Unit not found.").code(), exit::FAILED);
        let denied = std::io::ErrorKind::PermissionDenied.into();
        let failure = cannot("write", Path::new("/etc/x"), &denied);
        assert_eq!(failure.code(), exit::REFUSED);
    }
}
