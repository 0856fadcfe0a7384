//! The answers of the hot routes, written straight into one buffer. They say exactly what the
//! types of usher-api say; a test holds the two against each other.

use usher_core::ledger::{self, Also, DecisionId, ItemReply, LeaseId, Now, TicketView};

use crate::secrets::proof::Proof;

/// A JSON text that grows.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty one with room.
    pub(crate) fn with_capacity(bytes: usize) -> Writer {
        Writer {
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Text as it is: punctuation and field names.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// A JSON string.
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.bytes.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = rest
            .iter()
            .position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))
        {
            self.bytes.extend_from_slice(&rest[..at]);
            match rest[at] {
                byte @ (b'"' | b'\\') => self.bytes.extend_from_slice(&[b'\\', byte]),
                control => {
                    self.bytes.extend_from_slice(b"\\u00");
                    self.hex_digit(control >> 4);
                    self.hex_digit(control);
                }
            }
            rest = &rest[at + 1..];
        }
        self.bytes.extend_from_slice(rest);
        self.bytes.push(b'"');
        self
    }

    /// A number.
    pub(crate) fn number(&mut self, mut value: u64) -> &mut Self {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
        self
    }

    fn hex_digit(&mut self, nibble: u8) {
        self.bytes
            .push(b"0123456789abcdef"[usize::from(nibble & 0xf)]);
    }

    /// Bytes as a string of hexadecimal digits.
    fn hex(&mut self, bytes: &[u8]) {
        self.bytes.push(b'"');
        for byte in bytes {
            self.hex_digit(byte >> 4);
            self.hex_digit(*byte);
        }
        self.bytes.push(b'"');
    }

    fn id(&mut self, letter: u8, incarnation: u32, number: u64) -> &mut Self {
        self.bytes.extend_from_slice(&[b'"', letter]);
        for shift in (0..8).rev() {
            self.hex_digit((incarnation >> (shift * 4)) as u8);
        }
        self.bytes.push(b'-');
        self.number(number);
        self.bytes.push(b'"');
        self
    }

    /// A lease's id.
    pub(crate) fn lease_id(&mut self, id: LeaseId) -> &mut Self {
        self.id(b'L', id.incarnation.0, id.number.0)
    }

    fn decision_id(&mut self, id: DecisionId) -> &mut Self {
        self.id(b'D', id.incarnation.0, id.number.0)
    }

    fn two(&mut self, value: u64) {
        self.bytes
            .extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
    }

    /// An instant, RFC 3339 in UTC with milliseconds.
    pub(crate) fn instant(&mut self, unix_ms: i64) -> &mut Self {
        let days = unix_ms.div_euclid(86_400_000);
        let ms = unix_ms.rem_euclid(86_400_000) as u64;
        // Days to a date of the proleptic Gregorian calendar, in eras of 400 years that begin in
        // March (Howard Hinnant's civil_from_days).
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = match month_from_march {
            0..=9 => month_from_march + 3,
            _ => month_from_march - 9,
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let Ok(year @ 0..=9_999) = u64::try_from(year) else {
            // Beyond what RFC 3339 can say.
            return self.raw(match unix_ms < 0 {
                true => "\"0000-01-01T00:00:00.000Z\"",
                false => "\"9999-12-30T22:00:00.000Z\"",
            });
        };
        self.bytes.push(b'"');
        self.two(year / 100);
        self.two(year % 100);
        self.bytes.push(b'-');
        self.two(month as u64);
        self.bytes.push(b'-');
        self.two(day as u64);
        self.bytes.push(b'T');
        self.two(ms / 3_600_000);
        self.bytes.push(b':');
        self.two(ms / 60_000 % 60);
        self.bytes.push(b':');
        self.two(ms / 1_000 % 60);
        self.bytes.push(b'.');
        self.bytes.push(b'0' + (ms / 100 % 10) as u8);
        self.two(ms % 100);
        self.raw("Z\"")
    }
}

/// The names that a lease shows, which the ledger's own record does not hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// Product id.
    pub(crate) product: &'a str,
    /// The person's name.
    pub(crate) user: &'a str,
    /// The computer's name.
    pub(crate) computer: &'a str,
}

/// What was asked for at once, where anything was.
fn also(to: &mut Writer, also: &[Also]) {
    for (place, other) in also.iter().enumerate() {
        to.raw(if place == 0 { ",\"also\":[" } else { "," });
        to.raw("{\"product\":").string(&other.product);
        to.raw(",\"seats\":").number(u64::from(other.seats));
        if let Some(lease) = other.lease {
            to.raw(",\"lease\":").lease_id(lease);
        }
        to.raw("}");
    }
    if !also.is_empty() {
        to.raw("]");
    }
}

