//! A policy: products with their settings, and entitlements by their names.

use std::collections::BTreeMap;

use super::settings::{SETTINGS, Value};
use super::terms::Terms;

/// All settings of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    settings: BTreeMap<&'static str, Value>,
}

impl Default for Product {
    /// A product with the default of every setting.
    fn default() -> Product {
        let settings = SETTINGS.iter().map(|it| (it.key, it.usual()));
        Product {
            settings: settings.collect(),
        }
    }
}

impl Product {
    /// Sets the setting of that key; an unknown key is ignored.
    pub fn set(&mut self, key: &str, value: Value) {
        if let Some(place) = self.settings.get_mut(key) {
            *place = value;
        }
    }

    /// The setting of that key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.settings.get(key)
    }

    /// A setting that is a text or a word; empty for any other.
    pub fn text(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// All settings with their keys, in the order in which they are written.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        SETTINGS
            .iter()
            .filter_map(|it| Some((it.key, self.settings.get(it.key)?)))
    }
}

/// The products and entitlements that a server has, or is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The products by their ids.
    pub products: BTreeMap<String, Product>,
    /// The entitlements by their names. An entitlement without a name has its id on the server
    /// here.
    pub entitlements: BTreeMap<String, Terms>,
}

/// Whether a name has the form of the ids that servers give entitlements, such as E12.
pub fn is_servers_own(name: &str) -> bool {
    let digits = name.strip_prefix('E').unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number && !(digits.len() > 1 && digits.starts_with('0'))
}
