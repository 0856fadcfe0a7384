//! What the gate costs a start. By hand, for figures are not for a test's verdict:
//! `cargo nextest run -p usher-gate --release --run-ignored only --no-capture`.

use std::time::Duration;

use usher_gate::Answer;

use crate::support::{Answered, Place, options};
use crate::waits::{Start, all_ran, median, start};

const ROUNDS: usize = 60;
const STARTS: usize = 100;

#[test]
#[ignore = "a measurement"]
fn what_a_start_costs() {
    let (Some(unmarked), Some(place)) = (Place::new(), Place::new()) else {
        return;
    };
    let free = unmarked.program("true");
    let (forgotten, asked) = (place.program("true"), place.program("true.asked"));
    let which = forgotten.clone();
    let gate = Answered::start(&place, &options(), move |path, _| {
        Some(match path == which {
            true => Answer::RunAndForget,
            false => Answer::Run,
        })
    });
    let mut starts: [Vec<Start>; 3] = Default::default();
    for round in 0..ROUNDS {
        for turn in 0..3 {
            let which = (round + turn) % 3;
            let program = [&free, &forgotten, &asked][which];
            starts[which].extend((0..STARTS).map(|_| start(program)));
        }
    }
    starts.iter().for_each(|starts| all_ran(starts));
    let medians = starts.each_ref().map(|starts| median(starts));
    let names = ["no gate", "nobody's file", "asked, answered at once"];
    for ((name, median), starts) in names.iter().zip(medians).zip(&starts) {
        let beyond = median.saturating_sub(medians[0]);
        println!(
            "| {name} | {median:.1?} | +{beyond:.1?} | p99 {:.1?} |",
            p99(starts)
        );
    }
    let figures = gate.figures();
    assert_eq!(figures.events, 1 + (ROUNDS * STARTS) as u64);
}

fn p99(starts: &[Start]) -> Duration {
    let mut took: Vec<Duration> = starts.iter().map(|start| start.took).collect();
    took.sort();
    took[took.len() * 99 / 100]
}
