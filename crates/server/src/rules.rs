//! Program rules, as far as a server looks into them: whether one can be used at all.

use usher_core::identify::Rule;

use crate::input::check_name;

/// Why a rule cannot be used, if so.
pub(crate) fn check(rule: &str) -> Result<(), String> {
    check_name("rule", rule)?;
    Rule::parse(rule)
        .map(drop)
        .map_err(|error| error.to_string())
}