/// A lease and what is held with it, with its time counted from `now`; its proof only for who has
/// just been granted it.
pub(crate) fn lease(
    to: &mut Writer,
    lease: &ledger::Lease,
    held_with: &[Also],
    now: Now,
    names: Names<'_>,
    proof: Option<Proof>,
) {
    let left_ms = lease.deadline.since_ms(now.steady);
    let expires_at = now
        .wall
        .0
        .saturating_add(i64::try_from(left_ms).unwrap_or(i64::MAX));
    to.raw("{\"id\":").lease_id(lease.id);
    to.raw(",\"product\":").string(names.product);
    to.raw(",\"user\":").string(names.user);
    to.raw(",\"computer\":").string(names.computer);
    to.raw(",\"seats\":").number(u64::from(lease.seats));
    to.raw(",\"granted_at\":").instant(lease.granted_at.0);
    to.raw(",\"expires_at\":").instant(expires_at);
    to.raw(",\"ttl_seconds\":").number(left_ms / 1_000);
    if let Some(proof) = proof {
        to.raw(",\"proof\":").hex(&proof);
    }
    also(to, held_with);
    to.raw("}");
}

/// 201 of a checkout. Its time counts from the grant, so that a repeat is the same answer.
pub(crate) fn granted(
    granted: &ledger::Lease,
    held_with: &[Also],
    names: Names<'_>,
    proof: Proof,
) -> Vec<u8> {
    let mut to = Writer::with_capacity(368 + names.user.len() + names.computer.len());
    let at = Now {
        steady: granted.granted,
        wall: granted.granted_at,
    };
    let decision = DecisionId {
        incarnation: granted.id.incarnation,
        number: granted.id.number,
    };
    to.raw("{\"decision\":\"granted\",\"decision_id\":")
        .decision_id(decision)
        .raw(",\"lease\":");
    lease(&mut to, granted, held_with, at, names, Some(proof));
    to.raw("}");
    to.into_bytes()
}

/// 200 of a renewal.
pub(crate) fn renewed(
    renewed: &ledger::Lease,
    held_with: &[Also],
    now: Now,
    names: Names<'_>,
) -> Vec<u8> {
    let mut to = Writer::with_capacity(256 + names.user.len() + names.computer.len());
    lease(&mut to, renewed, held_with, now, names, None);
    to.into_bytes()
}

/// 202 of a checkout. `expires_at` counts from when it was queued, as that of a repeat does.
pub(crate) fn queued(view: &TicketView, product: &str) -> Vec<u8> {
    let mut to = Writer::with_capacity(320);
    let ticket = &view.ticket;
    let expires_at = ticket
        .queued_at
        .0
        .saturating_add_unsigned(ledger::KEEP_SECONDS * 1_000);
    let decision = DecisionId {
        incarnation: ticket.id.incarnation,
        number: ticket.id.number,
    };
    to.raw("{\"decision\":\"queued\",\"decision_id\":")
        .decision_id(decision)
        .raw(",\"ticket\":{\"id\":")
        .id(b'T', ticket.id.incarnation.0, ticket.id.number.0)
        .raw(",\"product\":")
        .string(product)
        .raw(",\"position\":")
        .number(u64::from(view.position))
        .raw(",\"expected_wait_seconds\":");
    match view.expected_wait_seconds {
        Some(seconds) => to.number(seconds),
        None => to.raw("null"),
    };
    to.raw(",\"expires_at\":").instant(expires_at);
    also(&mut to, &view.also);
    to.raw("}}");
    to.into_bytes()
}

