//! The bytes of what form 2 of the journal has besides form 1, as they lie in a file of the
//! repository. If this test fails, see [`super::golden`].

use usher_core::ledger::{Details, EntitlementNumber, Event};

use super::{decode, encode};

const JOURNAL: &[u8] = include_bytes!("../../../tests/fixtures/journal-form-2.bin");

fn events() -> [Event; 2] {
    [
        Event::EntitlementDescribed {
            entitlement: EntitlementNumber(1 << 40),
            details: Details {
                name: Some("cad-2026".into()),
                document: r#"{"notice_days":90}"#.into(),
            },
        },
        Event::EntitlementDescribed {
            entitlement: EntitlementNumber(7),
            details: Details::default(),
        },
    ]
}

#[test]
fn every_event_of_form_2_is_read_from_the_golden_file_and_written_as_it_stands_there() {
    let read = decode(JOURNAL, events().len()).expect("the golden file is read");
    assert_eq!(read, events());
    let mut written = Vec::new();
    encode(&events(), &mut written).expect("events are written");
    assert!(written == JOURNAL, "the form has changed");
}

/// If the form stands in a frame.
const FORM_AT: usize = 4;

#[test]
fn what_the_version_before_knows_is_written_as_it_reads_it() {
    let mut written = Vec::new();
    encode(&[Event::Paused], &mut written).expect("events are written");
    assert_eq!(written[FORM_AT], 1);
    assert_eq!(JOURNAL[FORM_AT], 2);
}
