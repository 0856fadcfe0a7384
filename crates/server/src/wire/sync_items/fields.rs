//! Fields that items of several kinds have.

use usher_api::Subject;
use usher_core::ledger::SubjectRef;
use usher_core::people::LocalAccounts;

use super::Item;
use crate::wire::input::check_name;
use crate::wire::people::{self, Said};

pub(super) fn needed<T>(field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("`{field}` is missing"))
}

pub(super) fn session(item: &Item<'_>) -> Result<u64, String> {
    let session = needed("session", item.session)?;
    match i64::try_from(session) {
        Ok(_) => Ok(session),
        Err(_) => Err(format!("`session` is {session}: give less than 2^63")),
    }
}

pub(super) fn name<'a>(field: &str, text: Option<&'a str>) -> Result<&'a str, String> {
    let text = needed(field, text)?;
    check_name(field, text)?;
    Ok(text)
}

pub(super) fn subject(
    field: &str,
    subject: &Subject<'_>,
    local: LocalAccounts,
) -> Result<SubjectRef, String> {
    let said = Said {
        authority: &subject.authority,
        id: &subject.id,
        name: &subject.name,
    };
    people::person(field, &said, local)
}
