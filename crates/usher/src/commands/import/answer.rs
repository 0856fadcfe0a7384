//! The answer of an import, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_api::{
    DaemonPeakBeside, DatesFrom, ImportAnswer, ImportSummary, ImportedFeature, ImportedPeak,
};

use crate::failure::Failure;
use crate::output::{self, Table, counted, tame, times};
use crate::time;

/// Shapes that are shown; the rest are counted.
const SHAPES_SHOWN: usize = 10;
/// Peaks of daemons that are shown; the rest are counted.
const PEAKS_SHOWN: usize = 10;

/// Prints the answer for people.
pub(super) fn print(answer: &ImportAnswer) -> Result<(), Failure> {
    output::print(&text(answer))
}

fn text(answer: &ImportAnswer) -> String {
    let summary = &answer.summary;
    let mut text = format!(
        "{} of {} understood.\n",
        summary.understood,
        counted(summary.lines, "line")
    );
    text += &when(summary);
    if !summary.features.is_empty() {
        text.push('\n');
        text += &features(summary).text();
        if summary.features_more > 0 {
            text += &format!("and {}\n", counted(summary.features_more, "more feature"));
        }
    }
    text += &peaks(&summary.daemon_peaks);
    text += &not_understood(summary);
    if !summary.notes.is_empty() {
        text.push('\n');
    }
    for note in &summary.notes {
        text += &format!("{}\n", tame(note));
    }
    text.push('\n');
    text += &taken(answer);
    text
}

/// Of which time the files tell, and how that is known.
fn when(summary: &ImportSummary) -> String {
    let zone = TimeZone::get(&summary.time_zone).unwrap_or_else(|_| TimeZone::system());
    let mut text = String::new();
    if let (Some(from), Some(to)) = (summary.from, summary.to) {
        let by = match summary.dates_from {
            None => "",
            Some(DatesFrom::Timestamp) => ", dated by the file",
            Some(DatesFrom::StartDate) => ", dated by the start of a server in the file",
            Some(DatesFrom::Option) => ", dated by --first-day",
            Some(DatesFrom::FileTime) => ", dated by when the file was last written",
        };
        text += &format!(
            "From {} to {}{by}.\n",
            time::zoned(from, &zone),
            time::zoned(to, &zone)
        );
    }
    if summary.clock_changes > 0 {
        text += &format!("The clock was set {}.\n", times(summary.clock_changes));
    }
    if summary.unobserved_seconds > 0 {
        let long = time::span(summary.unobserved_seconds);
        text += &format!("Of {long} nothing was recorded.\n");
    }
    text
}

fn features(summary: &ImportSummary) -> Table {
    let is_of_owned = |feature: &ImportedFeature| {
        feature.checkouts.is_none() && feature.users == 0 && feature.peak.lines == 0
    };
    if summary.features.iter().all(is_of_owned) {
        let mut table = Table::new(&["PRODUCT", ">SEATS"]);
        for feature in &summary.features {
            table.row([feature.product.clone(), seats(feature.owned)]);
        }
        return table;
    }
    let zone = TimeZone::get(&summary.time_zone).unwrap_or_else(|_| TimeZone::system());
    let mut table = Table::new(&[
        "PRODUCT",
        ">CHECKOUTS",
        ">CHECKINS",
        ">DENIED",
        ">QUEUED",
        ">USERS",
        ">PEAK",
        "PEAK AT",
        ">OPEN",
        ">SEATS",
    ]);
    for feature in &summary.features {
        let (peak, at) = peak(&feature.peak);
        let users = match feature.users_at_least {
            true => format!("{}+", feature.users),
            false => feature.users.to_string(),
        };
        table.row([
            feature.product.clone(),
            or_dash(feature.checkouts),
            or_dash(feature.checkins),
            or_dash(feature.denials),
            feature.queued.to_string(),
            users,
            peak,
            at.map_or_else(|| "-".to_owned(), |at| time::zoned(at, &zone)),
            feature.open_at_end.to_string(),
            seats(feature.owned),
        ]);
    }
    table
}

/// The most seats at once, or what they lie between, and when.
fn peak(peak: &ImportedPeak) -> (String, Option<Timestamp>) {
    match peak.seats {
        Some(seats) => (seats.to_string(), peak.seats_at),
        None if peak.users_hosts == peak.lines => (peak.lines.to_string(), peak.lines_at),
        None => (
            format!("{}-{}", peak.users_hosts, peak.lines),
            peak.lines_at,
        ),
    }
}

fn or_dash(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}

/// Seats; none: uncounted, or not told.
fn seats(owned: Option<u64>) -> String {
    or_dash(owned)
}

/// The daemons' own peaks beside ours.
fn peaks(all: &[DaemonPeakBeside]) -> String {
    let mut text = String::new();
    if !all.is_empty() {
        text.push('\n');
    }
    for peak in all.iter().take(PEAKS_SHOWN) {
        let daemon = peak.daemon.as_deref().unwrap_or("The daemon");
        let what = match &peak.product {
            Some(product) => format!("of {product} at once at the most"),
            None => "clients at once at the most, of all features together".to_owned(),
        };
        let beside = match peak.ours {
            Some(ours) if ours == peak.seats => ", and so do the lines".to_owned(),
            Some(ours) => format!("; the lines come to {ours}"),
            None => String::new(),
        };
        text += &tame(&format!("{daemon} counts {} {what}{beside}.", peak.seats));
        text.push('\n');
    }
    let more = all.len().saturating_sub(PEAKS_SHOWN);
    if more > 0 {
        text += &format!("and {}\n", counted(more as u64, "more peak"));
    }
    text
}

fn not_understood(summary: &ImportSummary) -> String {
    if summary.not_understood.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[">LINES", "NOT UNDERSTOOD, SUCH AS"]);
    for missed in summary.not_understood.iter().take(SHAPES_SHOWN) {
        table.row([missed.count.to_string(), missed.example.clone()]);
    }
    let mut text = format!("\n{}", table.text());
    let shown = summary.not_understood.iter().take(SHAPES_SHOWN);
    let shown = shown.fold(0_u64, |sum, missed| sum.saturating_add(missed.count));
    let all = summary.lines.saturating_sub(summary.understood);
    let more = all.saturating_sub(shown);
    if more > 0 {
        text += &format!("and {}\n", counted(more, "line of other forms"));
    }
    text
}

fn taken(answer: &ImportAnswer) -> String {
    let left_out = answer.summary.left_out;
    let left_out = match left_out {
        0 => String::new(),
        count => format!(
            " {} left out: a name is longer than 255 bytes, or a product's id has a blank or /.",
            counted(count, "row")
        ),
    };
    let (Some(id), Some(added)) = (&answer.id, answer.added) else {
        let rows = counted(answer.summary.rows, "row");
        return format!("Nothing was taken in; it would be {rows}.{left_out}\n");
    };
    let there = match answer.already_there.unwrap_or(0) {
        0 => String::new(),
        count => format!(", {count} known already"),
    };
    let completed = match answer.completed.unwrap_or(0) {
        0 => String::new(),
        count => format!(", {count} known and now further on"),
    };
    format!(
        "Import {}: {} new{there}{completed}.{left_out}\n",
        tame(id),
        counted(added, "row")
    )
}

#[cfg(test)]
mod tests;