/// An item's outcome in the answer to an agent, after its `sequence` field.
pub(crate) fn outcome(to: &mut Writer, reply: &ItemReply) {
    match reply {
        ItemReply::Granted { lease, ttl_seconds } => {
            to.raw("\"outcome\":\"granted\",\"lease\":")
                .lease_id(*lease)
                .raw(",\"ttl_seconds\":")
                .number(u64::from(*ttl_seconds));
        }
        ItemReply::Unseated(reason) => {
            to.raw("\"outcome\":\"unseated\",\"reason\":")
                .string(crate::wire::words::reason(*reason).as_str());
            if *reason == ledger::Reason::Undecided {
                to.raw(",\"undecided\":true");
            }
        }
        ItemReply::Renewed { ttl_seconds } => {
            to.raw("\"outcome\":\"renewed\",\"ttl_seconds\":")
                .number(u64::from(*ttl_seconds));
        }
        ItemReply::Done => {
            to.raw("\"outcome\":\"done\"");
        }
        ItemReply::UnknownSession => {
            to.raw("\"outcome\":\"unknown_session\"");
        }
        ItemReply::UnknownProduct => {
            to.raw("\"outcome\":\"unknown_product\"");
        }
        ItemReply::Denied(denied) => {
            to.raw("\"outcome\":\"denied\",\"reason\":")
                .string(crate::wire::words::reason(denied.reason).as_str())
                .raw(",\"decision_id\":")
                .decision_id(denied.decision)
                .raw(",\"detail\":")
                .string(&crate::wire::words::held_program_denied(denied));
        }
        ItemReply::Undecided => {
            to.raw("\"outcome\":\"undecided\"");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::{CheckoutAnswer, SyncOutcome, SyncResult, Timestamp};
    use usher_core::ledger::*;

    fn text(write: impl FnOnce(&mut Writer)) -> String {
        let mut to = Writer::with_capacity(0);
        write(&mut to);
        String::from_utf8(to.into_bytes()).unwrap()
    }

    fn a_lease() -> ledger::Lease {
        ledger::Lease {
            id: LeaseId {
                incarnation: Incarnation(0xab),
                number: EventNumber(7),
            },
            product: ProductNumber(1),
            subject: SubjectId(1),
            computer: ComputerId(1),
            seats: 2,
            ttl_seconds: 300,
            deadline: Steady(305_000),
            granted_at: Wall(1_700_000_000_123),
            granted: Steady(5_000),
            draws: Default::default(),
            session: None,
            ticket: None,
            holders: Box::default(),
            graced: false,
            program: None,
            bundle: None,
        }
    }

    fn a_pack() -> [Also; 2] {
        [
            Also {
                product: "pack \"A\"".into(),
                seats: 4,
                lease: Some(LeaseId {
                    incarnation: Incarnation(0xab),
                    number: EventNumber(8),
                }),
            },
            Also {
                product: "pack B".into(),
                seats: 1,
                lease: None,
            },
        ]
    }

    const NAMES: Names<'static> = Names {
        product: "cad",
        user: "ann \"the\\boss\" Ünal",
        computer: "pc1",
    };

    #[test]
    fn instants_are_written_as_jiff_reads_them() {
        let mut ms = -62_000_000_000_000_i64;
        while ms < 250_000_000_000_000 {
            let written = text(|to| _ = to.instant(ms));
            let read: Timestamp = written.trim_matches('"').parse().unwrap();
            assert_eq!(read.as_millisecond(), ms, "{written}");
            ms += 86_400_000 * 97 + 12_345_678;
        }
        for leap in [951_782_400_000, 951_868_799_999, 951_868_800_000] {
            let written = text(|to| _ = to.instant(leap));
            let read: Timestamp = written.trim_matches('"').parse().unwrap();
            assert_eq!(read.as_millisecond(), leap, "{written}");
        }
        for beyond in [i64::MIN, i64::MAX] {
            let written = text(|to| _ = to.instant(beyond));
            written.trim_matches('"').parse::<Timestamp>().unwrap();
        }
    }

    #[test]
    fn strings_and_numbers_are_written_as_serde_reads_them() {
        for string in ["", "plain", "q\"u\\o\u{1}te\n", "Ünïcode 日本", "\\\"\\\""] {
            let written = text(|to| _ = to.string(string));
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), string);
        }
        for number in [0, 7, 10, 99, 100, u64::MAX] {
            assert_eq!(text(|to| _ = to.number(number)), number.to_string());
        }
    }

    #[test]
    fn a_grant_says_what_the_type_says() {
        let written = granted(&a_lease(), &a_pack(), NAMES, [0x0c; 16]);
        let answer: CheckoutAnswer = serde_json::from_slice(&written).unwrap();
        let CheckoutAnswer::Granted { decision_id, lease } = &answer else {
            panic!("{answer:?}");
        };
        assert_eq!(decision_id, "D000000ab-7");
        assert_eq!(lease.id, a_lease().id.to_string());
        assert_eq!((lease.user.as_str(), lease.seats), (NAMES.user, 2));
        assert_eq!(lease.granted_at.as_millisecond(), 1_700_000_000_123);
        assert_eq!(lease.expires_at.as_millisecond(), 1_700_000_300_123);
        assert_eq!(lease.ttl_seconds, 300);
        assert_eq!(lease.proof, Some("0c".repeat(16)));
        assert_eq!(lease.also[0].product, "pack \"A\"");
        assert_eq!(lease.also[0].lease.as_deref(), Some("L000000ab-8"));
        assert_eq!((lease.also[1].seats, &lease.also[1].lease), (1, &None));
        assert_same(&written, &answer);
    }

    #[test]
    fn a_place_in_the_queue_says_what_the_type_says() {
        let lease = a_lease();
        for expected_wait_seconds in [None, Some(12)] {
            let view = TicketView {
                ticket: ledger::Ticket {
                    id: TicketId {
                        incarnation: lease.id.incarnation,
                        number: lease.id.number,
                    },
                    product: lease.product,
                    subject: lease.subject,
                    computer: lease.computer,
                    seats: 1,
                    ttl_seconds: 300,
                    priority: 0,
                    queued_at: lease.granted_at,
                    state: ledger::TicketState::Waiting {
                        alive_until: Steady(35_000),
                        aside: None,
                    },
                    program: None,
                    bundle: None,
                },
                also: Box::from(a_pack()),
                position: 3,
                expected_wait_seconds,
                lease: None,
            };
            let written = queued(&view, "cad");
            let answer: CheckoutAnswer = serde_json::from_slice(&written).unwrap();
            let CheckoutAnswer::Queued { ticket, .. } = &answer else {
                panic!("{answer:?}");
            };
            assert_eq!((ticket.position, ticket.id.as_str()), (3, "T000000ab-7"));
            assert_eq!(ticket.also.len(), 2);
            assert_eq!(ticket.expires_at.as_millisecond(), 1_700_000_030_123);
            assert_same(&written, &answer);
        }
    }

    #[test]
    fn outcomes_say_what_the_type_says() {
        let lease = a_lease().id;
        let replies = [
            (
                ItemReply::Granted {
                    lease,
                    ttl_seconds: 300,
                },
                SyncOutcome::Granted {
                    lease: lease.to_string(),
                    ttl_seconds: 300,
                },
            ),
            (
                ItemReply::Unseated(ledger::Reason::NoSeat),
                SyncOutcome::Unseated {
                    reason: usher_api::Reason::NoSeat,
                    undecided: false,
                },
            ),
            (
                ItemReply::Unseated(ledger::Reason::Undecided),
                SyncOutcome::Unseated {
                    reason: usher_api::Reason::NoSeat,
                    undecided: true,
                },
            ),
            (
                ItemReply::Renewed { ttl_seconds: 9 },
                SyncOutcome::Renewed { ttl_seconds: 9 },
            ),
            (ItemReply::Done, SyncOutcome::Done),
            (ItemReply::UnknownSession, SyncOutcome::UnknownSession),
            (ItemReply::UnknownProduct, SyncOutcome::UnknownProduct),
            (
                ItemReply::Denied(Box::new(ledger::DeniedItem {
                    decision: DecisionId {
                        incarnation: lease.incarnation,
                        number: lease.number,
                    },
                    reason: ledger::Reason::NoSeat,
                    product: "cad".into(),
                    seats: 1,
                    scene: ledger::Scene {
                        seats: 2,
                        in_use: 2,
                        queued: 0,
                    },
                })),
                SyncOutcome::Denied {
                    reason: usher_api::Reason::NoSeat,
                    decision_id: "D000000ab-7".to_owned(),
                    detail: "all 2 seats of cad are in use: start it again later, or wait for a \
                             seat with `usher run --product cad --wait -- PROGRAM`"
                        .to_owned(),
                },
            ),
            (ItemReply::Undecided, SyncOutcome::Undecided),
        ];
        for (reply, said) in replies {
            let mut to = Writer::with_capacity(64);
            to.raw("{\"sequence\":").number(4).raw(",");
            outcome(&mut to, &reply);
            to.raw("}");
            let read: SyncResult = serde_json::from_slice(&to.into_bytes()).unwrap();
            assert_eq!((read.sequence, read.outcome), (4, said));
        }
    }

    /// The same fields and values as serde would write, instants aside, whose fraction may be
    /// written longer.
    fn assert_same(written: &[u8], answer: &impl serde::Serialize) {
        fn instants_as_numbers(value: &mut serde_json::Value) {
            match value {
                serde_json::Value::Object(fields) => {
                    fields.values_mut().for_each(instants_as_numbers);
                }
                serde_json::Value::String(text) => {
                    if let Ok(instant) = text.parse::<Timestamp>() {
                        *value = instant.as_millisecond().into();
                    }
                }
                _ => {}
            }
        }
        let mut ours: serde_json::Value = serde_json::from_slice(written).unwrap();
        let mut theirs = serde_json::to_value(answer).unwrap();
        instants_as_numbers(&mut ours);
        instants_as_numbers(&mut theirs);
        assert_eq!(ours, theirs);
    }
}
