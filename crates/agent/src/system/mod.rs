//! What the operating system says of processes, files and terminals, for all of the agent: it knows
//! nothing of the agent's own.

pub(crate) mod account_key;
pub(crate) mod accounts;
pub(crate) mod computer;
mod file_key;
pub mod mounts;
pub(crate) mod procfs;
pub(crate) mod terminal;

pub(crate) use self::file_key::FileKey;
