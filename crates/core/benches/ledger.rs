//! The ledger alone, on one thread: checkout and checkin with many leases out.
//!
//! `cargo bench -p usher-core`; the bar is 1,000,000 pairs a second with 100,000 leases out.

use std::sync::Arc;

use divan::counter::ItemsCount;
use usher_core::ledger::*;

fn main() {
    divan::main();
}

/// Pairs measured at a time: a batch is sealed after every 64 commands, as the writer does.
const PAIRS: usize = 10_000;
const BATCH: usize = 64;

fn now(ms: u64) -> Now {
    Now {
        steady: Steady(1_000_000 + ms),
        wall: Wall(1_700_000_000_000),
    }
}

struct Bench {
    ledger: Ledger,
    products: Vec<Arc<str>>,
    users: Vec<Arc<str>>,
    authority: Arc<str>,
    computer: Arc<str>,
    ms: u64,
    next: usize,
}

impl Bench {
    fn new(products: usize, out: usize) -> Bench {
        let mut bench = Bench {
            ledger: Ledger::new(Incarnation(1)),
            products: (0..products)
                .map(|n| Arc::from(format!("product-{n}")))
                .collect(),
            users: (0..1_000).map(|n| Arc::from(format!("user-{n}"))).collect(),
            authority: Arc::from("usher"),
            computer: Arc::from("pc1"),
            ms: 0,
            next: 0,
        };
        for product in bench.products.clone() {
            let spec = ProductSpec {
                id: product.clone(),
                enabled: true,
                max_ttl_seconds: 86_400,
                queue_limit: 1_000,
                shared_by_subject: false,
                impossible_seconds: 60,
                document: "{}".into(),
            };
            bench
                .ledger
                .apply(now(0), Command::PutProduct { spec, new: true });
            let terms = EntitlementTerms {
                product,
                model: Model::concurrent(1_000_000),
                from: None,
                to: None,
                details: None,
            };
            bench.ledger.apply(now(0), Command::AddEntitlement(terms));
        }
        for _ in 0..out {
            bench.checkout();
        }
        bench.ledger.seal();
        bench
    }

    fn checkout(&mut self) -> LeaseId {
        self.next += 1;
        let user = self.users[self.next % self.users.len()].clone();
        let checkout = Command::Checkout(Checkout {
            product: self.products[self.next % self.products.len()].clone(),
            also: Vec::new(),
            subject: SubjectRef {
                authority: self.authority.clone(),
                key: user.clone(),
                name: user,
                candidate: self.next as u64,
            },
            computer: ComputerRef {
                key: self.computer.clone(),
                candidate: 7,
            },
            seats: 1,
            ttl_seconds: Some(86_400),
            wait: false,
            priority: 0,
            program: None,
        });
        match self.ledger.apply(now(self.ms), checkout) {
            Reply::Granted { lease, .. } => lease.id,
            other => panic!("not granted: {other:?}"),
        }
    }

    fn pairs(&mut self) {
        let mut open = Vec::with_capacity(BATCH);
        for pair in 0..PAIRS {
            open.push(self.checkout());
            if open.len() == BATCH || pair + 1 == PAIRS {
                self.ledger.seal();
                self.ms += 1;
                for lease in open.drain(..) {
                    let checkin = Command::Checkin {
                        lease,
                        access: Access::Anyone,
                    };
                    let reply = self.ledger.apply(now(self.ms), checkin);
                    assert_eq!(reply, Reply::Done);
                }
                self.ledger.seal();
            }
        }
    }
}

#[divan::bench(args = [0, 100_000], sample_count = 50)]
fn checkout_and_checkin_on_one_product(bencher: divan::Bencher<'_, '_>, leases_out: usize) {
    let mut bench = Bench::new(1, leases_out);
    bencher
        .counter(ItemsCount::new(PAIRS))
        .bench_local(|| bench.pairs());
}

#[divan::bench(args = [100_000], sample_count = 50)]
fn checkout_and_checkin_over_100_products(bencher: divan::Bencher<'_, '_>, leases_out: usize) {
    let mut bench = Bench::new(100, leases_out);
    bencher
        .counter(ItemsCount::new(PAIRS))
        .bench_local(|| bench.pairs());
}
