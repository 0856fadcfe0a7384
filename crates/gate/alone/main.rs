//! Gate and guard without the rest of Usher, for tests of the gate: a process of its own that ends
//! at once if the gate takes memory while it serves, and that can be made to loop; and a partner
//! that a test can kill.

#![deny(unsafe_code)]

mod allocator;
mod fault;
mod partner;

use std::process::ExitCode;

fn main() -> ExitCode {
    fault::arm();
    usher_gate::entered(std::env::args_os()).unwrap_or_else(|| {
        let args: Vec<String> = std::env::args().skip(1).collect();
        match partner::serve(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        }
    })
}
