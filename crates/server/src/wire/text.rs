//! A JSON text that is written straight into one buffer: of what is answered most.

use usher_core::ledger::{DecisionId, LeaseId};

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
        // A look at all bytes takes several at once; hardly any text has one to be escaped.
        let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        match text.bytes().fold(false, |any, b| any | is_escaped(b)) {
            false => self.bytes.extend_from_slice(text.as_bytes()),
            true => text.bytes().for_each(|byte| self.escaped(byte)),
        }
        self.bytes.push(b'"');
        self
    }

    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' => self.bytes.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                self.bytes.extend_from_slice(b"\\u00");
                self.hex_digit(byte >> 4);
                self.hex_digit(byte);
            }
            _ => self.bytes.push(byte),
        }
    }

    /// A number.
    pub(crate) fn number(&mut self, value: u64) -> &mut Self {
        self.raw(itoa::Buffer::new().format(value))
    }

    fn hex_digit(&mut self, nibble: u8) {
        self.bytes
            .push(b"0123456789abcdef"[usize::from(nibble & 0xf)]);
    }

    /// Bytes as a string of hexadecimal digits.
    pub(super) fn hex(&mut self, bytes: &[u8]) {
        self.bytes.push(b'"');
        for byte in bytes {
            self.hex_digit(byte >> 4);
            self.hex_digit(*byte);
        }
        self.bytes.push(b'"');
    }

    /// An id of that letter, incarnation and number.
    pub(super) fn id(&mut self, letter: u8, incarnation: u32, number: u64) -> &mut Self {
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

    /// A decision's id.
    pub(super) fn decision_id(&mut self, id: DecisionId) -> &mut Self {
        self.id(b'D', id.incarnation.0, id.number.0)
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
        let two = |value: u64| [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8];
        let mut text = *b"\"YYYY-MM-DDThh:mm:ss.mmmZ\"";
        for (place, value) in [
            (1, year / 100),
            (3, year % 100),
            (6, month as u64),
            (9, day as u64),
            (12, ms / 3_600_000),
            (15, ms / 60_000 % 60),
            (18, ms / 1_000 % 60),
            (22, ms % 100),
        ] {
            text[place..place + 2].copy_from_slice(&two(value));
        }
        text[21] = b'0' + (ms / 100 % 10) as u8;
        self.bytes.extend_from_slice(&text);
        self
    }
}

#[cfg(test)]
mod tests {
    use usher_api::Timestamp;

    use super::*;

    fn text(write: impl FnOnce(&mut Writer)) -> String {
        let mut to = Writer::with_capacity(0);
        write(&mut to);
        String::from_utf8(to.into_bytes()).unwrap()
    }

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
}
