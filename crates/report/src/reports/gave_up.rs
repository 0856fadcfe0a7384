//! `gave_up`: who never came back after a refusal.

use usher_api::{Report, ReportName, Timestamp};

use crate::asked::Asked;
use crate::draft::Draft;

/// What `gave_up` is made from.
#[derive(Debug, Clone, Default)]
pub struct GaveUpInput {
    /// Those who were refused in the time: each person and product once, by their last refusal.
    pub turned_down: Vec<TurnedDown>,
}

/// Somebody who was refused a product in the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedDown {
    /// Product id.
    pub product: String,
    /// The name of the person.
    pub user: String,
    /// The person's realm.
    pub realm: String,
    /// The computer of the last refusal.
    pub computer: String,
    /// How often they were refused in the time, repeats counted.
    pub refusals: u64,
    /// The first refusal in the time.
    pub first_at: Timestamp,
    /// The last refusal in the time.
    pub last_at: Timestamp,
    /// The reason of the last refusal, in the word of the API.
    pub reason: String,
    /// What came after the last refusal.
    pub came_back: CameBack,
}

/// Whether a person got a product after a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameBack {
    /// They were granted a seat, or began to use it, at that time.
    At(Timestamp),
    /// All of the time since then is known, and they did not.
    Never,
    /// Nobody knows, for that reason, in words.
    NotKnown(String),
}

/// Who was refused a product and never used it afterwards.
pub fn gave_up(asked: &Asked, input: GaveUpInput) -> Report {
    let _ = input;
    Draft::new(ReportName::GaveUp, "Who never came back after a refusal").report(asked)
}
