//! What tests of several crates share. [`undo`] gives back the computer that a test has changed, and
//! [`control`] tells what is late from what is merely slow on a busy computer.
#![forbid(unsafe_code)]

pub mod control;
pub mod undo;
