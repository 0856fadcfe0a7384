//! Estimates the memory of a request that waits for the writer: the queue is limited by it.

use usher_core::ledger::{Command, Report, ReportItem};

use crate::queue::inbox::Item;
use crate::queue::requests::{Request, Work};

/// What any item takes, with the texts of a request, each of which is short.
const ITEM_BYTES: usize = 1_024;
/// What a product takes, whose rules may be many.
const PRODUCT_BYTES: usize = 64 * 1024;

/// The bytes of one item.
pub(crate) fn bytes_of(item: &Item) -> usize {
    match item {
        Item::Request(request) => bytes_of_request(request),
        Item::Statement(_) | Item::Settle(_) => ITEM_BYTES,
    }
}

/// The bytes of an item that is this request.
pub(crate) fn bytes_of_request(request: &Request) -> usize {
    match &request.work {
        Work::Command(command) => of_command(command),
        Work::Read(_) => ITEM_BYTES,
    }
}

fn of_command(command: &Command) -> usize {
    match command {
        Command::As { command, .. } | Command::Once { command, .. } => of_command(command),
        Command::Checkout(checkout) => {
            let names = checkout.also.iter().map(|with| with.product.len());
            let program = checkout.program.as_deref().map_or(0, str::len);
            ITEM_BYTES + program + size_of_val(checkout.also.as_slice()) + names.sum::<usize>()
        }
        Command::Report(report) => ITEM_BYTES + of_report(report),
        Command::PutProduct { .. } => PRODUCT_BYTES,
        _ => ITEM_BYTES,
    }
}

fn of_report(report: &Report) -> usize {
    let texts = report.name.len() + report.document.len();
    let items = report.items.iter().map(|(_, item)| {
        let texts = match item {
            ReportItem::Checkout {
                product,
                subject,
                program,
                ..
            } => {
                let program = program.as_deref().map_or(0, str::len);
                let person = subject.key.len() + subject.authority.len() + subject.name.len();
                product.len() + program + person
            }
            ReportItem::Finished {
                product,
                program,
                subject,
                ..
            } => {
                // The version and the real account are no longer than the others.
                2 * (product.len() + program.len())
                    + 2 * (subject.key.len() + subject.authority.len() + subject.name.len())
            }
            ReportItem::Programs { counts } => {
                let names = counts.iter().flat_map(|seen| {
                    let known = [&seen.package, &seen.desktop_name].map(Option::as_deref);
                    known
                        .map(|known| known.map_or(0, str::len))
                        .into_iter()
                        .chain([seen.program.len()])
                });
                names.sum::<usize>() + size_of_val(counts.as_slice())
            }
            ReportItem::Renew { .. }
            | ReportItem::Checkin { .. }
            | ReportItem::Released { .. }
            | ReportItem::Nothing => 0,
        };
        size_of::<(u64, ReportItem)>() + texts
    });
    texts + items.sum::<usize>()
}

#[cfg(test)]
mod tests;
