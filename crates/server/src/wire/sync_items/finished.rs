//! Sessions that have ended.

use usher_core::ledger::{ReportItem, Wall};
use usher_core::people::LocalAccounts;

use super::Item;
use super::fields::{name, needed, session, subject};
use crate::wire::input::{check_text, composed};
use crate::wire::records;

pub(super) fn finished(item: &Item<'_>, local: LocalAccounts) -> Result<ReportItem, String> {
    let started_at = needed("started_at", item.started_at)?;
    let ended_at = needed("ended_at", item.ended_at)?;
    let real_subject = item
        .real_subject
        .as_ref()
        .map(|real| subject("real_subject", real, local))
        .transpose()?;
    if let Some(incarnation) = item.incarnation
        && i64::try_from(incarnation).is_err()
    {
        return Err(format!(
            "`incarnation` is {incarnation}: give less than 2^63"
        ));
    }
    let version = item.version.as_deref().unwrap_or_default();
    check_text("version", version)?;
    let duration_ms = duration_ms(item)?;
    // A lease that another server granted is no lease of this one: the session still counts.
    let lease = item.lease.as_deref().and_then(records::lease_id);
    let unseated_ms = item.unseated_ms.unwrap_or(match item.lease {
        None => duration_ms,
        Some(_) => 0,
    });
    if unseated_ms > duration_ms {
        return Err(format!(
            "`unseated_ms` is {unseated_ms}: the session lasted {duration_ms} ms"
        ));
    }
    Ok(ReportItem::Finished {
        session: session(item)?,
        product: composed(name("product", item.product.as_deref())?).into(),
        program: name("program", item.program.as_deref())?.into(),
        version: (!version.is_empty()).then(|| version.into()),
        subject: subject("subject", needed("subject", item.subject.as_ref())?, local)?,
        real_subject,
        started_at: Wall(started_at.as_millisecond()),
        ended_at: Wall(ended_at.as_millisecond()),
        duration_ms,
        unseated_ms,
        lease,
        first_reported: item.incarnation,
    })
}

/// How long a session lasted: to the millisecond if that is said.
fn duration_ms(item: &Item<'_>) -> Result<u64, String> {
    let seconds = needed("duration_seconds", item.duration_seconds)?;
    let of_seconds = seconds
        .checked_mul(1_000)
        .filter(|ms| i64::try_from(*ms).is_ok_and(|ms| ms.checked_add(999).is_some()))
        .ok_or_else(|| format!("`duration_seconds` is {seconds}: no session lasts as long"))?;
    let ms = item.duration_ms.unwrap_or(of_seconds);
    match ms / 1_000 == seconds {
        true => Ok(ms),
        false => Err(format!(
            "`duration_ms` is {ms} and `duration_seconds` is {seconds}: they are one duration"
        )),
    }
}
