//! Nodes join to what one pass finds, in any grouping, and whenever uses come to light.

use proptest::prelude::*;
use usher_core::usage::{
    Edge, Gaps, Level, Node, QUARTER_MS, Span, Tally, Timeline, peak, quarter_of, quarters_touched,
};

use crate::{MINUTE_MS, minutes};

#[test]
fn a_use_that_ends_as_another_begins_does_not_overlap_it() {
    let timeline = Timeline::of([minutes(0, 10), minutes(10, 20)]);
    let node = timeline.window(0, 20 * MINUTE_MS);
    assert_eq!(node.peak(Level::default()), (1, Some(0)));
    assert_eq!(node.uses(Level::default()), 2);
}

#[test]
fn a_use_of_no_length_counts_at_its_instant_after_the_ends_and_with_the_beginnings() {
    let timeline = Timeline::of([minutes(0, 10), minutes(10, 10), minutes(10, 20)]);
    let node = timeline.window(0, 20 * MINUTE_MS);
    assert_eq!(node.peak(Level::default()), (2, Some(10 * MINUTE_MS)));
    let tally = timeline.tally(Level::default(), 0, 20 * MINUTE_MS, &Gaps::default());
    assert_eq!(tally.levels().collect::<Vec<_>>(), [(1, 1_200_000)]);
}

#[test]
fn what_ends_at_the_beginning_of_a_stretch_is_no_use_of_it() {
    let timeline = Timeline::of([minutes(0, 15), minutes(5, 16)]);
    let opening = timeline.opening(QUARTER_MS);
    assert_eq!(opening, Level { seats: 2, uses: 2 });
    let node = timeline.window(QUARTER_MS, 2 * QUARTER_MS);
    assert_eq!(node.uses(opening), 1);
    assert_eq!(node.peak(opening), (1, Some(QUARTER_MS)));
}

#[test]
fn a_use_that_still_runs_is_in_use_in_every_later_stretch() {
    let running = Span {
        until_ms: i64::MAX,
        ..minutes(7, 0)
    };
    let timeline = Timeline::of([running]);
    assert_eq!(timeline.nodes().count(), 1);
    let (from_ms, to_ms) = (1_000 * QUARTER_MS, 1_001 * QUARTER_MS);
    let (opening, node) = (timeline.opening(from_ms), timeline.window(from_ms, to_ms));
    assert_eq!(node.peak(opening), (1, Some(from_ms)));
    assert_eq!(node.seat_ms(opening), QUARTER_MS.unsigned_abs().into());
}

#[test]
fn a_use_that_is_told_late_changes_only_the_nodes_in_which_it_begins_and_ends() {
    let mut timeline = Timeline::of((0..10).map(|quarter| minutes(quarter * 15, quarter * 15 + 3)));
    let before: Vec<Node> = timeline.nodes().collect();
    timeline.add(minutes(2 * 15 + 1, 7 * 15 + 1));
    let after: Vec<Node> = timeline.nodes().collect();
    let changed = (0..10).filter(|quarter| before[*quarter] != after[*quarter]);
    assert_eq!(changed.collect::<Vec<_>>(), [2, 7]);
    let touched = quarters_touched(minutes(2 * 15 + 1, 7 * 15 + 1));
    let touched: Vec<i64> = touched.map(|from_ms| from_ms / QUARTER_MS).collect();
    assert_eq!(touched, [2, 7]);
    assert_eq!(quarters_touched(minutes(31, 44)).count(), 1);
    timeline.take_out(minutes(2 * 15 + 1, 7 * 15 + 1));
    assert_eq!(timeline.nodes().collect::<Vec<_>>(), before);
}

/// Uses within two hours: many share an instant, and some have no length.
fn any_spans() -> impl Strategy<Value = Vec<Span>> {
    let one = (0_i64..120, 0_i64..60, 1_u32..4).prop_map(|(from, length, seats)| Span {
        seats,
        ..minutes(from, from + length / 3)
    });
    proptest::collection::vec(one, 0..40)
}

fn edges_within(spans: &[Span], from_ms: i64, to_ms: i64) -> Vec<Edge> {
    let edges = spans.iter().flat_map(|span| {
        let (begin, end) = span.edges();
        [Some(begin), end].into_iter().flatten()
    });
    let within = edges.filter(|edge| from_ms <= edge.at_ms && edge.at_ms < to_ms);
    let mut edges: Vec<Edge> = within.collect();
    edges.sort_unstable();
    edges
}

