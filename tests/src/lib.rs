//! Black-box tests of the built `usher`: see `main.rs`, one module for each promise to a user.

#![forbid(unsafe_code)]
