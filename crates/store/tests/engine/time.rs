//! Leases over restarts and reboots.

use std::sync::atomic::Ordering;

use usher_core::ledger::*;

use crate::support::*;

#[test]
fn a_restart_within_a_boot_changes_no_deadline_and_ends_what_is_over() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 2);
    let lease = granted(&engine, "cad", "ada");
    engine.close();
    clock.pass(299);
    // A wall clock that is set meanwhile changes nothing.
    clock.wall_ms.fetch_add(-86_400_000, Ordering::SeqCst);
    let engine = open(data.path(), &clock);
    let number = lease.id.number;
    let held = ledger(&engine).lease(number).unwrap();
    assert_eq!(held.deadline, lease.deadline);
    clock.pass(1);
    engine.execute(Command::Tick).unwrap();
    assert!(ledger(&engine).lease(number).is_none());
    engine.close();
}

#[test]
fn across_a_reboot_a_lease_has_between_a_grace_and_what_was_left_of_it() {
    let cases = [(100, 200_000), (-86_400, 300_000), (86_400, 30_000)];
    for (off_seconds, left_ms) in cases {
        let data = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = open(data.path(), &clock);
        product(&engine, "cad", 1);
        let lease = granted(&engine, "cad", "ada");
        engine.close();
        clock.reboot(off_seconds);
        let engine = open(data.path(), &clock);
        let now = engine.read(|_, now| now).unwrap();
        let held = ledger(&engine).lease(lease.id.number).unwrap();
        assert_eq!(
            held.deadline.since_ms(now.steady),
            left_ms,
            "off for {off_seconds} s"
        );
        engine.close();
    }
}

#[test]
fn a_crash_loop_over_reboots_keeps_no_dead_seat_alive() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let lease = granted(&engine, "cad", "ada");
    engine.close();
    for _ in 0..40 {
        clock.reboot(20);
        open(data.path(), &clock).close();
    }
    let engine = open(data.path(), &clock);
    assert!(ledger(&engine).lease(lease.id.number).is_none());
    engine.close();
}
