//! What is metered in a storm: ten products, of each kind some.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// How long the lease of a program lives without renewal.
pub(crate) const TTL_SECONDS: u64 = 15;

/// What stays as it is of a product; mode, seats and the rule of its second program change.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) number: usize,
    pub(crate) seats: u32,
    pub(crate) is_enforced: bool,
    /// Without a server its starts are refused.
    pub(crate) is_strict: bool,
    /// Each process is a use of its own.
    pub(crate) is_per_process: bool,
    /// Its rule is of a path; else of a name.
    by_path: bool,
}

const fn product(
    number: usize,
    seats: u32,
    is_enforced: bool,
    is_strict: bool,
    is_per_process: bool,
    by_path: bool,
) -> Product {
    Product {
        number,
        seats,
        is_enforced,
        is_strict,
        is_per_process,
        by_path,
    }
}

/// Seats from one to more than are ever asked for.
pub(crate) const PRODUCTS: [Product; 10] = [
    product(0, 1, true, false, false, true),
    product(1, 2, true, true, false, false),
    product(2, 3, true, false, true, false),
    product(3, 5, true, true, true, true),
    product(4, 1, false, false, false, true),
    product(5, 4, false, true, true, false),
    product(6, 8, true, false, false, true),
    product(7, 12, true, true, true, false),
    product(8, 60, true, false, true, true),
    product(9, 1, true, true, false, true),
];

impl Product {
    pub(crate) fn id(&self) -> String {
        format!("product{}", self.number)
    }

    /// The file name of its program; `second`: of the one whose rule comes and goes. Agents of
    /// other tests see all starts of this computer: it is nobody else's.
    pub(crate) fn program(&self, second: bool) -> String {
        let kind = if second { "second" } else { "first" };
        format!("storm{}-{kind}{}", std::process::id(), self.number)
    }

    /// Whether it has a second program.
    pub(crate) fn has_second(&self) -> bool {
        self.is_per_process
    }

    pub(crate) fn file(&self, place: &Path, second: bool) -> PathBuf {
        place.join(self.program(second))
    }

    pub(crate) fn rule(&self, place: &Path, second: bool) -> String {
        match self.by_path {
            true => format!("path={}", self.file(place, second).display()),
            false => format!("name={}", self.program(second)),
        }
    }

    /// The body of a request that makes it so.
    pub(crate) fn body(&self, place: &Path, is_enforced: bool, second: bool) -> Value {
        let mut programs = vec![self.rule(place, false)];
        programs.extend(second.then(|| self.rule(place, true)));
        json!({
            "id": self.id(),
            "programs": programs,
            "mode": if is_enforced { "enforce" } else { "track" },
            "on_unreachable": if self.is_strict { "refuse" } else { "run" },
            "counting": if self.is_per_process { "process" } else { "user_on_computer" },
            "max_ttl_seconds": TTL_SECONDS,
        })
    }
}
