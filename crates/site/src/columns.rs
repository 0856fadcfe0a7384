//! Counts and severities as SQLite keeps them: as signed numbers.

use usher_core::messages::Severity;

pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

pub(crate) fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Informational => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

pub(crate) fn severity_of(number: i64) -> Severity {
    match number {
        0 => Severity::Informational,
        1 => Severity::Warning,
        _ => Severity::Error,
    }
}
