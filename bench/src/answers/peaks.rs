//! The peak of every product from the rows of a site database alone, in a process of its own so that
//! its memory is that of the question.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{panic, thread};

use clap::Args;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use usher_core::usage::{Span, peak};

use super::making::product_number;
use super::memory;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder of the site
    #[arg(long)]
    site: PathBuf,
    /// How often it is found; the fastest counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many products are looked at side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
}

/// What was found, and what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Peaks {
    /// The fastest round.
    pub(super) seconds: f64,
    /// The most memory that the process had resident.
    pub(super) memory_bytes: u64,
    /// The most sessions at once, by the product's number.
    pub(super) peaks: BTreeMap<u32, u64>,
}

/// Prints the peaks as one JSON document.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let peaks = of_site(&arguments.site, arguments.rounds, arguments.threads)?;
    let text = serde_json::to_string(&peaks).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(())
}

fn of_site(site: &Path, rounds: u32, threads: u32) -> Result<Peaks, String> {
    let failed = |error: rusqlite::Error| format!("cannot read {}: {error}", site.display());
    let mut readers = (0..threads)
        .map(|_| {
            Connection::open_with_flags(site.join("site.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)
        })
        .collect::<rusqlite::Result<Vec<Connection>>>()
        .map_err(failed)?;
    let mut seconds = f64::INFINITY;
    let mut peaks = BTreeMap::new();
    for _ in 0..rounds {
        let began = Instant::now();
        peaks = side_by_side(&mut readers).map_err(failed)?;
        seconds = seconds.min(began.elapsed().as_secs_f64());
    }
    Ok(Peaks {
        seconds,
        memory_bytes: memory::most_bytes()?,
        peaks,
    })
}

/// Each reader takes the next product until there is none.
fn side_by_side(readers: &mut [Connection]) -> rusqlite::Result<BTreeMap<u32, u64>> {
    let products = match readers.first() {
        Some(reader) => products(reader)?,
        None => Vec::new(),
    };
    let next = AtomicUsize::new(0);
    let (next, products) = (&next, &products);
    thread::scope(|scope| {
        let all: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                scope.spawn(move || {
                    let mut found = Vec::new();
                    while let Some((number, row)) =
                        products.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        found.push((*number, of_product(reader, *row)?));
                    }
                    Ok::<_, rusqlite::Error>(found)
                })
            })
            .collect();
        let mut peaks = BTreeMap::new();
        for one in all {
            peaks.extend(one.join().unwrap_or_else(|why| panic::resume_unwind(why))?);
        }
        Ok(peaks)
    })
}

/// The numbers of made-up products, and those by which rows name them. Those that are used most come
/// first, so that no reader is left with a long one at the end.
fn products(reader: &Connection) -> rusqlite::Result<Vec<(u32, i64)>> {
    let mut statement = reader.prepare_cached("SELECT product, number FROM history_products")?;
    let rows = statement.query_map([], |row| {
        let id: String = row.get(0)?;
        Ok((product_number(&id), row.get::<_, i64>(1)?))
    })?;
    let mut products = Vec::new();
    for row in rows {
        let (number, row) = row?;
        products.extend(number.map(|number| (number, row)));
    }
    products.sort_unstable();
    Ok(products)
}

fn of_product(reader: &Connection, product: i64) -> rusqlite::Result<u64> {
    let sql = "SELECT started_ms, ended_ms FROM history_sessions WHERE product = ?1";
    let mut statement = reader.prepare_cached(sql)?;
    let mut rows = statement.query([product])?;
    let mut failed = None;
    let spans = std::iter::from_fn(|| {
        let span = rows.next().and_then(|row| {
            row.map(|row| {
                Ok(Span {
                    from_ms: row.get(0)?,
                    until_ms: row.get(1)?,
                    seats: 1,
                })
            })
            .transpose()
        });
        span.unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    });
    let most = peak(spans).map_or(0, |(most, _)| most);
    failed.map_or(Ok(most), Err)
}
