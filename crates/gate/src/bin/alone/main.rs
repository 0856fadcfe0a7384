//! Gate and guard without the rest of Usher, for tests of the gate: a process of its own that ends
//! at once where the gate takes memory while it serves.

#![deny(unsafe_code)]

mod allocator;

use std::process::ExitCode;

fn main() -> ExitCode {
    usher_gate::entered(std::env::args_os()).unwrap_or(ExitCode::FAILURE)
}
