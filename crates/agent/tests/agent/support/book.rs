//! What the test's metering server was told, and how it answers the exchange.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use usher_api::Policy;

/// The proof of every lease here.
pub(crate) const PROOF: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

/// What the server has been told, and how it answers.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) id: String,
    pub(crate) policy: Policy,
    /// The key and the signature that it tells; none: it signs nothing, as servers once did.
    pub(crate) signed: Option<(String, String)>,
    /// Seats of each product; none: it has none.
    pub(crate) seats: BTreeMap<String, usize>,
    pub(crate) ttl_seconds: u32,
    /// Answers 503 to exchanges, and to what is given back.
    pub(crate) away: bool,
    /// Fields that it does not know: it refuses a request that has one.
    pub(crate) knows_not: Vec<&'static str>,
    /// Requests that it refused for that.
    pub(crate) not_known: usize,
    /// What is given back is answered only once this is over.
    pub(crate) holds_deletes: bool,
    /// Leases that have ended: none of these is renewed.
    pub(crate) ended: BTreeSet<String>,
    /// What was given back, by its path.
    pub(crate) given_back: BTreeSet<String>,
    /// Grants no ticket its seat, but for these.
    pub(crate) holds_tickets: bool,
    pub(crate) granted_tickets: BTreeSet<String>,
    pub(super) tickets: u64,
    /// Does what it is asked, and then drops the connection instead of answering, so many times.
    pub(crate) lose_answers: usize,
    pub(super) marks: BTreeMap<(String, u64), u64>,
    /// Items that were applied, in order.
    pub(crate) applied: Vec<Value>,
    /// Sessions with a seat, and their lease.
    pub(crate) seated: BTreeMap<u64, (String, String)>,
    pub(crate) unseated: BTreeMap<u64, String>,
    pub(crate) computers: Vec<Value>,
    pub(super) leases: u64,
    /// Leases that were granted elsewhere, and their products: told of to who shows [`PROOF`].
    pub(crate) elsewhere: BTreeMap<String, String>,
    /// What was granted in one ask with such a lease: lease and product.
    pub(crate) with: BTreeMap<String, (String, String)>,
    /// Leases of this computer that the agent did not make: their product, and their holder's
    /// realm and account; no realm: the server says nothing of the holder.
    pub(crate) here: BTreeMap<String, (String, String, String)>,
    /// Other requests: method, path, body.
    pub(crate) requests: Vec<(String, String, Value)>,
}

impl Book {
    pub(super) fn sync(&mut self, request: &Value) -> Value {
        let text = request.to_string();
        let parsed: usher_api::SyncRequest<'_> = serde_json::from_str(&text).unwrap();
        self.computers.push(request["computer"].clone());
        let sender = (parsed.computer.id.to_string(), parsed.incarnation);
        let mut mark = self.marks.get(&sender).copied().unwrap_or(0);
        let mut results = Vec::new();
        for item in request["items"].as_array().unwrap() {
            let sequence = item["sequence"].as_u64().unwrap();
            if sequence > mark {
                assert_eq!(sequence, mark + 1, "a gap in the numbers");
                mark = sequence;
                self.apply(item);
                self.applied.push(item.clone());
            }
            let mut result = self.outcome(item);
            result["sequence"] = json!(sequence);
            results.push(result);
        }
        self.marks.insert(sender, mark);
        let mut answer = json!({"server": self.id, "acknowledged": mark, "results": results});
        if parsed.policy_version < self.policy.version {
            answer["policy"] = serde_json::to_value(&self.policy).unwrap();
            if let Some((_, signature)) = &self.signed {
                answer["policy_signature"] = json!(signature);
            }
        }
        if let Some((key, _)) = &self.signed {
            answer["policy_key"] = json!(key);
        }
        answer
    }

    fn apply(&mut self, item: &Value) {
        let session = item["session"].as_u64().unwrap_or(0);
        match item["kind"].as_str().unwrap() {
            "checkout" => {
                let product = item["product"].as_str().unwrap().to_owned();
                let taken = self
                    .seated
                    .values()
                    .filter(|(of, _)| *of == product)
                    .count();
                if self.seated.contains_key(&session) {
                } else if taken < self.seats.get(&product).copied().unwrap_or(0) {
                    self.leases += 1;
                    self.unseated.remove(&session);
                    self.seated
                        .insert(session, (product, format!("L{}", self.leases)));
                } else {
                    self.unseated.insert(session, product);
                }
            }
            "checkin" => {
                self.seated.remove(&session);
                self.unseated.remove(&session);
            }
            _ => {}
        }
    }

    fn outcome(&self, item: &Value) -> Value {
        let session = item["session"].as_u64().unwrap_or(0);
        match item["kind"].as_str().unwrap() {
            "checkout" => match self.seated.get(&session) {
                Some((_, lease)) => {
                    json!({"outcome": "granted", "lease": lease, "ttl_seconds": self.ttl_seconds})
                }
                None => json!({"outcome": "unseated", "reason": "no_seat"}),
            },
            "renew" if self.seated.contains_key(&session) => {
                json!({"outcome": "renewed", "ttl_seconds": self.ttl_seconds})
            }
            "renew" => json!({"outcome": "unknown_session"}),
            _ => json!({"outcome": "done"}),
        }
    }

    /// Finished sessions of a product, in order.
    pub(crate) fn finished(&self, product: &str) -> Vec<Value> {
        let of_product = |item: &&Value| item["kind"] == "finished" && item["product"] == product;
        self.applied.iter().filter(of_product).cloned().collect()
    }

    /// How often an item of a kind about a product's sessions was applied.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.applied
            .iter()
            .filter(|item| item["kind"] == kind)
            .count()
    }

    /// Starts of a program of no product.
    pub(crate) fn starts(&self, program: &str) -> u64 {
        let told = self.told(program);
        told.map(|count| count["starts"].as_u64().unwrap()).sum()
    }

    /// For how many seconds a program of no product ran.
    pub(crate) fn run_seconds(&self, program: &str) -> u64 {
        let told = self.told(program);
        told.filter_map(|count| count["run_seconds"].as_u64()).sum()
    }

    /// What was told of a program of no product, in order.
    pub(crate) fn told<'b>(&'b self, program: &'b str) -> impl Iterator<Item = &'b Value> {
        self.applied
            .iter()
            .filter(|item| item["kind"] == "programs")
            .flat_map(|item| item["counts"].as_array().unwrap())
            .filter(move |count| count["program"] == program)
    }
}
