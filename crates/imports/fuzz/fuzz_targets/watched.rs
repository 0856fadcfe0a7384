//! Any bytes are what a watch is given, bit by bit: `cargo xtask fuzz watched`. The first byte says the
//! kind; a byte that no text has ends a part.
#![no_main]

mod how;

use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use usher_imports::{Import, Kind, ProductMap};

use how::how;

/// Kinds that are followed as a log grows; others are asked for again and again.
const LOGS: [Kind; 2] = [Kind::FlexnetLog, Kind::RlmLog];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let kind = Kind::ALL[usize::from(*first) % Kind::ALL.len()];
    let how = how(kind);
    let mut now = how.written;
    let mut import = Import::live(how, ProductMap::default(), &[]);
    let mut sink = |row: usher_imports::Row| assert!(row.key.len() <= 64);
    for part in rest.split(|byte| *byte == 0xFF) {
        now += SignedDuration::from_secs(30);
        if LOGS.contains(&kind) {
            import.it_is(now);
            import.part(part, &mut sink);
            if part.is_empty() {
                import.part_is_over(&mut sink);
            }
        } else if !import.report(part, now, &mut sink) {
            import.no_report(now, "nothing of it was understood");
        }
        import.so_far(false, &mut sink);
        let so_far = import.summary_so_far();
        assert!(so_far.understood <= so_far.lines);
    }
    import.finish(&mut sink);
});
