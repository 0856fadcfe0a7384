//! A new version in place of the one that runs.
//!
//! KB Q299261 came with a service pack, and showed itself only at the next Sunday's pack. So a new
//! binary first does on a copy of the real data all that it will have to do: it starts, grants and
//! takes back, packs, obeys every control, is killed and comes back, and the version before takes
//! over again ([`rehearsal`]). Only then are the binaries exchanged ([`program`]) and the server
//! started again by whoever keeps it ([`host`]). Going back exchanges the binary, never the data.

pub(crate) mod arrival;
pub(crate) mod folder;
pub(crate) mod host;
pub(crate) mod program;
pub(crate) mod record;
pub(crate) mod rehearsal;
pub(crate) mod stage;
mod trial;
pub(crate) mod work;
