//! Starts of programs of no product.

use usher_api::ProgramStarts;
use usher_core::ledger::{ProgramUse, ReportItem};

use super::Item;
use super::fields::needed;
use crate::wire::input::check_name;

const PROGRAMS_LIMIT: usize = 1_000;

pub(super) fn programs(item: &Item<'_>) -> Result<ReportItem, String> {
    let counts = needed("counts", item.counts.as_deref())?;
    if counts.len() > PROGRAMS_LIMIT {
        return Err(format!(
            "`counts` has {} programs: send at most {PROGRAMS_LIMIT} at a time",
            counts.len()
        ));
    }
    let count = |counted: &ProgramStarts<'_>| {
        check_name("program", &counted.program)?;
        if counted.program.contains('/') {
            return Err("`program` has a folder: only a file's name is counted".to_owned());
        }
        for (field, count) in [
            ("starts", counted.starts),
            ("run_seconds", counted.run_seconds),
        ] {
            if i64::try_from(count).is_err() {
                return Err(format!("`{field}` is {count}: it is no count"));
            }
        }
        if let Some(package) = &counted.package {
            check_name("package", package)?;
        }
        if let Some(name) = &counted.desktop_name {
            check_name("desktop_name", name)?;
        }
        Ok(ProgramUse {
            program: Box::from(&*counted.program),
            starts: counted.starts,
            run_seconds: counted.run_seconds,
            package: counted.package.as_deref().map(Box::from),
            desktop_name: counted.desktop_name.as_deref().map(Box::from),
        })
    };
    Ok(ReportItem::Programs {
        counts: counts.iter().map(count).collect::<Result<_, _>>()?,
    })
}
