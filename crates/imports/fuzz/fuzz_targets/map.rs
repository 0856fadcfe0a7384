//! Any text is read as a table of products' names: `cargo xtask fuzz map`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_imports::ProductMap;

fuzz_target!(|text: &str| {
    if let Err(error) = ProductMap::read(text) {
        assert!(!error.to_string().is_empty());
    }
});
