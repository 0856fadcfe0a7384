//! The shipped machine under a model checker: every state that any order of controls, work,
//! faults and passing time can reach.
//!
//! The checker's world is as bad as it may be: work may stand still for ever, and only the end of
//! a process by force is sure to come, before more time passes. States are told apart by what the
//! machine's answers depend on: ages and what is left until its deadline, not dates.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use stateright::{Checker, Model, Property};
use usher_core::lifecycle::{Control, Effect, Input, Lifecycle, ServiceState, Status, Step, Work};

use super::short_limits;

const SECOND: Duration = Duration::from_secs(1);
/// Ages beyond are alike: longer than any limit.
const OLD: Duration = Duration::from_secs(6);

#[derive(Debug, Clone)]
struct World {
    service: Lifecycle,
    now: Duration,
    /// The machine has asked for the end of the process, which comes before time goes on.
    being_ended: bool,
    /// What went wrong, if anything did, in the step that led here.
    broken: Option<&'static str>,
    stop_taken: Option<Duration>,
}

impl World {
    fn key(&self) -> impl PartialEq + Hash + use<> {
        let status = self.service.status();
        (
            (status.state, status.checkpoint, status.work, status.overdue),
            (self.now - status.since).min(OLD),
            self.service
                .deadline()
                .map(|at| at.saturating_sub(self.now)),
            status.exit_code,
            self.being_ended,
            self.broken,
            self.stop_taken.map(|at| (self.now - at).min(OLD)),
        )
    }

    fn step(&self, input: Input) -> World {
        let mut next = self.clone();
        if input == Input::Tick {
            next.now += SECOND;
        }
        let before = self.service.status();
        let outcome = next.service.apply(next.now, input);
        let after = next.service.status();
        next.broken = fault(&before, &after, outcome.is_err());
        if outcome.is_ok_and(|effects| effects.contains(&Effect::EndProcess)) {
            next.being_ended = true;
        }
        if input == Input::Ended {
            next.being_ended = false;
        }
        if after.state == ServiceState::StopPending {
            next.stop_taken.get_or_insert(next.now);
        } else {
            next.stop_taken = None;
        }
        next
    }

    /// With work that never moves again: is it stopped within the limit once it is told to?
    fn stops_in_time(&self) -> bool {
        let mut world = self.step(Input::Terminate);
        for _ in 0..=short_limits().stop.whole.as_secs() {
            if world.service.state() == ServiceState::Stopped {
                return true;
            }
            let input = if world.being_ended {
                Input::Ended
            } else {
                Input::Tick
            };
            world = world.step(input);
        }
        world.service.state() == ServiceState::Stopped
    }
}

/// What a step must never do.
fn fault(before: &Status, after: &Status, refused: bool) -> Option<&'static str> {
    let changed = before.state != after.state;
    if changed && !before.state.may_become(after.state) {
        return Some("an edge outside the table");
    }
    if refused && before != after {
        return Some("a refused control changed something");
    }
    if after.state.is_pending() != after.work.is_some() {
        return Some("a pending state without work, or work without one");
    }
    if after.state.is_pending() != (after.checkpoint > 0) {
        return Some("a checkpoint outside a pending state, or none in one");
    }
    if !changed && after.checkpoint > before.checkpoint && after.work == before.work {
        return Some("a checkpoint moved though no work did");
    }
    None
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.key().hash(hasher);
    }
}

struct AllLives;

impl Model for AllLives {
    type State = World;
    type Action = Input;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            service: Lifecycle::new(short_limits(), Duration::ZERO),
            now: Duration::ZERO,
            being_ended: false,
            broken: None,
            stop_taken: None,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Input>) {
        actions.extend(Control::ALL.map(Input::Control));
        actions.extend([Input::Start, Input::Terminate, Input::Done, Input::Ended]);
        actions.push(Input::Failed(5));
        for step in [
            Step::Open,
            Step::Recover,
            Step::Drain,
            Step::Flush,
            Step::Close,
        ] {
            actions.extend([0, 1, 2].map(|left| Input::Moved(Work::new(step, left))));
        }
        if !world.being_ended {
            actions.push(Input::Tick);
        }
    }

    fn next_state(&self, world: &World, input: Input) -> Option<World> {
        Some(world.step(input))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn reaches(state: ServiceState) -> fn(&AllLives, &World) -> bool {
            use ServiceState::*;
            match state {
                Stopped => |_, world| world.service.state() == Stopped && world.now > SECOND,
                StartPending => |_, world| world.service.state() == StartPending,
                StopPending => |_, world| world.service.state() == StopPending,
                Running => |_, world| world.service.state() == Running,
                ContinuePending => |_, world| world.service.state() == ContinuePending,
                PausePending => |_, world| world.service.state() == PausePending,
                Paused => |_, world| world.service.state() == Paused,
            }
        }
        let mut properties = vec![
            Property::always("no step breaks a rule", |_, world: &World| {
                world.broken.is_none()
            }),
            Property::always("no state is a trap", |_, world: &World| {
                world.stops_in_time()
            }),
            Property::always("a stop ends in time", |_, world: &World| {
                let limit = short_limits().stop.whole;
                world.stop_taken.is_none_or(|at| world.now - at <= limit)
            }),
            Property::always(
                "no work stands still past its deadline unnoticed",
                |_, world: &World| {
                    let due = world.service.deadline();
                    due.is_none_or(|at| at > world.now)
                },
            ),
            Property::sometimes("an end by force", |_, world: &World| world.being_ended),
        ];
        properties.extend(
            ServiceState::ALL.map(|state| Property::sometimes(state.name(), reaches(state))),
        );
        properties
    }
}

#[test]
fn no_reachable_state_is_a_trap_and_no_step_leaves_the_table() {
    let checker = AllLives.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done());
    assert!(
        checker.unique_state_count() > 1_000,
        "too few states to mean anything: {}",
        checker.unique_state_count()
    );
}
