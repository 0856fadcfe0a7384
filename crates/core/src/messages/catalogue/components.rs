//! The components that messages are about.

pub(super) const SERVER_MANAGER: &str = "server_manager";
/// The component of messages about one metering server.
pub const METERING_SERVER: &str = "metering_server";
pub(super) const LICENSING: &str = "licensing";
pub(super) const AGENTS: &str = "agents";
