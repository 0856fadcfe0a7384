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
        "L000000ab-",
        "L000000ab--7",
        "L000000ab-+7",
        "L000000ab+7",
        "L000000ab-7 ",
        "L\u{e9}00000ab-7",
        "L000000ab-99999999999999999999",
    ] {
        assert!(wrong.parse::<LeaseId>().is_err(), "{wrong} was read");
    }
}

#[test]
fn every_id_is_written_as_the_formatter_would() {
    for incarnation in [0, 1, 0xab, 0x1234_5678, u32::MAX] {
        for number in [0, 9, 10, 1_234_567_890, u64::MAX] {
            let id = TicketId {
                incarnation: Incarnation(incarnation),
                number: EventNumber(number),
            };
            assert_eq!(id.to_string(), format!("T{incarnation:08x}-{number}"));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
