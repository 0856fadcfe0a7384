//! What tests of several crates share. [`undo`] gives back the computer that a test has changed,
//! [`control`] tells what is late from what is merely slow on a busy computer, and [`surroundings`]
//! hides what a computer has of its own; [`postgres`] starts a PostgreSQL; [`windows`] makes programs
//! of Windows with a version resource.
#![forbid(unsafe_code)]

pub mod control;
pub mod postgres;
pub mod surroundings;
pub mod undo;
pub mod windows;
