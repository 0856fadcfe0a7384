//! What tests of several crates share. [`undo`] gives back the computer that a test has changed,
//! [`control`] tells what is late from what is merely slow on a busy computer, and [`surroundings`]
//! hides what a computer has of its own.
#![forbid(unsafe_code)]

pub mod control;
pub mod surroundings;
pub mod undo;
