//! The ledger while it grows: a million leases of a million people, one after the other.
//!
//! `cargo bench -p usher-core --bench growth`: how much resident memory a lease takes together with
//! its person, and how long the slowest checkout takes: while a table doubles, everybody waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use usher_core::ledger::*;

const LEASES: u64 = 1_000_000;
const STEP: u64 = 100_000;
const BATCH: u64 = 64;

const NOW: Now = Now {
    steady: Steady(1_000_000),
    wall: Wall(1_700_000_000_000),
};

fn main() {
    let mut ledger = Ledger::new(Incarnation(1));
    let product: Arc<str> = "product".into();
    let spec = ProductSpec {
        id: product.clone(),
        enabled: true,
        max_ttl_seconds: 86_400,
        queue_limit: 1_000,
        shared_by_subject: false,
        impossible_seconds: 60,
        document: "{}".into(),
    };
    ledger.apply(NOW, Command::PutProduct { spec, new: true });
    let terms = EntitlementTerms {
        product: product.clone(),
        model: Model::concurrent(u32::MAX),
        from: None,
        to: None,
        details: None,
    };
    ledger.apply(NOW, Command::AddEntitlement(terms));
    ledger.seal();
    let before = resident_bytes();
    println!("leases\tbytes a lease with its person\tmean ns\tslowest us");
    for step in 1..=LEASES / STEP {
        let (mut all, mut slowest) = (Duration::ZERO, Duration::ZERO);
        for number in (step - 1) * STEP..step * STEP {
            let command = checkout(&product, number);
            let start = Instant::now();
            let reply = ledger.apply(NOW, command);
            if number % BATCH == BATCH - 1 {
                ledger.seal();
            }
            let took = start.elapsed();
            assert!(matches!(reply, Reply::Granted { .. }), "{reply:?}");
            all += took;
            slowest = slowest.max(took);
        }
        let bytes = resident_bytes().saturating_sub(before) / (step * STEP);
        let (mean, slowest) = (all.as_nanos() / u128::from(STEP), slowest.as_micros());
        println!("{}\t{bytes}\t{mean}\t{slowest}", step * STEP);
    }
}

/// A checkout of somebody new, whose names come from a request of their own.
fn checkout(product: &str, number: u64) -> Command {
    let user = format!("user-{number}");
    Command::Checkout(Checkout {
        product: product.into(),
        also: Vec::new(),
        subject: SubjectRef {
            authority: "usher".into(),
            key: user.as_str().into(),
            name: user.into(),
            candidate: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        },
        computer: ComputerRef {
            key: "pc1".into(),
            candidate: 7,
        },
        seats: 1,
        ttl_seconds: Some(86_400),
        wait: false,
        priority: 0,
        program: None,
    })
}

/// Resident memory of this process; 0 if this system does not say it.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4_096
}
