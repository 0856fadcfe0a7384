//! The bytes of what form 3 of the journal has besides form 2, as they lie in a file of the
//! repository. If this test fails, see [`super::golden`].

use usher_core::ledger::{ComputerId, Event, SessionKey};

use super::{decode, encode};

const JOURNAL: &[u8] = include_bytes!("../../../tests/fixtures/journal-form-3.bin");

fn events() -> [Event; 1] {
    [Event::UnseatedProgram {
        session: SessionKey {
            computer: ComputerId(1 << 40),
            session: 300,
            incarnation: 7,
        },
        program: "solver".into(),
    }]
}

#[test]
fn every_event_of_form_3_is_read_from_the_golden_file_and_written_as_it_stands_there() {
    let read = decode(JOURNAL, events().len()).expect("the golden file is read");
    assert_eq!(read, events());
    let mut written = Vec::new();
    encode(&events(), &mut written).expect("events are written");
    assert!(written == JOURNAL, "the form has changed");
}
