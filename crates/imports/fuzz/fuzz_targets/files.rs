//! Any bytes are read as a file of each kind: `cargo xtask fuzz flexnet-log`, which says the kind by
//! `USHER_KIND`. Without it the first byte says the kind.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use usher_imports::{How, Import, Kind, ProductMap};

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
    let written = Timestamp::from_second(1_796_061_600).expect("an instant");
    let how = How {
        kind,
        time_zone: None,
        site_zone: TimeZone::UTC,
        first_day: None,
        day_first: false,
        server: None,
        written,
        today: written.to_zoned_datetime(TimeZone::UTC).date(),
    };
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
