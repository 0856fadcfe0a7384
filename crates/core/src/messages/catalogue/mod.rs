//! All messages: what each means, what to check, what Usher does itself.

mod components;
mod entry;
mod foresight;
mod healing;
mod site;
mod verdicts;

pub use self::components::METERING_SERVER;
pub use self::entry::Entry;

/// For how many hours a delivery by mail or webhook is retried; texts of the catalogue repeat the
/// number.
pub const DELIVERY_TRIED_HOURS: u64 = 12;

/// The catalogue by subject: the numbers of each part are above those of the one before.
const PARTS: [&[Entry]; 4] = [
    verdicts::ENTRIES,
    healing::ENTRIES,
    foresight::ENTRIES,
    site::ENTRIES,
];

const COUNT: usize = PARTS[0].len() + PARTS[1].len() + PARTS[2].len() + PARTS[3].len();

/// All entries, in the order of their numbers.
pub const CATALOGUE: &[Entry] = &joined();

const fn joined() -> [Entry; COUNT] {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut place = 0;
        while place < PARTS[part].len() {
            all[at] = PARTS[part][place];
            (place, at) = (place + 1, at + 1);
        }
        part += 1;
    }
    all
}

/// The entry of a number. A number that is not in the catalogue, as a newer version may send one,
/// gets the last entry (9499), which says so.
pub fn entry(id: u16) -> &'static Entry {
    match CATALOGUE.binary_search_by_key(&id, |entry| entry.id) {
        Ok(at) => &CATALOGUE[at],
        Err(_) => &CATALOGUE[CATALOGUE.len() - 1],
    }
}
