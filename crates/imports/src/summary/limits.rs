//! What an options file reserves, limits and refuses, as rows.

use std::collections::BTreeMap;

use usher_api::{Imported, ImportedLimit};

use super::rows::{self, Rows, Sink, text};
use crate::fact::Feature;
use crate::flexnet::options::{Options, Rule};

/// Says each rule. An options file does not name its daemon: it is the one that serves a feature of that
/// name, if only one of the `known` does.
pub(super) fn say(options: &Options, known: &[Feature], rows: &mut Rows, sink: &mut Sink<'_>) {
    // None: several daemons serve one of that name.
    let mut served: BTreeMap<&str, Option<&Feature>> = BTreeMap::new();
    for feature in known {
        served
            .entry(&feature.name)
            .and_modify(|only| *only = None)
            .or_insert(Some(feature));
    }
    for rule in options.each() {
        let feature = rule.feature.map(|spec| {
            let only = served.get(spec.name.as_str()).copied().flatten();
            only.cloned().unwrap_or_else(|| Feature {
                daemon: None,
                name: spec.name.clone(),
            })
        });
        let id = feature.as_ref().map(Feature::product_id);
        let key = rows.keys.next(&[
            Some("limit"),
            id.as_deref(),
            rule.feature.map(ToString::to_string).as_deref(),
            Some(rule.word),
            rule.amount.map(|amount| amount.to_string()).as_deref(),
            rule.whom.as_deref(),
        ]);
        let row = row(&rule, feature.as_ref(), rows);
        rows.give(key, row.map(Imported::Limit), sink);
    }
}

fn row(rule: &Rule<'_>, feature: Option<&Feature>, rows: &Rows) -> Option<ImportedLimit> {
    let product = match feature {
        Some(feature) => Some(rows::product(&rows.map.product(feature))?),
        None => None,
    };
    Some(ImportedLimit {
        product,
        rule: rule.word.to_owned(),
        amount: rule.amount.map(rows::count),
        whom: rule.whom.as_deref().map(text),
        text: text(&rule.sentence),
    })
}
