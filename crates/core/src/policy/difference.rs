//! What turns one policy into another.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::Value;
use super::terms::Terms;
use super::whole::{Policy, Product};

/// A field that differs. None: it is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// What it is.
    pub before: Option<Value>,
    /// What it is to be.
    pub after: Option<Value>,
}

/// One step from one policy to another. Those that take away come last, so that nobody is refused
/// in between who would not be refused before or after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A product is new.
    AddProduct {
        /// The id of the product.
        id: String,
        /// As it is to be.
        product: Product,
    },
    /// Settings of a product differ.
    ChangeProduct {
        /// The id of the product.
        id: String,
        /// What differs.
        fields: Vec<Field>,
        /// As it is to be.
        product: Product,
    },
    /// An entitlement is new.
    AddEntitlement {
        /// The name of the entitlement.
        name: String,
        /// As it is to be.
        terms: Terms,
    },
    /// An entitlement has another name, or other terms.
    ChangeEntitlement {
        /// The name that it is to have.
        name: String,
        /// The name that it has, if that is another.
        was: Option<String>,
        /// What differs of its terms.
        fields: Vec<Field>,
        /// As it is to be.
        terms: Terms,
    },
    /// An entitlement is to be no more.
    RemoveEntitlement {
        /// The name of the entitlement.
        name: String,
        /// The terms that it has on the server.
        terms: Terms,
    },
    /// A product is to be no more.
    RemoveProduct {
        /// The id of the product.
        id: String,
        /// The settings that it has on the server.
        product: Product,
    },
}

impl Change {
    /// Whether it takes something away altogether.
    pub fn is_removal(&self) -> bool {
        matches!(
            self,
            Change::RemoveEntitlement { .. } | Change::RemoveProduct { .. }
        )
    }

    /// The id of the product, or the name of the entitlement, that it makes, changes or takes away.
    pub fn subject(&self) -> &str {
        match self {
            Change::AddProduct { id, .. }
            | Change::ChangeProduct { id, .. }
            | Change::RemoveProduct { id, .. } => id,
            Change::AddEntitlement { name, .. }
            | Change::ChangeEntitlement { name, .. }
            | Change::RemoveEntitlement { name, .. } => name,
        }
    }
}

/// The steps from one policy to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the order in which they are to be made.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Whether the policies are the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Without what it would take away, which is answered beside it.
    pub fn without_removals(self) -> (Difference, Vec<Change>) {
        let (left, changes) = self.changes.into_iter().partition(Change::is_removal);
        (Difference { changes }, left)
    }

    /// What the steps make of a policy.
    pub fn applied_to(&self, policy: &Policy) -> Policy {
        let mut made = policy.clone();
        for change in &self.changes {
            match change {
                Change::AddProduct { id, product } | Change::ChangeProduct { id, product, .. } => {
                    made.products.insert(id.clone(), product.clone());
                }
                Change::AddEntitlement { name, terms } => {
                    made.entitlements.insert(name.clone(), terms.clone());
                }
                Change::ChangeEntitlement {
                    name, was, terms, ..
                } => {
                    if let Some(was) = was {
                        made.entitlements.remove(was);
                    }
                    made.entitlements.insert(name.clone(), terms.clone());
                }
                Change::RemoveEntitlement { name, .. } => {
                    made.entitlements.remove(name);
                }
                Change::RemoveProduct { id, .. } => {
                    made.products.remove(id);
                }
            }
        }
        made
    }
}

/// What turns `have` into `want`. `renamed` says, by the name of an entitlement of `want`, which
/// name it may still have in `have`: it holds if `have` knows the old name and not the new one.
pub fn difference(have: &Policy, want: &Policy, renamed: &BTreeMap<String, String>) -> Difference {
    let mut changes = Vec::new();
    for (id, product) in &want.products {
        match have.products.get(id) {
            None => changes.push(Change::AddProduct {
                id: id.clone(),
                product: product.clone(),
            }),
            Some(before) if before != product => changes.push(Change::ChangeProduct {
                id: id.clone(),
                fields: settings_that_differ(before, product),
                product: product.clone(),
            }),
            Some(_) => {}
        }
    }
    let old_name = |name: &String| {
        let was = renamed.get(name)?;
        let is_it = !have.entitlements.contains_key(name)
            && have.entitlements.contains_key(was)
            && !want.entitlements.contains_key(was);
        is_it.then_some(was)
    };
    let mut kept: BTreeSet<&String> = BTreeSet::new();
    for (name, terms) in &want.entitlements {
        let was = old_name(name).filter(|was| !kept.contains(was));
        let before = have.entitlements.get_key_value(was.unwrap_or(name));
        let Some((old, before)) = before else {
            changes.push(Change::AddEntitlement {
                name: name.clone(),
                terms: terms.clone(),
            });
            continue;
        };
        kept.insert(old);
        if was.is_some() || before != terms {
            changes.push(Change::ChangeEntitlement {
                name: name.clone(),
                was: was.cloned(),
                fields: terms_that_differ(before, terms),
                terms: terms.clone(),
            });
        }
    }
    let gone = have.entitlements.iter();
    let gone = gone.filter(|(name, _)| !kept.contains(name));
    changes.extend(gone.map(|(name, terms)| Change::RemoveEntitlement {
        name: name.clone(),
        terms: terms.clone(),
    }));
    let gone = have.products.iter();
    let gone = gone.filter(|(id, _)| !want.products.contains_key(*id));
    changes.extend(gone.map(|(id, product)| Change::RemoveProduct {
        id: id.clone(),
        product: product.clone(),
    }));
    Difference { changes }
}

fn settings_that_differ(before: &Product, after: &Product) -> Vec<Field> {
    let both = before.settings().zip(after.settings());
    let differ = both.filter(|((_, before), (_, after))| before != after);
    differ
        .map(|((key, before), (_, after))| Field {
            key,
            before: Some(before.clone()),
            after: Some(after.clone()),
        })
        .collect()
}

fn terms_that_differ(before: &Terms, after: &Terms) -> Vec<Field> {
    let both = before.fields().into_iter().zip(after.fields());
    let differ = both.filter(|((_, before), (_, after))| before != after);
    differ
        .map(|((key, before), (_, after))| Field { key, before, after })
        .collect()
}
