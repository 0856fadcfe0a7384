//! Values at fixed places: memory grows by one page at a time, and nothing is moved.
//!
//! A table that doubles copies all that it holds while everybody waits, and needs three times its
//! memory meanwhile. Slots that were left are filled again, the last first; pages are kept.

/// How many values a page has.
const PAGE: usize = 1_024;

/// Values by the number of their slot.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Slab<T> {
    /// The pages; all but the last are full.
    pages: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab {
            pages: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Slab<T> {
    /// The number of values.
    pub(in crate::ledger) fn len(&self) -> usize {
        self.len
    }

    pub(in crate::ledger) fn get(&self, slot: u32) -> Option<&T> {
        let (page, place) = place(slot);
        self.pages.get(page)?.get(place)?.as_ref()
    }

    pub(in crate::ledger) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let (page, place) = place(slot);
        self.pages.get_mut(page)?.get_mut(place)?.as_mut()
    }

    /// Stores a value; answers its slot.
    pub(in crate::ledger) fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        while let Some(slot) = self.free.pop() {
            let (page, place) = place(slot);
            let left = self
                .pages
                .get_mut(page)
                .and_then(|page| page.get_mut(place));
            if let Some(left) = left {
                *left = Some(value);
                return slot;
            }
        }
        if self.pages.last().is_none_or(|last| last.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let page = self.pages.len() - 1;
        let last = &mut self.pages[page];
        last.push(Some(value));
        slot_of(page, last.len() - 1)
    }

    /// Removes the value in a slot.
    pub(in crate::ledger) fn remove(&mut self, slot: u32) -> Option<T> {
        let (page, place) = place(slot);
        let value = self.pages.get_mut(page)?.get_mut(place)?.take()?;
        self.free.push(slot);
        self.len -= 1;
        Some(value)
    }

    /// All values, in no particular order.
    pub(in crate::ledger) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().flatten()
    }
}

fn place(slot: u32) -> (usize, usize) {
    let slot = slot as usize;
    (slot / PAGE, slot % PAGE)
}

/// Slots are counted in 32 bits: four thousand million values do not fit into memory.
fn slot_of(page: usize, place: usize) -> u32 {
    (page * PAGE + place) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_its_slot_and_a_slot_that_was_left_is_filled_again() {
        let mut slab = Slab::default();
        let slots: Vec<u32> = (0..3 * PAGE).map(|value| slab.insert(value)).collect();
        let where_it_lies = slab.get(slots[7]).map(std::ptr::from_ref);
        assert_eq!(slab.remove(slots[1_500]), Some(1_500));
        assert_eq!(slab.remove(slots[1_500]), None);
        assert_eq!(slab.get(slots[1_500]), None);
        assert_eq!(slab.len(), 3 * PAGE - 1);
        assert_eq!(slab.insert(9), slots[1_500]);
        for value in 0..PAGE {
            slab.insert(value);
        }
        assert_eq!(slab.get(slots[7]).map(std::ptr::from_ref), where_it_lies);
        assert_eq!(slab.iter().count(), slab.len());
        assert_eq!(slab.get(u32::MAX), None);
    }
}
