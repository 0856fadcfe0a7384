//! When a lease ends: its time, clocks that jump, a reboot, a restore.

use usher_core::ledger::*;

use crate::world::*;

#[test]
fn a_lease_ends_when_its_ttl_passes_without_renewal_and_its_seat_moves_on_at_that_moment() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada");
    w.pass(299);
    assert!(matches!(w.renew(lease.id), Reply::Renewed { .. }));
    let ticket = w.queued("cad", "bob");
    for _ in 0..29 {
        w.pass(10);
        w.poll(ticket);
    }
    w.pass_ms(9_999);
    assert!(w.ledger.lease(lease.id.number).is_some());
    w.pass_ms(1);
    // Any command sees it: no tick is needed.
    let view = w.poll(ticket);
    assert!(matches!(view.ticket.state, TicketState::Granted { .. }));
    assert_eq!(w.renew(lease.id), Reply::UnknownLease);
}

#[test]
fn a_wall_clock_that_jumps_neither_frees_nor_extends_a_seat() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada");
    for jump in [86_400_000, -2 * 86_400_000_i64] {
        w.now.wall.0 += jump;
        w.tell(Command::Tick);
        assert_eq!(
            w.ledger.lease(lease.id.number).map(|l| l.deadline),
            Some(lease.deadline)
        );
    }
    w.pass(300);
    assert!(w.ledger.lease(lease.id.number).is_none());
}

#[test]
fn a_reboot_gives_one_grace_and_no_more() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id.number;
    // The computer was off for a day.
    w.pass_ms(86_400_000);
    w.tell(Command::Rebooted);
    let grace = w.now.steady.plus_seconds(GRACE_SECONDS);
    assert_eq!(w.ledger.lease(lease).unwrap().deadline, grace);
    // It crashes again and again: the dead seat ends all the same.
    for _ in 0..5 {
        w.pass_ms(7_000);
        w.tell(Command::Rebooted);
    }
    w.pass(1);
    assert!(w.ledger.lease(lease).is_none());
}

#[test]
fn after_a_restore_nothing_is_granted_until_leases_of_before_have_ended() {
    let mut w = World::new();
    w.product("cad", 1);
    let hold_until = Some(w.now.steady.plus_seconds(60));
    w.tell(Command::Reincarnate {
        incarnation: Incarnation(9),
        hold_until,
    });
    assert_eq!(w.checkout("cad", "ada"), Reply::Held { for_seconds: 60 });
    w.pass(60);
    assert_eq!(w.granted("cad", "ada").id.incarnation, Incarnation(9));
}

#[test]
fn a_reboot_ends_at_once_what_had_its_grace_before() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id.number;
    w.pass_ms(86_400_000);
    w.tell(Command::Rebooted);
    w.pass_ms(GRACE_SECONDS * 1_000);
    w.tell(Command::Rebooted);
    assert!(w.ledger.lease(lease).is_none());
}

#[test]
fn an_entitlement_that_began_while_the_computer_was_off_serves_who_waits() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    let later = EntitlementTerms {
        from: Some(Bound::At(Wall(w.now.wall.0 + 10_000))),
        ..terms("cad", 1)
    };
    w.tell(Command::AddEntitlement(later));
    w.pass_ms(10_000);
    w.tell(Command::Rebooted);
    assert!(matches!(
        w.poll(ticket).ticket.state,
        TicketState::Granted { .. }
    ));
}
