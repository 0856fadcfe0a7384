//! One trouble, one message.

use usher_core::health::{EpisodeOptions, EpisodeTracker, Notice, Verdict};
use usher_core::lifecycle::ServiceState;

use super::{at, judged, killed, running, silent};

fn watch() -> EpisodeTracker {
    let mut watch = EpisodeTracker::new(EpisodeOptions::default(), 0, at(0));
    assert!(watch.see(at(0), &judged(&running())).is_empty());
    watch
}

#[test]
fn a_week_of_the_same_trouble_is_one_message_and_few_reminders() {
    let mut watch = watch();
    let mut begun = 0;
    let mut reminded = 0;
    let polls = 7 * 96;
    for poll in 1..=polls {
        for notice in watch.see(at(poll * 900), &judged(&killed())) {
            match notice {
                Notice::Began(_) => begun += 1,
                Notice::Reminded(_) => reminded += 1,
                Notice::Counted(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(begun, 1);
    assert!((1..=12).contains(&reminded), "{reminded}");
    let episode = watch.episode().unwrap();
    assert_eq!(episode.count, polls);
    assert_eq!(
        (episode.first_at, episode.last_at),
        (at(900), at(polls * 900))
    );
    let end = watch.see(at(polls * 900 + 1), &judged(&running()));
    let [Notice::Ended { episode, now }] = end.as_slice() else {
        panic!("{end:?}")
    };
    assert_eq!((episode.count, *now), (polls, Verdict::Running));
    assert!(watch.episode().is_none());
}

#[test]
fn another_kind_of_trouble_is_another_episode() {
    let mut watch = watch();
    watch.see(at(1), &judged(&silent(ServiceState::Running)));
    let notices = watch.see(at(2), &judged(&killed()));
    assert!(matches!(
        notices.as_slice(),
        [
            Notice::Ended {
                now: Verdict::Stopped,
                ..
            },
            Notice::Began(_)
        ]
    ));
    assert_eq!(watch.episode().unwrap().number, 2);
}

#[test]
fn flapping_is_named_once() {
    let mut watch = watch();
    let mut named = 0;
    for round in 0..20 {
        let notices = watch.see(at(round * 120), &judged(&killed()));
        named += notices
            .iter()
            .filter(|notice| matches!(notice, Notice::Flapping { .. }))
            .count();
        watch.see(at(round * 120 + 60), &judged(&running()));
    }
    assert_eq!(named, 1);
}

#[test]
fn a_manager_that_comes_back_goes_on_with_the_episode() {
    // It began before this computer was booted.
    let lasted = at(500);
    let mut watch = EpisodeTracker::new(EpisodeOptions::default(), 3, at(100)).resuming(
        3,
        Verdict::Stopped,
        7,
        lasted,
        at(100),
    );
    let notices = watch.see(at(101), &judged(&killed()));
    let [Notice::Counted(episode)] = notices.as_slice() else {
        panic!("{notices:?}")
    };
    assert_eq!((episode.number, episode.count), (3, 8));
    assert_eq!(episode.lasted(at(101)), at(501));
    assert_eq!(watch.held_for(at(101)), at(501));
    let notices = watch.see(at(102), &judged(&running()));
    let [Notice::Ended { episode, .. }] = notices.as_slice() else {
        panic!("{notices:?}")
    };
    assert_eq!(episode.lasted(at(102)), at(502));
    assert_eq!(watch.held_for(at(103)), at(1));
}

#[test]
fn a_verdict_that_another_watch_came_to_holds_since_then_until_it_is_another() {
    let new = || EpisodeTracker::new(EpisodeOptions::default(), 0, at(100));
    let mut watch = new().holding(Verdict::Running, at(50));
    assert!(watch.see(at(101), &judged(&running())).is_empty());
    assert_eq!(watch.held_for(at(101)), at(51));
    watch.see(at(102), &judged(&killed()));
    assert_eq!(watch.held_for(at(102)), at(0));
    // Trouble says itself how long it has lasted.
    let watch = new().holding(Verdict::Stopped, at(50));
    assert_eq!(watch.held_for(at(100)), at(0));
}
