//! A message as a mail: a subject of whole words; component, computer, what to do and a link.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_api::StatusMessage;
use usher_core::messages::entry;

use crate::smtp::Relay;

/// The longest text of a message in a subject, in characters.
const SUBJECT_CHARS: usize = 90;
/// The mark in a subject for text that is left out.
const MORE: &str = " ...";
/// Bytes in one encoded word of a header: RFC 2047 allows 75 characters with its frame.
const ENCODED_BYTES: usize = 42;

/// How mail is sent, and what it says about the manager.
#[derive(Debug, Clone, Default)]
pub struct MailOptions {
    /// The relay; none: `/usr/sbin/sendmail` of the manager's computer.
    pub relay: Option<Relay>,
    /// The sender; none: `usher@COMPUTER`.
    pub from: Option<String>,
    /// The URL of the manager's page; none: mails have no link.
    pub link: Option<String>,
}

/// The sender, the recipient and the link of a mail.
pub(crate) struct Envelope<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) link: Option<&'a str>,
}

/// The mail's headers and text, with lines that end by LF. Times are those of a zone, and say it.
pub(crate) fn text(message: &StatusMessage, envelope: &Envelope<'_>, zone: &TimeZone) -> String {
    let Envelope { from, to, link } = envelope;
    let known = entry(message.id);
    let about = match &message.server {
        Some(server) => format!("the metering server {server}"),
        None => format!("the {}", message.component.replace('_', " ")),
    };
    let often = match message.count {
        1 => String::new(),
        count => format!(
            ", seen {count} times, last at {}",
            said(message.last_at, zone)
        ),
    };
    let more = match link {
        Some(link) => format!(
            "{link}\n            `usher messages explain {}`",
            message.id
        ),
        None => format!("`usher messages explain {}`", message.id),
    };
    let over = match message.recovered_at {
        Some(at) => format!("Over since  {}\n", said(at, zone)),
        None => String::new(),
    };
    let now = Timestamp::now();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&now);
    format!(
        "From: {from}\nTo: {to}\nSubject: {subject}\nDate: {date}\n\
         Message-ID: <usher.{record}.{sent}@{host}>\nAuto-Submitted: auto-generated\n\
         MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\n\
         {text}\n\n\
         About       {about}\n\
         Where       {site}, told by the manager on {computer}\n\
         Since       {first}{often}\n{over}\
         What        {severity}, message {id}: {meaning}\n\
         What to do  {check}\n\
         Usher       {does}\n\
         More        {more}\n",
        subject = header(&subject(message)),
        date = date.unwrap_or_default(),
        record = message.record_id,
        sent = now.as_millisecond(),
        host = from.rsplit('@').next().unwrap_or("usher"),
        text = message.text,
        // A site that nobody has named is called `site`.
        site = match message.site.as_str() {
            "site" => "this site".to_owned(),
            named => format!("site {named}"),
        },
        computer = message.computer,
        first = said(message.first_at, zone),
        severity = message.severity,
        id = message.id,
        meaning = known.meaning,
        check = known.check_of(&message.values),
        does = known.does,
    )
}

