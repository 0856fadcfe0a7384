//! Wayland's protocols about idleness, as code that `wayland-scanner` makes of protocol.xml.
//!
//! The crates that have them contain eighty more, and take longer to compile than most others.

// Code of a macro: its tables of interfaces point at each other, and share what C calls a pointer.
#![allow(unsafe_code, clippy::all, clippy::undocumented_unsafe_blocks)]
#![allow(missing_docs, unreachable_pub, dead_code, unused)]
#![allow(non_camel_case_types, non_upper_case_globals)]

use wayland_client;
use wayland_client::protocol::*;

use self::interfaces::*;

mod interfaces {
    use wayland_client::backend as wayland_backend;
    use wayland_client::protocol::__interfaces::*;

    wayland_scanner::generate_interfaces!("src/notify/idle/wayland/protocol.xml");
}

wayland_scanner::generate_client_code!("src/notify/idle/wayland/protocol.xml");
