//! What counts for the weight of a request.

use usher_core::ledger::{Checkout, ComputerRef, SubjectRef};

use super::*;

fn person() -> SubjectRef {
    SubjectRef {
        authority: "usher".into(),
        key: "ann".into(),
        name: "ann".into(),
        candidate: 1,
    }
}

fn computer() -> ComputerRef {
    ComputerRef {
        key: "c1".into(),
        candidate: 1,
    }
}

/// The bytes of a seat that a request, and a report, ask for a program of that name.
fn of(program: Option<&str>) -> [usize; 2] {
    let asked = Command::Checkout(Checkout {
        product: "cad".into(),
        also: Vec::new(),
        subject: person(),
        computer: computer(),
        seats: 1,
        ttl_seconds: None,
        wait: false,
        priority: 0,
        program: program.map(Into::into),
    });
    let item = ReportItem::Checkout {
        session: 1,
        product: "cad".into(),
        subject: person(),
        seats: 1,
        ttl_seconds: 60,
        shown: None,
        gate: false,
        claim: None,
        program: program.map(Into::into),
    };
    let reported = Command::Report(Box::new(Report {
        computer: computer(),
        name: "c1".into(),
        document: "{}".into(),
        incarnation: 1,
        items: vec![(1, item)],
    }));
    [of_command(&asked), of_command(&reported)]
}

#[test]
fn the_name_of_a_program_weighs_too() {
    let without = of(None);
    let with = of(Some(&"x".repeat(255)));
    assert_eq!(with, without.map(|bytes| bytes + 255));
}
