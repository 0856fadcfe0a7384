//! The changes that turn one policy into another.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::Value;
use super::terms::Terms;
use super::whole::{Policy, Product};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// Its present value; none: it is not set.
    pub before: Option<Value>,
    /// Its new value; none: it is not to be set.
    pub after: Option<Value>,
}

/// One change. Removals come last, so that nobody is refused in between who would be refused
/// neither before nor after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add a product.
    AddProduct {
        /// The id of the product.
        id: String,
        /// The new settings or terms.
        product: Product,
    },
    /// Change settings of a product.
    ChangeProduct {
        /// The id of the product.
        id: String,
        /// The settings that differ.
        fields: Vec<Field>,
        /// The new settings or terms.
        product: Product,
    },
    /// Add an entitlement.
    AddEntitlement {
        /// The name of the entitlement.
        name: String,
        /// The new settings or terms.
        terms: Terms,
    },
    /// Change the name or the terms of an entitlement.
    ChangeEntitlement {
        /// The new name.
        name: String,
        /// The present name, if the name changes.
        was: Option<String>,
        /// The terms that differ.
        fields: Vec<Field>,
        /// The new settings or terms.
        terms: Terms,
    },
    /// Remove an entitlement.
    RemoveEntitlement {
        /// The name of the entitlement.
        name: String,
        /// Its terms on the server.
        terms: Terms,
    },
    /// Remove a product.
    RemoveProduct {
        /// The id of the product.
        id: String,
        /// Its settings on the server.
        product: Product,
    },
}

impl Change {
    /// Whether it removes a product or an entitlement.
    pub fn is_removal(&self) -> bool {
        matches!(
            self,
            Change::RemoveEntitlement { .. } | Change::RemoveProduct { .. }
        )
    }

    /// The id of the product, or the name of the entitlement, that it adds, changes or removes.
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

/// All changes from one policy to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The changes, in the order in which to make them.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Whether the policies are the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Separates the removals from the other changes.
    pub fn without_removals(self) -> (Difference, Vec<Change>) {
        let (left, changes) = self.changes.into_iter().partition(Change::is_removal);
        (Difference { changes }, left)
    }

    /// The policy after these changes.
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

/// The changes that turn `have` into `want`. `renamed` maps the name of an entitlement in `want` to
/// its former name, which applies if `have` has the former name and not the new one.
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
