//! Leaves out fields that an older server does not know, so that it accepts the rest.
//!
//! No server lists what it knows; one refuses a request that has a field which it does not know, and
//! names it. From then on that field is left out, until another server answers, the connection was gone
//! or some time has passed: the server may be a newer one by then.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;
use usher_api::ComputerFacts;

/// For how long it is assumed that a server does not know a field.
const ASSUMED_MS: u64 = 10 * 60 * 1_000;

/// Fields of items that came later than the first servers. Without them an item says less, and nothing
/// else.
const OF_ITEMS: [&str; 8] = [
    "duration_ms",
    "unseated_ms",
    "untouched_seconds",
    "incarnation",
    "program",
    "claim",
    "held",
    "gate",
];
/// The later fields of counted programs.
const OF_PROGRAMS: [&str; 3] = ["run_seconds", "package", "desktop_name"];
/// The later fields of a computer.
const OF_COMPUTERS: [&str; 5] = [
    "unreached",
    "enforcement_off",
    "released",
    "ended",
    "caught",
];

/// The fields that the server does not know.
#[derive(Debug, Default)]
pub(crate) struct Unknown {
    fields: BTreeSet<&'static str>,
    /// Until when that is assumed.
    until_boot_ms: u64,
}

impl Unknown {
    /// Notes why the server refused something. True: it does not know a field, which is left out
    /// from now on.
    pub(crate) fn learn(&mut self, why: &str, boot_ms: u64) -> bool {
        self.expire(boot_ms);
        let Some(field) = named(why).filter(|field| !self.fields.contains(field)) else {
            return false;
        };
        tracing::info!(
            field,
            "the server is of an older version and does not know a field"
        );
        self.fields.insert(field);
        self.until_boot_ms = boot_ms + ASSUMED_MS;
        true
    }

    /// Forgets everything: the server may know all fields.
    pub(crate) fn forget(&mut self) {
        self.fields.clear();
    }

    /// Forgets what was assumed for long enough.
    pub(crate) fn expire(&mut self, boot_ms: u64) {
        if self.until_boot_ms <= boot_ms {
            self.forget();
        }
    }

    /// An item without these fields.
    pub(crate) fn without(&self, item: Box<RawValue>) -> Box<RawValue> {
        let is_plain = self.fields.is_empty();
        let text = (!is_plain).then(|| self.shortened(item.get())).flatten();
        text.unwrap_or(item)
    }

    fn shortened(&self, text: &str) -> Option<Box<RawValue>> {
        let mut item: Value = serde_json::from_str(text).ok()?;
        let is_finished = item["kind"] == "finished";
        let object = item.as_object_mut()?;
        for field in OF_ITEMS {
            // A finished session's program is no later field.
            if self.fields.contains(field) && !(is_finished && field == "program") {
                object.remove(field);
            }
        }
        let counts = object.get_mut("counts").and_then(Value::as_array_mut);
        for count in counts.into_iter().flatten() {
            let count = count.as_object_mut()?;
            for field in OF_PROGRAMS.iter().filter(|it| self.fields.contains(*it)) {
                count.remove(*field);
            }
        }
        serde_json::value::to_raw_value(&item).ok()
    }

    /// A computer without these fields.
    pub(crate) fn computer_without(
        &self,
        mut computer: ComputerFacts<'static>,
    ) -> ComputerFacts<'static> {
        for field in OF_COMPUTERS.iter().filter(|it| self.fields.contains(*it)) {
            match *field {
                "unreached" => computer.unreached = None,
                "enforcement_off" => computer.enforcement_off = None,
                "released" => computer.released = 0,
                "ended" => computer.ended = None,
                _ => computer.caught = None,
            }
        }
        computer
    }
}

/// The later field that a server's error names as unknown.
fn named(why: &str) -> Option<&'static str> {
    let after = |start: &str| why.split_once(start).map(|(_, rest)| rest);
    let rest = after("unknown field `").or_else(|| {
        after("an item of kind ")?
            .split_once(" has no `")
            .map(|it| it.1)
    })?;
    let (field, _) = rest.split_once('`')?;
    let later = OF_ITEMS.iter().chain(&OF_PROGRAMS).chain(&OF_COMPUTERS);
    later.copied().find(|later| *later == field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_field_that_a_server_names_as_unknown_is_left_out_and_no_other() {
        let mut unknown = Unknown::default();
        let item =
            r#"{"sequence":1,"kind":"finished","program":"cad","duration_ms":7,"unseated_ms":0}"#;
        assert_eq!(unknown.without(raw(item)).get(), item);
        let why = "the body cannot be read: unknown field `duration_ms`, expected one of `kind`";
        assert!(unknown.learn(why, 0));
        assert!(!unknown.learn(why, 0), "it was left out");
        assert!(unknown.learn("an item of kind checkout has no `program`", 0));
        for other in [
            "",
            "unknown field `product`",
            "unknown field `",
            "`seats` is 0",
        ] {
            assert!(!unknown.learn(other, 0), "{other}");
        }
        let short: Value = serde_json::from_str(unknown.without(raw(item)).get()).unwrap();
        let left = serde_json::json!({"sequence": 1, "kind": "finished", "program": "cad",
                                      "unseated_ms": 0});
        assert_eq!(short, left);
        let checkout = r#"{"kind":"checkout","program":"cad"}"#;
        assert_eq!(
            unknown.without(raw(checkout)).get(),
            r#"{"kind":"checkout"}"#
        );
        unknown.expire(ASSUMED_MS);
        assert_eq!(unknown.without(raw(item)).get(), item);
    }

    #[test]
    fn what_a_server_does_not_know_of_programs_is_left_out_of_each() {
        let mut unknown = Unknown::default();
        assert!(unknown.learn("unknown field `package`, expected `program` or `starts`", 0));
        let item = r#"{"kind":"programs","counts":[{"program":"ls","starts":1,"package":"coreutils"},{"program":"cat","starts":2}]}"#;
        let short: Value = serde_json::from_str(unknown.without(raw(item)).get()).unwrap();
        let counts =
            serde_json::json!([{"program": "ls", "starts": 1}, {"program": "cat", "starts": 2}]);
        assert_eq!(short["counts"], counts);
    }
}
