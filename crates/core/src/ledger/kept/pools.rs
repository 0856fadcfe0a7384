//! The pools of all products, by number.
//!
//! Products are numbered in order of creation and never taken out, so the place of a pool is most
//! often its number less one: it is looked up many times in each checkout.

use super::pool::Pool;
use crate::ledger::words::ids::ProductNumber;

/// Pools in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::ledger) struct Pools {
    pools: Vec<(ProductNumber, Pool)>,
}

impl Pools {
    fn place(&self, number: ProductNumber) -> Result<usize, usize> {
        let guess = usize::try_from(number.0.wrapping_sub(1)).unwrap_or(usize::MAX);
        match self.pools.get(guess) {
            Some((found, _)) if *found == number => Ok(guess),
            _ => self
                .pools
                .binary_search_by_key(&number, |(number, _)| *number),
        }
    }

    pub(in crate::ledger) fn get(&self, number: ProductNumber) -> Option<&Pool> {
        let place = self.place(number).ok()?;
        self.pools.get(place).map(|(_, pool)| pool)
    }

    pub(in crate::ledger) fn get_mut(&mut self, number: ProductNumber) -> Option<&mut Pool> {
        let place = self.place(number).ok()?;
        self.pools.get_mut(place).map(|(_, pool)| pool)
    }

    pub(in crate::ledger) fn insert(&mut self, number: ProductNumber, pool: Pool) {
        match self.place(number) {
            Ok(place) => {
                if let Some(before) = self.pools.get_mut(place) {
                    before.1 = pool;
                }
            }
            Err(place) => self.pools.insert(place, (number, pool)),
        }
    }

    pub(in crate::ledger) fn remove(&mut self, number: ProductNumber) -> Option<Pool> {
        let place = self.place(number).ok()?;
        Some(self.pools.remove(place).1)
    }

    /// The number that the next product gets.
    pub(in crate::ledger) fn next_number(&self) -> ProductNumber {
        let last = self.pools.last();
        ProductNumber(last.map_or(1, |(number, _)| number.0 + 1))
    }

    pub(in crate::ledger) fn iter(&self) -> impl Iterator<Item = (ProductNumber, &Pool)> {
        self.pools.iter().map(|(number, pool)| (*number, pool))
    }

    pub(in crate::ledger) fn values(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().map(|(_, pool)| pool)
    }

    pub(in crate::ledger) fn values_mut(&mut self) -> impl Iterator<Item = &mut Pool> {
        self.pools.iter_mut().map(|(_, pool)| pool)
    }
}
