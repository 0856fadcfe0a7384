//! A policy as a file: what a server is to have of products and entitlements, as people write it.
//!
//! [`read`] takes texts in TOML and answers the policy that they make together, or every fault in
//! them with its place. [`difference()`] says what turns one policy into another, [`steps`] what
//! that means for the seats of a product, and [`write`](mod@write) writes a policy out.
//!
//! A policy is whole: what a text does not say of a product is as it usually is. How the texts,
//! the server and the person who asks are reached is the business of who calls.

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
