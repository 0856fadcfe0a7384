//! usher-gate: the process that answers the kernel when a program is to be started.
//!
//! Three processes. The *partner* (the agent) decides. The *gate* alone holds the kernel's
//! permission descriptor: it asks the partner, and lets run what is not answered in time. The
//! *guard* ends the gate when it is late itself. When one of the three ends, the gate's descriptor
//! is closed, and the kernel lets everything run that waited. The gate starts nobody, reads no
//! files, writes no log, and takes no memory once it serves.
//!
//! [`Gate`] is what the partner holds; [`entered`] is what its program calls first of all.
//! docs/gate.md tells how it works and how long a start may wait at most.

#![deny(unsafe_code)]

mod apart;
mod gate;
mod guard;
mod kernel;
mod partner;
mod passing;
mod patience;
mod protocol;
mod table;
mod watch;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::process::ExitCode;

pub use gate::is_serving;
pub use partner::{CommandNumber, Gate, Options, Question, StartError, Word};
pub use protocol::{Answer, Figures, FileId, FileState, Otherwise, QuestionNumber};
pub use table::{HELD_AT_MOST, KNOWN_AT_MOST};
pub use watch::GateWatch;

/// Serves as gate or as guard, if the command line says that this process is one (`usher gate`),
/// and gives its exit code. To be called before anything else is set up.
pub fn entered(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let (_program, role) = (args.next()?, args.next()?);
    if role != OsStr::new("gate") {
        return None;
    }
    let rest: Vec<String> = args.map_while(|arg| arg.into_string().ok()).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let code = match *rest.as_slice() {
        ["--guard"] => guard::serve(),
        ref limits => match gate::Limits::parse(limits) {
            Some(limits) => gate::serve(limits),
            None => by_hand(),
        },
    };
    Some(code)
}

fn by_hand() -> ExitCode {
    use std::io::Write;
    let said = "usher gate: the agent starts it; by hand there is nothing to do with it";
    // That nobody reads it is no failure.
    drop(writeln!(std::io::stderr(), "{said}"));
    ExitCode::from(2)
}
