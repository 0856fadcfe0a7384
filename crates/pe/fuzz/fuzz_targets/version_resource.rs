//! Any bytes are read as a Windows program: `cargo xtask fuzz version-resource`. Programs of Windows in
//! `target/fuzz/corpus/version-resource` are what it begins with, if there are any.
#![no_main]

use std::cell::Cell;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let asked = Cell::new(0);
    let found = usher_pe::facts(|buffer, offset| {
        asked.set(asked.get() + buffer.len());
        let rest = usize::try_from(offset).ok().and_then(|at| file.get(at..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    });
    assert!(asked.get() <= usher_pe::READ_LIMIT_BYTES);
    let found = found.unwrap_or_default();
    for text in [found.original_name, found.version].into_iter().flatten() {
        assert!(!text.is_empty() && !text.contains(char::is_control));
        assert!(text.encode_utf16().count() <= 260);
    }
});
