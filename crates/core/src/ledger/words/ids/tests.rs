//! Ids as they are written and read.

use super::*;

#[test]
fn an_id_is_read_back_as_it_was_written_and_in_no_other_form() {
    let id = LeaseId {
        incarnation: Incarnation(0xab),
        number: EventNumber(7),
    };
    assert_eq!(id.to_string(), "L000000ab-7");
    assert_eq!("L000000ab-7".parse(), Ok(id));
    for wrong in [
        "",
        "L",
        "Lab-7",
        "L000000ab-07",
        "T000000ab-7",
        "L000000AB-7",
        "L-7",
        "l",
    ] {
        assert!(wrong.parse::<LeaseId>().is_err(), "{wrong} was read");
    }
}
