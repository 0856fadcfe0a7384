//! The disk that a long run writes to.

use std::path::Path;

/// An error if less than `room_bytes` are free for what lies below `data`.
pub(crate) fn room_left(data: &Path, room_bytes: u64) -> Result<(), String> {
    let disk = rustix::fs::statvfs(data).map_err(|error| error.to_string())?;
    match disk.f_bavail.saturating_mul(disk.f_frsize) >= room_bytes {
        true => Ok(()),
        false => Err(format!(
            "less than {} GiB are free below {}: choose another folder with --folder",
            room_bytes >> 30,
            data.display()
        )),
    }
}
