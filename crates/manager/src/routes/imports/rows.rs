//! Rows of a body, checked, as the site database takes them: all of them, or none.

use usher_api::{
    self as api, IMPORT_KEY_LIMIT_BYTES, IMPORT_TEXT_LIMIT_BYTES, ImportRow, Imported,
    NAME_LIMIT_BYTES, Timestamp,
};
use usher_http::input::{check_line, check_name, check_text, composed};
use usher_site as site;
use usher_site::{Elsewhere, ElsewhereRow};

/// The rows; of one that cannot be taken in, which it is and why. What is of a kind that this version
/// does not know is left out.
pub(crate) fn checked(rows: Vec<ImportRow>) -> Result<Vec<ElsewhereRow>, String> {
    let mut all = Vec::with_capacity(rows.len());
    for (place, row) in (1_usize..).zip(rows) {
        let of_row = |why: String| format!("row {place} of the body cannot be taken in: {why}");
        if let Some(row) = checked_row(row).map_err(of_row)? {
            all.push(row);
        }
    }
    Ok(all)
}

fn checked_row(row: ImportRow) -> Result<Option<ElsewhereRow>, String> {
    let what = match row.what {
        Imported::Use(it) => Elsewhere::Use(used(it)?),
        Imported::Denial(it) => Elsewhere::Denial(denial(it)?),
        Imported::Wait(it) => Elsewhere::Wait(wait(it)?),
        Imported::Level(it) => Elsewhere::Level(level(it)?),
        Imported::Summed(it) => Elsewhere::Sum(sum(it)?),
        Imported::Entitlement(it) => Elsewhere::Entitlement(entitlement(it)?),
        Imported::Limit(it) => Elsewhere::Limit(limit(it)?),
        Imported::Silence(it) => Elsewhere::Silence(silence(it)?),
        Imported::DaemonPeak(it) => Elsewhere::Peak(peak(it)?),
        Imported::Unknown => return Ok(None),
    };
    if row.key.is_empty() {
        return Err(format!(
            "`key` is empty: give 1 to {IMPORT_KEY_LIMIT_BYTES} bytes"
        ));
    }
    check_line("key", &row.key, IMPORT_KEY_LIMIT_BYTES)?;
    Ok(Some(ElsewhereRow { key: row.key, what }))
}

fn used(it: api::ImportedUse) -> Result<site::ElsewhereUse, String> {
    let (started_ms, ended_ms) = (unix_ms(it.started_at), it.ended_at.map(unix_ms));
    let seen_ms = it.seen_until.map(unix_ms);
    in_order("started_at", started_ms, "ended_at", ended_ms)?;
    in_order("started_at", started_ms, "seen_until", seen_ms)?;
    Ok(site::ElsewhereUse {
        product: product(it.product)?,
        holder: holder(it.user, it.computer)?,
        seats: seats(it.seats)?,
        program: short("program", it.program)?,
        version: short("version", it.version)?,
        started_ms,
        ended_ms,
        seen_ms,
        ending: short("ending", it.ending)?,
    })
}

fn denial(it: api::ImportedDenial) -> Result<site::ElsewhereDenial, String> {
    Ok(site::ElsewhereDenial {
        product: product(it.product)?,
        holder: holder(it.user, it.computer)?,
        seats: seats(it.seats)?,
        version: short("version", it.version)?,
        at_ms: unix_ms(it.at),
        reason: reason(it.reason).to_owned(),
        words: text("words", it.words)?,
    })
}

fn wait(it: api::ImportedWait) -> Result<site::ElsewhereWait, String> {
    let (queued_ms, ended_ms) = (unix_ms(it.queued_at), it.ended_at.map(unix_ms));
    let seen_ms = it.seen_until.map(unix_ms);
    in_order("queued_at", queued_ms, "ended_at", ended_ms)?;
    in_order("queued_at", queued_ms, "seen_until", seen_ms)?;
    Ok(site::ElsewhereWait {
        product: product(it.product)?,
        holder: holder(it.user, it.computer)?,
        seats: seats(it.seats)?,
        queued_ms,
        ended_ms,
        seen_ms,
        granted: it.granted,
    })
}

fn level(it: api::ImportedLevel) -> Result<site::ElsewhereLevel, String> {
    Ok(site::ElsewhereLevel {
        product: product(it.product)?,
        server: long("server", it.server)?,
        at_ms: unix_ms(it.at),
        issued: it.issued,
        in_use: it.in_use,
        reserved: it.reserved,
        queued: it.queued,
        trouble: long("trouble", it.trouble)?,
    })
}