/// A time as people read it: to the second, with its time zone.
fn said(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned_datetime(zone.clone());
    at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

fn subject(message: &StatusMessage) -> String {
    let over = match message.recovered_at {
        Some(_) => " (over)",
        None => "",
    };
    let said = whole_words(&message.text, SUBJECT_CHARS);
    format!("[usher] {}{over}: {said}", message.severity)
}

/// A text of at most so many characters, cut between words, with a mark if something is left out.
fn whole_words(text: &str, at_most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= at_most {
        return text;
    }
    let fits = |mark: &str| -> String {
        let chars = at_most.saturating_sub(mark.len());
        text.chars().take(chars + 1).collect()
    };
    // One character more than fits, so that a word that ends there is kept.
    match fits(MORE).rsplit_once(' ') {
        // Nothing comes after a colon that is cut there.
        Some((said, _)) => {
            let said =
                said.trim_end_matches(|c: char| !c.is_alphanumeric() && !")]\"'%".contains(c));
            format!("{said}{MORE}")
        }
        // A word that is too long by itself.
        None => {
            let said = fits(MORE.trim_start());
            let cut = said.char_indices().last().map_or(0, |(at, _)| at);
            format!("{}{}", &said[..cut], MORE.trim_start())
        }
    }
}

/// A text in a header, in encoded words (RFC 2047) if it is not plain ASCII.
fn header(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.is_ascii() {
        return text;
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= ENCODED_BYTES => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let encoded = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> StatusMessage {
        let at = Timestamp::UNIX_EPOCH;
        StatusMessage {
            record_id: 7,
            id: 9431,
            severity: "warning".to_owned(),
            kind: "milestone".to_owned(),
            component: "licensing".to_owned(),
            computer: "mgr1".to_owned(),
            site: "lab".to_owned(),
            server: Some("alpha".to_owned()),
            time: at,
            values: Vec::new(),
            text: text.to_owned(),
            count: 3,
            first_at: at,
            last_at: at,
            recovered_at: None,
        }
    }

    fn of(message: &StatusMessage, link: Option<&str>) -> String {
        let envelope = Envelope {
            from: "usher@lab.example",
            to: "ops@lab.example",
            link,
        };
        text(message, &envelope, &TimeZone::UTC)
    }

    #[test]
    fn a_mail_says_who_where_what_to_do_and_where_to_see_more() {
        let before = Timestamp::now();
        let mut low = message("Seats of CAD are low");
        low.values = vec!["CAD (tcad)".to_owned()];
        low.first_at = "2026-11-30T11:45:46.144Z".parse().unwrap();
        let mail = of(&low, Some("https://usher.lab.example:8480/"));
        let after = Timestamp::now();
        let (head, body) = mail.split_once("\n\n").unwrap();
        assert!(
            head.contains("Subject: [usher] warning: Seats of CAD are low\n"),
            "{head}"
        );
        let date = head.lines().find_map(|line| line.strip_prefix("Date: "));
        let date = jiff::fmt::rfc2822::parse(date.unwrap()).unwrap();
        let sent = date.timestamp().as_second();
        assert!((before.as_second()..=after.as_second()).contains(&sent));
        for line in [
            "Seats of CAD are low",
            "About       the metering server alpha",
            "Where       site lab, told by the manager on mgr1",
            "What to do  `usher leases --product tcad`",
            "Since       2026-11-30 11:45:46 UTC, seen 3 times",
            "More        https://usher.lab.example:8480/",
        ] {
            assert!(body.contains(line), "{line}: {body}");
        }
        let mut of_site = message("It is so");
        of_site.server = None;
        of_site.component = "server_manager".to_owned();
        let mail = of(&of_site, None);
        assert!(mail.contains("About       the server manager\n"), "{mail}");
    }

    #[test]
    fn a_subject_ends_with_a_whole_word() {
        let long = "Seats of CAD are low: ".repeat(9);
        let said = subject(&message(&long));
        let most = "[usher] warning: ".len() + SUBJECT_CHARS;
        assert!(said.chars().count() <= most, "{said}");
        let last = said
            .strip_suffix(" ...")
            .and_then(|said| said.rsplit(' ').next());
        let last = last.unwrap();
        assert!(
            ["Seats", "of", "CAD", "are", "low"].contains(&last),
            "{said}"
        );
        for (text, most, expected) in [
            ("short", 90, "short"),
            ("exactly ten", 11, "exactly ten"),
            ("exactly ten!", 11, "exactly ..."),
            (
                "not running on alpha: it was killed",
                25,
                "not running on alpha ...",
            ),
            ("5 of 5 (100%) in use", 17, "5 of 5 (100%) ..."),
            ("xxxxxxxxxxxxxxx", 10, "xxxxxxx..."),
            ("\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", 5, "\u{e4}\u{e4}..."),
        ] {
            assert_eq!(whole_words(text, most), expected);
        }
    }

    #[test]
    fn a_subject_of_another_alphabet_is_encoded_and_bears_no_line_of_its_own() {
        let encoded =
            header("Sitze f\u{fc}r Zeichnen sind knapp, wirklich sehr knapp, und bald aus");
        for word in encoded.split("\n ") {
            assert!(word.starts_with("=?utf-8?B?") && word.len() <= 75, "{word}");
        }
        assert_eq!(header("a\r\nBcc: x@y"), "a  Bcc: x@y");
    }
}
