//! How long a what-if takes: a million recorded asks of one product, decided again with 20 numbers of
//! seats, from the rows of the site to the answer.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use usher_core::replay::{
    Cancelled, Figures, Parameters, Past, Prepared, Recording, advice, recorded,
};
use usher_core::usage::made_up::MadeUp;
use usher_core::usage::peak;
use usher_site::PastAsked;

use super::fill::{BATCH, Filling};
use super::goals::{Figure, Goal, Unit, held, table};
use super::making::product_id;
use super::pages::{Tells, pages};
use super::past::{DAY_MS, in_order_of_ends};
use super::{memory, replays};
use crate::beside::computer;
use crate::beside::private::Folder;
use crate::beside::table::grouped;
use crate::disk::room_left;
use crate::setting::Place;

/// On two cores, in seconds.
const GOAL: f64 = 15.0;
/// Numbers of seats that are tried: from 60 % of the most that were ever held, in steps of 2.5 %.
const COUNTS: u64 = 20;
/// What the site may take of the disk for an ask.
const ROOM_BYTES: u64 = 1_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Asks that are recorded, 1000 to 1000000: a manager takes no more into a what-if
    #[arg(long, default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    asks: u64,
    /// Percent of the asks that were refused, 0 to 20, each number a run: with one refusal, what is not
    /// known is drawn 20 times
    #[arg(long, value_delimiter = ',', default_value = "0,5",
        value_parser = clap::value_parser!(u64).range(0..=20))]
    refused: Vec<u64>,
    /// Another number gives other asks; the same gives the same
    #[arg(long, default_value_t = 18)]
    seed: u64,
    /// End with 1 if a goal is not reached
    #[arg(long)]
    hold: bool,
    #[command(flatten)]
    place: Place,
}

/// Fills a site for each share of refusals, and asks it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.place.folder)?;
    let runs = arguments.refused.len() as u64;
    room_left(
        folder.path(),
        arguments
            .asks
            .saturating_mul(ROOM_BYTES)
            .saturating_mul(runs),
    )?;
    let made_up = MadeUp {
        sessions: arguments.asks,
        products: 1,
        ..MadeUp::quarter_of_a_large_site(arguments.seed)
    };
    let mut figures = Vec::new();
    let mut said = String::new();
    for (place, refused) in arguments.refused.iter().enumerate() {
        let data = folder.inside(&format!("site-{place}"), None)?;
        let found = what_if(&data, &made_up, *refused)?;
        figures.extend(found.figures(&made_up, *refused));
        said += &format!(
            "\nWith {refused} % refused, {} asks without retries: {}\n",
            grouped(found.asks as f64),
            found.advice
        );
    }
    let threads = cores();
    let table = format!(
        "{} {} asks of one product in 90 days by 10,000 people, {COUNTS} numbers of seats, {threads} \
         threads.\n\n{}{said}",
        computer::facts(folder.path()),
        grouped(made_up.sessions as f64),
        table(&figures),
    );
    arguments.place.tell("whatif", &table)?;
    held(arguments.hold, &figures)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What a what-if took.
struct Took {
    asks: u64,
    draws: u32,
    read: Duration,
    prepared: Duration,
    drawn: Duration,
    replayed: Duration,
    memory_bytes: u64,
    advice: String,
}

