//! Finds groups that contain each other in a circle.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

/// One circle for each set of groups that contain each other, given which groups each one has.
/// Takes time in proportion to these; circles that share a group may be found as one.
pub(super) fn find(has: &[&BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let left = in_or_before_rings(has);
    let mut walked = vec![false; has.len()];
    let mut rings = Vec::new();
    for start in (0..has.len()).filter(|at| left[*at]) {
        let mut way: Vec<usize> = Vec::new();
        let mut place: FxHashMap<usize, usize> = FxHashMap::default();
        let mut at = start;
        while !walked[at] {
            walked[at] = true;
            place.insert(at, way.len());
            way.push(at);
            // Each one that is left has another one.
            match has[at].iter().find(|inner| left[**inner]) {
                Some(inner) => at = *inner,
                None => break,
            }
        }
        if let Some(from) = place.get(&at)
            && way.last().is_some_and(|last| has[*last].contains(&at))
        {
            rings.push(way.split_off(*from));
        }
    }
    rings
}

/// Whether each group is in a circle, or has a group that leads to one: groups that have none that
/// is left are taken away until all that are left have one.
fn in_or_before_rings(has: &[&BTreeSet<usize>]) -> Vec<bool> {
    let mut within = vec![Vec::new(); has.len()];
    for (outer, inner) in has.iter().enumerate() {
        for inner in *inner {
            within[*inner].push(outer);
        }
    }
    let mut count: Vec<usize> = has.iter().map(|inner| inner.len()).collect();
    let mut left = vec![true; has.len()];
    let mut free: Vec<usize> = (0..has.len()).filter(|at| count[*at] == 0).collect();
    while let Some(at) = free.pop() {
        left[at] = false;
        for outer in &within[at] {
            count[*outer] -= 1;
            if count[*outer] == 0 {
                free.push(*outer);
            }
        }
    }
    left
}
