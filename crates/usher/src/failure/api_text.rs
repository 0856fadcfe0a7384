//! Translates the API's terms into those of the command line.

use crate::time;

/// The fields of requests, and their options on the command line.
const OPTIONS: [(&str, &str); 21] = [
    ("`?server=NAME`", "--at NAME"),
    ("`ttl_seconds`", "--ttl"),
    ("`max_ttl_seconds`", "--max-ttl"),
    ("`queue_limit`", "--queue-limit"),
    ("`impossible_seconds`", "--impossible-seconds"),
    ("`seats`", "--seats"),
    ("`overdraft`", "--overdraft"),
    ("`user`", "--user"),
    ("`computer`", "--computer"),
    ("`from`", "--from"),
    ("`to`", "--to"),
    ("`name`", "--name"),
    ("`publisher`", "--publisher"),
    ("`schedule`", "SCHEDULE"),
    ("`time_zone`", "--time-zone"),
    ("`price`", "--price"),
    ("`currency`", "the currency of --price"),
    ("`contract`", "--contract"),
    ("`cost_centre`", "--cost-centre"),
    ("`notice_days`", "--notice-days"),
    ("`note`", "--note"),
];

/// How a refusal tells programs that they can wait.
const TO_WAIT: &str = " (\"wait\": true)";

/// The parts of details that are only for programs, in the words of this version and of earlier
/// ones.
const OF_THE_API: [&str; 4] = [
    ", or send \"force\": true if it is meant",
    ", or send \"force\": true where it is meant",
    ": send it as `Authorization: Bearer TOKEN`",
    TO_WAIT,
];

/// Whether a refusal says that waiting is possible.
pub(super) fn may_wait(detail: &str) -> bool {
    detail.contains(TO_WAIT)
}

/// Fields with numbers of seconds, which are shown to people in other units.
const DURATIONS: [&str; 3] = ["--ttl is ", "--max-ttl is ", "--impossible-seconds is "];

/// A detail for users of the command line: without the API's routes, which the next step replaces,
/// and with options in place of fields.
pub(super) fn own_words(detail: &str) -> String {
    let mut detail = detail.to_owned();
    for of_the_api in OF_THE_API {
        detail = detail.replace(of_the_api, "");
    }
    let detail = &*detail;
    let route = ["GET", "PUT", "POST", "DELETE"]
        .iter()
        .filter_map(|method| detail.find(&format!("{method} /")))
        .min();
    let mut text = match route.and_then(|at| detail[..at].rfind(": ")) {
        Some(end) => detail[..end].to_owned(),
        None => detail.to_owned(),
    };
    for (field, option) in OPTIONS {
        text = text.replace(field, option);
    }
    match DURATIONS.iter().any(|name| text.starts_with(name)) {
        true => with_spans(&text),
        false => text,
    }
}

/// A text with its numbers of seconds in units that people use; a number within a name stays.
fn with_spans(text: &str) -> String {
    let spoken = |word: &str| {
        let digits = word.trim_end_matches([':', ',']);
        let seconds = digits.parse().ok().map(time::span);
        seconds.map(|span| format!("{span}{}", &word[digits.len()..]))
    };
    let words = text.split(' ');
    let said: Vec<String> = words
        .map(|word| spoken(word).unwrap_or_else(|| word.to_owned()))
        .collect();
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_says_is_said_in_the_words_of_the_command_line() {
        let words = [
            "there is no product cad: GET /v1/products lists all products",
            "product cad is there already: change it with PUT /v1/products/cad, or choose another id",
            "`ttl_seconds` is 9: product cad allows at most 5",
            "`queue_limit` is 9: give 0 to 5",
            "`ttl_seconds` is 604800: give 1 to 86400",
            "no token was shown: send it as `Authorization: Bearer TOKEN`",
            "all 2 seats of cad are in use: wait for one with --wait (\"wait\": true)",
            "2 metering servers are watched (a, b): say which is meant by `?server=NAME`",
        ];
        insta::assert_snapshot!(words.map(own_words).join("\n"), @r"
        there is no product cad
        product cad is there already
        --ttl is 9 s: product cad allows at most 5 s
        --queue-limit is 9: give 0 to 5
        --ttl is 7 d: give 1 s to 1 d
        no token was shown
        all 2 seats of cad are in use: wait for one with --wait
        2 metering servers are watched (a, b): say which is meant by --at NAME
        ");
    }
}