fn sum(it: api::ImportedSum) -> Result<site::ElsewhereSum, String> {
    let (from_ms, to_ms) = (it.from.map(unix_ms), it.to.map(unix_ms));
    if let Some(from_ms) = from_ms {
        in_order("from", from_ms, "to", to_ms)?;
    }
    Ok(site::ElsewhereSum {
        product: product(it.product)?,
        user: it.user.map(|user| name("user", user)).transpose()?,
        computer: it.computer.map(|it| name("computer", it)).transpose()?,
        version: short("version", it.version)?,
        from_ms,
        to_ms,
        starts: it.starts,
        seconds: it.seconds,
        users: it.users,
        last_used_ms: it.last_used.map(unix_ms),
    })
}

fn entitlement(it: api::ImportedEntitlement) -> Result<site::ElsewhereEntitlement, String> {
    if it.from.zip(it.to).is_some_and(|(from, to)| to < from) {
        return Err("`to` is before `from`: give it a later day, or leave one out".to_owned());
    }
    let components = it.components.into_iter().map(product);
    Ok(site::ElsewhereEntitlement {
        product: product(it.product)?,
        version: short("version", it.version)?,
        seats: it.seats,
        overdraft: it.overdraft,
        from_day: it.from.map(|day| day.to_string()),
        to_day: it.to.map(|day| day.to_string()),
        grouping: short("grouping", it.grouping)?,
        host_id: long("host_id", it.host_id)?,
        components: components.collect::<Result<_, _>>()?,
        set_aside: long("set_aside", it.set_aside)?,
        note: long("note", it.note)?,
    })
}

fn limit(it: api::ImportedLimit) -> Result<site::ElsewhereLimit, String> {
    check_name("rule", &it.rule)?;
    Ok(site::ElsewhereLimit {
        product: it.product.map(product).transpose()?,
        rule: it.rule,
        amount: it.amount,
        whom: long("whom", it.whom)?,
        text: text("text", it.text)?,
    })
}

fn silence(it: api::ImportedSilence) -> Result<site::ElsewhereSilence, String> {
    let (from_ms, to_ms) = (unix_ms(it.from), unix_ms(it.to));
    in_order("from", from_ms, "to", Some(to_ms))?;
    Ok(site::ElsewhereSilence {
        from_ms,
        to_ms,
        server: long("server", it.server)?,
        daemon: short("daemon", it.daemon)?,
        why: long("why", it.why)?,
    })
}

fn peak(it: api::ImportedDaemonPeak) -> Result<site::ElsewherePeak, String> {
    Ok(site::ElsewherePeak {
        product: it.product.map(product).transpose()?,
        daemon: short("daemon", it.daemon)?,
        seats: it.seats,
        at_ms: it.at.map(unix_ms),
    })
}

fn reason(reason: api::ImportedReason) -> &'static str {
    match reason {
        api::ImportedReason::NoSeat => "no_seat",
        api::ImportedReason::NotAllowed => "not_allowed",
        api::ImportedReason::NotServed => "not_served",
        api::ImportedReason::Other => "other",
    }
}

fn product(id: String) -> Result<String, String> {
    check_name("product", &id)?;
    if id.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(
            "`product` has a blank or `/`, which a product id may not have: encode it as %20 or %2F"
                .to_owned(),
        );
    }
    Ok(in_composed_form(id))
}

fn holder(user: String, computer: String) -> Result<site::Holder, String> {
    Ok(site::Holder {
        user: name("user", user)?,
        computer: name("computer", computer)?,
    })
}

/// A name that may be empty.
fn name(field: &str, text: String) -> Result<String, String> {
    check_text(field, &text)?;
    Ok(in_composed_form(text))
}

/// A name in the form in which names are compared, unless it is too long in that.
fn in_composed_form(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let form = composed(&text).into_owned();
    match form.len() <= NAME_LIMIT_BYTES {
        true => form,
        false => text,
    }
}

fn short(field: &str, text: Option<String>) -> Result<Option<String>, String> {
    if let Some(text) = &text {
        check_text(field, text)?;
    }
    Ok(text)
}

fn long(field: &str, it: Option<String>) -> Result<Option<String>, String> {
    it.map(|it| text(field, it)).transpose()
}

fn text(field: &str, text: String) -> Result<String, String> {
    check_line(field, &text, IMPORT_TEXT_LIMIT_BYTES)?;
    Ok(text)
}

fn seats(seats: u32) -> Result<u32, String> {
    match seats {
        0 => Err("`seats` is 0: give 1 or more".to_owned()),
        seats => Ok(seats),
    }
}

fn in_order(first: &str, from_ms: i64, last: &str, to_ms: Option<i64>) -> Result<(), String> {
    match to_ms.is_some_and(|to_ms| to_ms < from_ms) {
        true => Err(format!("`{last}` is before `{first}`")),
        false => Ok(()),
    }
}

fn unix_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

#[cfg(test)]
mod tests;
