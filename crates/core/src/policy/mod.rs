//! A policy as a file: which products and entitlements a server is to have, as people write it.
//!
//! [`read`] takes texts in TOML and returns the policy that they make together, or every fault in
//! them with its place. [`difference()`] says what turns one policy into another, [`steps`] what
//! that means for the seats of a product, and [`write`](mod@write) writes a policy out.
//!
//! A policy is complete: what a text does not say of a product has its default. The caller gets the
//! texts, the server's present policy and the user's consent.

mod amount;
mod difference;
mod difference_text;
mod fields;
mod mended;
mod money;
mod price;
mod read;
mod seats;
mod settings;
mod spelling;
mod tables;
mod terms;
mod whole;
pub mod write;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use amount::Amount;
pub use difference::{Change, Difference, Field, difference};
pub use fields::{Fault, IsUnseen};
pub use money::Money;
pub use price::{Per, Price, currency};
pub use read::{
    ENTITLEMENTS_LIMIT, PRODUCTS_LIMIT, Read, SOURCE_LIMIT_BYTES, Source, VERSION, read,
};
pub use seats::{Step, steps};
pub use settings::{Kind, Range, SETTINGS, Setting, Value};
pub use terms::Terms;
pub use whole::{Policy, Product, is_servers_own};