proptest! {
    #[test]
    fn joining_is_associative_and_the_same_as_one_pass(
        spans in any_spans(),
        mut cuts in proptest::collection::vec(0_i64..150, 4),
    ) {
        cuts.sort_unstable();
        let cuts: Vec<i64> = cuts.iter().map(|cut| cut * MINUTE_MS).collect();
        let node = |from_ms, to_ms| Node::of(from_ms, to_ms, &edges_within(&spans, from_ms, to_ms));
        let (one, two, three) =
            (node(cuts[0], cuts[1]), node(cuts[1], cuts[2]), node(cuts[2], cuts[3]));
        let whole = node(cuts[0], cuts[3]);
        prop_assert_eq!(one.join(two).join(three), whole);
        prop_assert_eq!(one.join(two.join(three)), whole);
    }

    #[test]
    fn a_gap_between_nodes_is_a_stretch_in_which_nothing_changes(
        spans in any_spans(),
        quiet in 1_i64..50,
    ) {
        let end_ms = 200 * MINUTE_MS;
        let first = Node::of(0, end_ms, &edges_within(&spans, 0, end_ms));
        let begin_ms = end_ms + quiet * MINUTE_MS;
        let later = Node::quiet(begin_ms, begin_ms + MINUTE_MS);
        let between = Node::quiet(end_ms, begin_ms);
        prop_assert_eq!(first.join(later), first.join(between.join(later)));
    }

    #[test]
    fn the_order_in_which_uses_come_to_light_does_not_matter(
        (spans, shuffled) in any_spans()
            .prop_flat_map(|spans| (Just(spans.clone()), Just(spans).prop_shuffle())),
        wrong in any_spans(),
    ) {
        let at_once = Timeline::of(spans);
        let mut late = Timeline::of(wrong.clone());
        shuffled.iter().for_each(|span| late.add(*span));
        wrong.iter().for_each(|span| late.take_out(*span));
        prop_assert_eq!(at_once.nodes().collect::<Vec<_>>(), late.nodes().collect::<Vec<_>>());
    }

    #[test]
    fn a_pass_over_rows_finds_the_peak_that_nodes_have(spans in any_spans()) {
        let timeline = Timeline::of(spans.iter().copied());
        let node = timeline.window(0, 200 * MINUTE_MS);
        let (seats, at_ms) = node.peak(Level::default());
        prop_assert_eq!(peak(spans), at_ms.map(|at_ms| (seats, at_ms)));
    }

    #[test]
    fn tallies_of_stretches_add_up_over_the_levels_between_them(
        spans in any_spans(),
        cut in 0_i64..150,
    ) {
        let (cut_ms, end_ms) = (cut * MINUTE_MS, 150 * MINUTE_MS);
        let gaps = Gaps::of(vec![(7 * MINUTE_MS, 31 * MINUTE_MS)]);
        let tally = |from_ms, to_ms| {
            let edges = edges_within(&spans, from_ms, to_ms);
            Tally::of(0, (from_ms, to_ms), edges.iter(), &gaps)
        };
        let mut sum = tally(0, cut_ms);
        let level = Node::of(0, cut_ms, &edges_within(&spans, 0, cut_ms)).change;
        sum.add_over(level, &tally(cut_ms, end_ms));
        prop_assert_eq!(sum, tally(0, end_ms));
    }

    #[test]
    fn what_is_stored_of_quarters_is_enough_for_whole_ones(
        spans in any_spans(),
        (first, last) in (0_i64..4, 4_i64..12),
    ) {
        let timeline = Timeline::of(spans);
        let gaps = Gaps::of(vec![(20 * MINUTE_MS, 50 * MINUTE_MS)]);
        let stored: Vec<(Node, Tally)> = timeline
            .quarters()
            .map(|(node, edges)| {
                let stretch = (node.from_ms, node.to_ms);
                (node, Tally::of(0, stretch, edges.iter(), &gaps))
            })
            .collect();
        let (from_ms, to_ms) = (first * QUARTER_MS, last * QUARTER_MS);
        let within = || stored.iter().filter(move |(node, _)| {
            from_ms <= node.from_ms && node.to_ms <= to_ms
        });
        let node = Node::joined(from_ms, to_ms, within().map(|(node, _)| *node));
        prop_assert_eq!(node, timeline.window(from_ms, to_ms));
        let opening = timeline.opening(from_ms);
        let nodes = within().map(|(node, tally)| (node, tally));
        let tally = Tally::joined(opening.seats, (from_ms, to_ms), nodes, &gaps);
        prop_assert_eq!(tally, timeline.tally(opening, from_ms, to_ms, &gaps));
    }

    #[test]
    fn a_cut_inside_a_quarter_is_made_in_its_edges(
        spans in any_spans(),
        cut_ms in 0..150 * MINUTE_MS,
    ) {
        let timeline = Timeline::of(spans);
        let end_ms = 200 * MINUTE_MS;
        let (before, after) = (timeline.window(0, cut_ms), timeline.window(cut_ms, end_ms));
        prop_assert_eq!(before.join(after), timeline.window(0, end_ms));
        prop_assert_eq!(timeline.opening(cut_ms), before.after(Level::default()));
        prop_assert!(quarter_of(cut_ms) <= cut_ms && cut_ms - quarter_of(cut_ms) < QUARTER_MS);
    }
}
