//! What a what-if assumes, in words.

use crate::concerns::counted;
use crate::replay::fitness::percent;
use crate::replay::parameters::{OnFull, Parameters};
use crate::replay::wishes::Prepared;

/// What was assumed, a sentence each: what holds for every what-if first.
pub(super) fn assumptions(prepared: &Prepared, parameters: &Parameters) -> Vec<String> {
    let mut said = vec![
        "People ask when they asked in the recording, whatever they get.".to_owned(),
        "Who is refused here and was granted a seat in the recording does not ask again."
            .to_owned(),
        on_full(parameters.on_full).to_owned(),
    ];
    let retries = prepared.retries();
    if retries > 0 {
        said.push(format!(
            "{} of a person who had been refused less than 15 minutes before, for as many seats, \
             {} retries of the same ask: they happen only while the seats that are tried refuse it, \
             and it counts once.",
            counted(retries, "ask"),
            if retries == 1 { "is taken as one of the" } else { "are taken as" },
        ));
    }
    if prepared.unknown > 0 {
        let draws = match parameters.draws.max(1) {
            1 => "once, from".to_owned(),
            draws => format!("{draws} times, from"),
        };
        said.push(format!(
            "{} of {} got no seat in the recording, so how long one would have been held is not \
             known: it is drawn, {draws} seed {}, from the uses of the same person, or from \
             everybody's if that person has none. Each figure is the median of the draws, and the \
             range is from the smallest to the largest.",
            prepared.unknown,
            counted(prepared.asks(), "ask"),
            parameters.seed,
        ));
        if prepared.lengths.is_empty() {
            said.push(
                "No use in the recording has ended, so each is taken to last one hour.".to_owned(),
            );
        }
    }
    if !prepared.running.is_empty() {
        said.push(format!(
            "{} that ran at the beginning of the recording {} seats from the start, whatever their \
             number.",
            counted(prepared.running.len() as u64, "use"),
            if prepared.running.len() == 1 {
                "holds its"
            } else {
                "hold their"
            },
        ));
    }
    said.push(
        "What still ran at the end of the recording is taken to end then; who waits then is served \
         from what ends."
            .to_owned(),
    );
    if parameters.overdraft > 0 {
        said.push(format!(
            "{} beyond each number may be in use.",
            counted(u64::from(parameters.overdraft), "seat")
        ));
    }
    if prepared.unobserved_ms > 0 {
        let length_ms = prepared.until_ms.saturating_sub(prepared.from_ms);
        said.push(format!(
            "Nothing was recorded for {} of the time: nobody asks then.",
            percent(
                prepared.unobserved_ms,
                u64::try_from(length_ms).unwrap_or(0)
            )
        ));
    }
    if prepared.outside > 0 {
        said.push(format!(
            "{} outside the time that was asked about {} left out.",
            counted(prepared.outside, "recorded ask"),
            if prepared.outside == 1 { "is" } else { "are" },
        ));
    }
    said
}

fn on_full(on_full: OnFull) -> &'static str {
    match on_full {
        OnFull::AsRecorded => {
            "If no seat is free, an ask does what it did in the recording: it waits, or is refused."
        }
        OnFull::Deny => "If no seat is free, every ask is refused.",
        OnFull::Wait => {
            "If no seat is free, every ask waits: as long as the recording says, and otherwise \
             until it is served."
        }
    }
}
