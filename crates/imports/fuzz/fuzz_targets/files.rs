//! Any bytes are read as a file of each kind: `cargo xtask fuzz flexnet-log`, which says the kind by
//! `USHER_KIND`. Without it the first byte says the kind.
#![no_main]

mod how;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use usher_imports::{Import, Kind, ProductMap};

use how::how;

static ONE_KIND: LazyLock<Option<Kind>> = LazyLock::new(|| {
    let name = std::env::var("USHER_KIND").ok()?;
    Some(Kind::of_word(&name).expect("a kind of files"))
});

fuzz_target!(|bytes: &[u8]| {
    let (kind, file) = match (*ONE_KIND, bytes.split_first()) {
        (Some(kind), _) => (kind, bytes),
        (None, Some((first, file))) => (Kind::ALL[usize::from(*first) % Kind::ALL.len()], file),
        (None, None) => return,
    };
    let how = how(kind);
    let written = how.written;
    let mut import = Import::new(how, ProductMap::default(), &[]);
    let mut rows = 0;
    let mut sink = |row: usher_imports::Row| {
        assert!(row.key.len() <= 64);
        rows += 1;
    };
    // Two files: what one leaves open the other finds.
    for mut part in file.split_inclusive(|byte| *byte == 0xFF) {
        import.file(&mut part, written, &mut sink).expect("bytes can be read");
    }
    let summary = import.finish(&mut sink);
    assert_eq!(summary.rows, rows);
    assert!(summary.understood <= summary.lines);
});
