//! Advice at renewal: how many seats to keep, and what that risks.

use crate::concerns::counted;
use crate::replay::answer::{Answer, SeatsResult};
use crate::replay::fitness::percent;
use crate::replay::parameters::Parameters;

/// How many seats to keep, in plain words. It is the smallest number of those that were tried which
/// keeps the service level; without a level, the smallest with which nobody would have been refused
/// or had to wait, in any draw. `seats_today` is what is owned; none: not known.
pub fn advice(answer: &Answer, parameters: &Parameters, seats_today: Option<u32>) -> String {
    if let Some(why) = &answer.why {
        return format!("No advice on {}: {why}.", answer.product);
    }
    let level = parameters.service_level;
    let chosen = answer.results.iter().position(|result| match level {
        Some(level) => level.is_kept(result.in_time, answer.asks),
        None => result.in_time_range.low >= answer.asks,
    });
    let Some(chosen) = chosen else {
        return not_enough(answer, parameters);
    };
    let Some(result) = answer.results.get(chosen) else {
        return not_enough(answer, parameters);
    };
    let mut said = vec![format!(
        "Keep {} of {}{}.",
        counted(u64::from(result.seats), "seat"),
        answer.product,
        beside_today(result.seats, seats_today)
    )];
    said.push(would_have(answer, result));
    if let Some(level) = level
        && !level.is_kept(result.in_time_range.low, answer.asks)
    {
        said.push(format!(
            "The risk: the least favourable of {} does not keep {level}.",
            counted(u64::from(answer.draws), "draw")
        ));
    }
    match chosen
        .checked_sub(1)
        .and_then(|less| answer.results.get(less))
    {
        Some(less) => said.push(would_have(answer, less)),
        None => said.push(format!(
            "Fewer than {} were not tried: a smaller number may do.",
            counted(u64::from(result.seats), "seat")
        )),
    }
    said.push("This is what was asked for in the past; more people or more work need more.".into());
    said.join(" ")
}

fn not_enough(answer: &Answer, parameters: &Parameters) -> String {
    let Some(most) = answer.results.last() else {
        return format!(
            "No advice on {}: no number of seats was tried.",
            answer.product
        );
    };
    let wanted = match parameters.service_level {
        Some(level) => format!("keeps {level}"),
        None => "would have been enough for everybody at once".to_owned(),
    };
    format!(
        "None of the numbers of seats of {} that were tried {wanted}. {} Try more than {}.",
        answer.product,
        would_have(answer, most),
        counted(u64::from(most.seats), "seat")
    )
}

/// How a number compares with what is owned, in an insertion.
fn beside_today(seats: u32, today: Option<u32>) -> String {
    let Some(today) = today else {
        return String::new();
    };
    match i64::from(seats) - i64::from(today) {
        0 => ", as many as are owned today".to_owned(),
        more @ 1.. => format!(", {more} more than the {today} that are owned today"),
        less => format!(", {} fewer than the {today} that are owned today", -less),
    }
}

/// What a number of seats would have come to.
fn would_have(answer: &Answer, result: &SeatsResult) -> String {
    let with = format!("With {}", counted(u64::from(result.seats), "seat"));
    let asks = counted(answer.asks, "ask");
    let peak = format!("the peak was {}", counted(result.peak, "seat"));
    if result.denied_range.high == 0 && result.waited == 0 {
        return format!("{with}, none of {asks} would have been refused; {peak}.");
    }
    let mut text = format!(
        "{with}, {} of {asks} ({}) would have been refused",
        result.denied,
        percent(result.denied, answer.asks)
    );
    let range = result.denied_range;
    if range.low < range.high {
        text += &format!(
            " (from {} to {} over {})",
            range.low,
            range.high,
            counted(u64::from(answer.draws), "draw")
        );
    }
    if result.waited > 0 {
        let longest_ms = result.wait_longest_ms.unwrap_or(0);
        text += &format!(
            " and {} would have waited, up to {}",
            result.waited,
            crate::health::span(std::time::Duration::from_millis(longest_ms))
        );
    }
    format!("{text}; {peak}.")
}
