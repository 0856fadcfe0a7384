//! Ten thousand random lives with the limits that are shipped.

use std::time::Duration;

use proptest::prelude::*;
use usher_core::lifecycle::{Control, Effect, Input, Lifecycle, Limits, ServiceState, Step, Work};

fn input() -> impl Strategy<Value = Input> {
    let step = prop_oneof![
        Just(Step::Rehearse),
        Just(Step::Open),
        Just(Step::Recover),
        Just(Step::Listen),
        Just(Step::Settle),
        Just(Step::Drain),
        Just(Step::Flush),
        Just(Step::Close),
    ];
    prop_oneof![
        3 => Just(Input::Start),
        4 => prop::sample::select(Control::ALL.to_vec()).prop_map(Input::Control),
        1 => Just(Input::Terminate),
        6 => (step, 0..20_u64).prop_map(|(step, left)| Input::Moved(Work::new(step, left))),
        3 => Just(Input::Done),
        1 => (1..100_u32).prop_map(Input::Failed),
        1 => Just(Input::Ended),
        4 => Just(Input::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn a_random_life_keeps_to_the_table_and_always_ends(
        inputs in proptest::collection::vec((0..120_u64, input()), 1..24)
    ) {
        let mut now = Duration::ZERO;
        let mut service = Lifecycle::new(Limits::default(), now);
        let mut forced = false;
        for (seconds, input) in inputs {
            // The end of a process by force is sure to come first.
            if forced {
                prop_assert!(service.apply(now, Input::Ended).is_ok());
                forced = false;
            }
            now += Duration::from_secs(seconds);
            for input in [Input::Tick, input] {
                let before = service.state();
                let effects = service.apply(now, input);
                let after = service.status();
                prop_assert!(
                    before == after.state || before.may_become(after.state),
                    "{before} -> {} by {input:?}", after.state
                );
                prop_assert_eq!(after.state.is_pending(), after.work.is_some());
                forced |= effects.is_ok_and(|effects| effects.contains(&Effect::EndProcess));
                if forced {
                    prop_assert!(service.apply(now, Input::Ended).is_ok());
                    forced = false;
                }
            }
        }
        let told_at = now;
        prop_assert!(service.apply(now, Input::Terminate).is_ok());
        while service.state() != ServiceState::Stopped {
            let due = service.deadline();
            prop_assert!(due.is_some(), "a pending state without a deadline");
            now = due.unwrap_or(now);
            let effects = service.apply(now, Input::Tick).unwrap_or_default();
            if effects.contains(&Effect::EndProcess) {
                prop_assert!(service.apply(now, Input::Ended).is_ok());
            }
        }
        prop_assert!(now - told_at <= Limits::default().stop.whole);
    }
}
