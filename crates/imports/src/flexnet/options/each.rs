//! An options file rule by rule, each with its number and a sentence.

use super::rule::{FeatureSpec, Quantity, Right, Seats};
use super::summary;
use super::whole::Options;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<'o> {
    /// The line, from 1.
    pub line: u64,
    /// What it does: `reserve`, `at_most`, `include`, `exclude`, the latter two also with `_borrow` and
    /// `_activate` behind, `timeout`, `linger`, `not_borrowable`, `not_activatable`, `borrow_hours` or
    /// `overdraft`.
    pub word: &'static str,
    /// Its number: seats, seconds or hours; none: it has none.
    pub amount: Option<u64>,
    /// The feature; none: all that the daemon serves.
    pub feature: Option<&'o FeatureSpec>,
    /// For whom, such as `user ann`; none: for all.
    pub whom: Option<String>,
    /// The rule in plain words.
    pub sentence: String,
}

impl Options {
    /// Each rule of the file: what is reserved, what is limited, who may and who may not, times. Entitlements
    /// of trusted storage are left out, because they are no features.
    pub fn each(&self) -> Vec<Rule<'_>> {
        let mut rules = Vec::new();
        let of = |seats: &Seats| (seats.line, Some(u64::from(seats.seats)));
        for seats in &self.reserved {
            let (line, amount) = of(seats);
            rules.push(Rule {
                line,
                word: "reserve",
                amount,
                feature: Some(&seats.feature),
                whom: Some(seats.whom.to_string()),
                sentence: summary::reserved(seats),
            });
        }
        for seats in &self.at_most {
            let (line, amount) = of(seats);
            rules.push(Rule {
                line,
                word: "at_most",
                amount,
                feature: Some(&seats.feature),
                whom: Some(seats.whom.to_string()),
                sentence: summary::at_most(seats),
            });
        }
        let of_features = self
            .access
            .iter()
            .filter(|access| access.right != Right::Activate || access.feature.is_none());
        for access in of_features {
            rules.push(Rule {
                line: access.line,
                word: match (access.allowed, access.right) {
                    (true, Right::Use) => "include",
                    (true, Right::Borrow) => "include_borrow",
                    (true, Right::Activate) => "include_activate",
                    (false, Right::Use) => "exclude",
                    (false, Right::Borrow) => "exclude_borrow",
                    (false, Right::Activate) => "exclude_activate",
                },
                amount: None,
                feature: access.feature.as_ref(),
                whom: Some(access.whom.to_string()),
                sentence: summary::access(access),
            });
        }
        for limit in &self.limits {
            let (word, amount) = match limit.quantity {
                Quantity::TimeoutSeconds(number) => ("timeout", number),
                Quantity::LingerSeconds(number) => ("linger", number),
                Quantity::NotBorrowable(number) => ("not_borrowable", number),
                Quantity::NotActivatable(number) => ("not_activatable", number),
                Quantity::BorrowHours(number) => ("borrow_hours", number),
                Quantity::Overdraft(number) => ("overdraft", number),
            };
            rules.push(Rule {
                line: limit.line,
                word,
                amount: Some(amount),
                feature: limit.feature.as_ref(),
                whom: None,
                sentence: summary::limit(limit),
            });
        }
        rules.sort_by_key(|rule| rule.line);
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::super::OptionsFile;
    use crate::reading::read_all;

    #[test]
    fn each_rule_has_a_word_a_number_and_a_sentence() {
        let text = "TIMEOUT f 900\nRESERVE 2 f USER ann\nEXCLUDE f GROUP staff\nMAX 3 f HOST pc1\n\
                    INCLUDEALL_ENTITLEMENT USER ann\nGROUP staff bob\nINCLUDE_BORROW f USER ann\n";
        let mut file = OptionsFile::new();
        read_all(&mut file, text);
        let options = file.into_options();
        let told: Vec<(&str, Option<u64>, Option<String>)> = options
            .each()
            .into_iter()
            .map(|rule| (rule.word, rule.amount, rule.whom))
            .collect();
        let whom = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("timeout", Some(900), None),
                ("reserve", Some(2), whom("user ann")),
                ("exclude", None, whom("group staff")),
                ("at_most", Some(3), whom("host pc1")),
                ("include_activate", None, whom("user ann")),
                ("include_borrow", None, whom("user ann")),
            ]
        );
        let sentences: Vec<String> = options.each().into_iter().map(|it| it.sentence).collect();
        assert_eq!(sentences[2], "group staff may not use f (line 3).");
        assert_eq!(
            sentences[5],
            "user ann may borrow f, and nobody who is not named (line 7)."
        );
    }
}
