//! One line for the log of the whole system, from a program that is no service of it.

use std::io;

use crate::system::system_log as system;

pub use crate::terms::Weight;

/// Writes a line of `program`, without control characters; never waits. A computer without a system
/// log is no error.
///
/// # Errors
/// The log is there and takes nothing, or this system's is not supported yet.
pub fn write(program: &str, weight: Weight, text: &str) -> io::Result<()> {
    system::write(program, weight, &one_line(text))
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_lines_is_one_line_there() {
        assert_eq!(one_line("one\ntwo\u{7}"), "one two ");
    }
}
