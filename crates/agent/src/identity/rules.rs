//! The rules of a policy's products, compiled, and what a match of one means.

use std::sync::Arc;

use usher_api::{Mode, OnUnreachable, Product};
use usher_core::identify::{Identity, Matcher, ProgramRole, Rule, RuleSet};
use usher_core::sessions::{Counting, Unanswered, Use};

/// The compiled rules of a policy.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) set: RuleSet,
    products: Vec<ProductRules>,
}

#[derive(Debug)]
struct ProductRules {
    id: Arc<str>,
    counting: Counting,
    gate: Option<Unanswered>,
    rules: Vec<Rule>,
}

/// A program that a rule recognised.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) product: Arc<str>,
    pub(crate) counting: Counting,
    pub(crate) role: ProgramRole,
    /// The rule, as text.
    pub(crate) rule: String,
    pub(crate) by_path: bool,
    pub(crate) version: Option<Arc<str>>,
    /// Set if it is held at the gate: what to do if no server answers.
    pub(crate) gate: Option<Unanswered>,
}

impl Matched {
    /// Which use running it begins.
    pub(crate) fn as_use(&self) -> Use {
        Use {
            product: self.product.clone(),
            counting: self.counting,
            role: self.role,
        }
    }
}

impl Rules {
    /// Compiles the rules of `products`. A rule that this version cannot read (a newer server may
    /// know more) is left out and said; rules that cannot be compiled together recognise nothing.
    pub(crate) fn compile(products: &[Product]) -> Self {
        let products: Vec<ProductRules> = products
            .iter()
            .map(|product| ProductRules {
                id: product.id.as_str().into(),
                counting: match product.counting {
                    usher_api::Counting::Process => Counting::Process,
                    usher_api::Counting::User | usher_api::Counting::UserOnComputer => {
                        Counting::UserOnComputer
                    }
                },
                gate: gate(product),
                rules: product
                    .programs
                    .iter()
                    .filter_map(|text| readable(&product.id, text))
                    .collect(),
            })
            .collect();
        let set = RuleSet::new(products.iter().map(|product| product.rules.as_slice()));
        let set = set.unwrap_or_else(|error| {
            tracing::error!(%error, "no program is recognised");
            RuleSet::default()
        });
        Rules { set, products }
    }

    /// The match for `identity`, which this set has found.
    pub(crate) fn matched(&self, identity: Identity, version: Option<String>) -> Matched {
        let product = &self.products[identity.product];
        let rule = &product.rules[identity.rule];
        Matched {
            product: product.id.clone(),
            counting: product.counting,
            role: identity.role,
            rule: rule.to_string(),
            by_path: matches!(rule.matcher, Matcher::Path(_)),
            version: version.map(Arc::from),
            gate: product.gate,
        }
    }
}

fn gate(product: &Product) -> Option<Unanswered> {
    match (product.mode, product.on_unreachable) {
        (Mode::Track, _) => None,
        (Mode::Enforce, OnUnreachable::Run) => Some(Unanswered::Run),
        (Mode::Enforce, OnUnreachable::Refuse) => Some(Unanswered::Refuse),
    }
}

fn readable(product: &str, text: &str) -> Option<Rule> {
    Rule::parse(text)
        .inspect_err(|error| tracing::warn!(product, %error, "a program rule is left out"))
        .ok()
}