/// Fills a site, and works the what-if out as a manager does.
fn what_if(data: &Path, made_up: &MadeUp, refused_percent: u64) -> Result<Took, String> {
    let spans = made_up.iter().map(|session| session.span);
    let most = peak(spans).map_or(0, |(most, _)| most);
    let filling = Filling::open(data)?;
    let tells = Tells::Asks { refused_percent };
    let uses = in_order_of_ends(made_up);
    filling.fill(pages(uses, tells, BATCH), made_up.sessions)?;
    memory::count_again();

    let began = Instant::now();
    let frame = frame(made_up, most);
    let items = read(&filling, &frame)?;
    let read = began.elapsed();

    let began = Instant::now();
    let made = recorded(frame, &items);
    drop(items);
    let prepared = Prepared::of(&made.recording);
    drop(made.recording);
    let took_to_prepare = began.elapsed();

    let parameters = Parameters::of(counts(most));
    let draws = prepared.draws(&parameters);
    let numbers: Vec<u32> = (0..draws).collect();
    let began = Instant::now();
    let drawn = replays::each(cores(), "draws", &numbers, |number| {
        prepared.draw(parameters.seed, *number)
    });
    let took_to_draw = began.elapsed();

    let began = Instant::now();
    let counts = parameters.counts();
    let of_count = |seats: &u32| {
        let seats = *seats;
        drawn.iter().map(move |draw| (seats, draw))
    };
    let all: Vec<_> = counts.iter().flat_map(of_count).collect();
    let figures = replays::each(cores(), "replays", &all, |(seats, draw)| {
        prepared.replay(*seats, &parameters, draw, &mut |_| true)
    });
    let figures: Result<Vec<Figures>, Cancelled> = figures.into_iter().collect();
    let figures = figures.map_err(|error| error.to_string())?;
    let of_counts = figures.chunks(drawn.len().max(1));
    let results = counts.iter().zip(of_counts);
    let results = results.filter_map(|(seats, figures)| prepared.result(*seats, figures));
    let answer = prepared.answer(&parameters, results.collect());
    let today = u32::try_from(most).ok();
    let advice = advice(&answer, &parameters, today);
    Ok(Took {
        asks: answer.asks,
        draws,
        read,
        prepared: took_to_prepare,
        drawn: took_to_draw,
        replayed: began.elapsed(),
        memory_bytes: memory::most_bytes()?,
        advice,
    })
}

/// The recording without what was asked for.
fn frame(made_up: &MadeUp, most: u64) -> Recording {
    let days_ms = i64::from(made_up.days).saturating_mul(DAY_MS);
    Recording {
        product: product_id(0),
        from_ms: made_up.from_ms,
        until_ms: made_up.from_ms.saturating_add(days_ms),
        seats_today: u32::try_from(most).ok(),
        running: Vec::new(),
        asks: Vec::new(),
        gaps: Vec::new(),
    }
}

/// Reads the past page by page.
fn read(filling: &Filling, frame: &Recording) -> Result<Vec<Past>, String> {
    let mut asked = PastAsked {
        product: frame.product.clone(),
        from_ms: frame.from_ms,
        until_ms: frame.until_ms,
        after: None,
    };
    let mut items = Vec::new();
    loop {
        let page = filling.runtime.block_on(filling.site.past(asked.clone()));
        let page = page.map_err(|error| error.to_string())?;
        items.extend(page.items);
        match page.next {
            Some(next) => asked.after = Some(next),
            None => return Ok(items),
        }
    }
}

/// The numbers of seats, each once, around the most that were ever held.
fn counts(most: u64) -> Vec<u32> {
    let mut counts: Vec<u32> = Vec::new();
    for step in 0..COUNTS {
        let seats = most.saturating_mul(600 + 25 * step) / 1_000;
        let seats = u32::try_from(seats).unwrap_or(u32::MAX);
        let least = counts.last().map_or(1, |last| last.saturating_add(1));
        counts.push(seats.max(least));
    }
    counts
}

impl Took {
    fn figures(&self, made_up: &MadeUp, refused: u64) -> [Figure; 6] {
        let whole = self.read + self.prepared + self.drawn + self.replayed;
        let seconds = |what: &str, took: Duration| {
            Figure::new(what, Goal::None, took.as_secs_f64(), Unit::Seconds)
        };
        [
            Figure::new(
                format!(
                    "{} asks, {refused} % refused, {COUNTS} numbers of seats, {}",
                    grouped(made_up.sessions as f64),
                    match self.draws {
                        1 => "1 draw".to_owned(),
                        draws => format!("{draws} draws"),
                    },
                ),
                Goal::AtMost(GOAL),
                whole.as_secs_f64(),
                Unit::Seconds,
            ),
            seconds("of that: reading the rows", self.read),
            seconds("of that: making wishes of them", self.prepared),
            seconds("of that: drawing", self.drawn),
            seconds("of that: replays", self.replayed),
            Figure::new("memory", Goal::None, self.memory_bytes as f64, Unit::Mib),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_numbers_of_seats_lie_around_the_most_that_were_held() {
        let counts = counts(2_000);
        assert_eq!((counts.len(), counts[0], counts[16]), (20, 1_200, 2_000));
        assert_eq!(super::counts(0), (1..=20).collect::<Vec<u32>>());
    }
}
