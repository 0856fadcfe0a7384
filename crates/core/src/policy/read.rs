//! Reads a policy from one or more TOML texts, and reports every fault in them.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::fields::{Fault, Fields, IsUnseen, Page};
use super::mended;
use super::spelling::nearest;
use super::tables::{entitlement, may_be_id, product, zone};
use super::terms::Terms;
use super::whole::Policy;

/// The version of the format.
pub const VERSION: u32 = 1;
/// The largest text, in bytes.
pub const SOURCE_LIMIT_BYTES: usize = 1 << 20;
/// The largest number of products of a policy.
pub const PRODUCTS_LIMIT: usize = 10_000;
/// The largest number of entitlements of a policy.
pub const ENTITLEMENTS_LIMIT: usize = 100_000;

/// A text and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in faults: a path.
    pub name: String,
    /// The text of the file.
    pub text: String,
}

/// The result of reading all texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The policy.
    pub policy: Policy,
    /// The former names of entitlements, by their new names.
    pub renamed: BTreeMap<String, String>,
    /// The place of each product, by its id, such as `policy.toml:3`.
    pub product_places: BTreeMap<String, String>,
    /// The place of each entitlement, by its name.
    pub entitlement_places: BTreeMap<String, String>,
}

/// Reads texts that make one policy together.
///
/// # Errors
/// Every fault in them, in the order of the texts and their lines.
pub fn read(sources: &[Source], is_unseen: IsUnseen) -> Result<Read, Vec<Fault>> {
    let mut read = Read::default();
    let mut pages = Vec::new();
    // What has no place in a text that cannot be read may stand there.
    let mut is_whole = true;
    let mut owned: Vec<Owned> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        // A mark at the beginning is no part of the text.
        let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
        let mut page = Page::new(&source.name, text, is_unseen);
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            source_of(&mut page, index, table.get_ref(), &mut read, &mut owned);
        } else {
            let rest = mended::without(&mut page, text, &errors);
            is_whole &= rest.is_some() && !page.lost.iter().any(|key| key == "id");
            if let Some(rest) = rest {
                let (table, _) = DeTable::parse_recoverable(&rest);
                source_of(&mut page, index, table.get_ref(), &mut read, &mut owned);
            }
        }
        pages.push(page);
    }
    for it in &owned {
        join(it, &mut pages, &mut read, is_whole);
    }
    renames(&owned, &mut pages, &mut read);
    if let Some(page) = pages.first_mut() {
        let counts = [
            ("products", read.policy.products.len(), PRODUCTS_LIMIT),
            (
                "entitlements",
                read.policy.entitlements.len(),
                ENTITLEMENTS_LIMIT,
            ),
        ];
        for (what, count, limit) in counts {
            if count > limit {
                page.fault(0, format!("these are {count} {what}: give at most {limit}"));
            }
        }
    }
    let mut faults = Vec::new();
    for page in pages {
        let mut of_page = page.faults;
        of_page.sort_by_key(|fault| fault.line);
        faults.extend(of_page);
    }
    match faults.is_empty() {
        true => Ok(read),
        false => Err(faults),
    }
}

/// An entitlement and its place in a text.
struct Owned {
    name: String,
    was: Option<String>,
    terms: Terms,
    /// The index of its text.
    page: usize,
    /// The place of its product.
    at_product: usize,
    /// The place of its former name.
    at_was: usize,
}

fn source_of(
    page: &mut Page<'_>,
    index: usize,
    table: &DeTable<'_>,
    read: &mut Read,
    owned: &mut Vec<Owned>,
) {
    let fields = Fields::of(table, 0);
    page.only(fields, &["policy", "time_zone", "product", "entitlement"]);
    version(page, fields);
    let zone = zone(page, fields).unwrap_or_else(|| "UTC".to_owned());
    for fields in page.tables(fields, "product") {
        let (id, product) = product(page, fields);
        let Some(id) = id else { continue };
        let place = page.place(fields.at);
        match read.product_places.get(&id) {
            Some(first) => {
                let what = format!("product {id} stands here again: it stands in {first} already");
                page.fault(fields.at, what);
            }
            None => {
                read.product_places.insert(id.clone(), place);
                read.policy.products.insert(id, product);
            }
        }
    }
    for fields in page.tables(fields, "entitlement") {
        let found = entitlement(page, fields, &zone);
        let Some((name, was, terms)) = found else {
            continue;
        };
        if let Some(first) = read.entitlement_places.get(&name) {
            let what =
                format!("entitlement {name} stands here again: it stands in {first} already");
            page.fault(fields.at, what);
            continue;
        }
        let place = page.place(fields.at);
        read.entitlement_places.insert(name.clone(), place);
        owned.push(Owned {
            name,
            was,
            terms,
            page: index,
            at_product: fields.at_key("product"),
            at_was: fields.at_key("was"),
        });
    }
}

fn version(page: &mut Page<'_>, fields: Fields<'_, '_>) {
    let Some(found) = fields.find("policy") else {
        if page.lost.iter().any(|key| key == "policy") {
            return;
        }
        let what = format!("it does not say which format it has: write `policy = {VERSION}` first");
        return page.fault(0, what);
    };
    let is_known = |value: &DeValue<'_>| {
        let number = value.as_integer().map(|it| it.as_str().to_owned());
        number == Some(VERSION.to_string())
    };
    if !is_known(found.get_ref()) {
        page.fault(
            found.span().start,
            format!(
                "this version of Usher reads `policy = {VERSION}`: a file with another number is \
                 for another version"
            ),
        );
    }
}

/// Adds an entitlement, if its product exists.
fn join(it: &Owned, pages: &mut [Page<'_>], read: &mut Read, is_whole: bool) {
    let products = &read.policy.products;
    if is_whole
        && !products.contains_key(&it.terms.product)
        && let Some(page) = pages.get_mut(it.page)
    {
        // An id that is refused cannot be the one that is meant.
        let ids = products.keys().map(String::as_str);
        let known: Vec<&str> = ids.filter(|id| may_be_id(id)).collect();
        // Each is compared with each: of many only that there is none is said.
        let known = match known.len() {
            0 if products.is_empty() => "none stands in these files".to_owned(),
            0 => "the ids in these files cannot be used".to_owned(),
            1..=100 => nearest(&it.terms.product, &known),
            _ => "it stands in none of these files".to_owned(),
        };
        let what = format!(
            "there is no [[product]] with the id {}: {known}",
            it.terms.product
        );
        page.fault(it.at_product, what);
    }
    let policy = &mut read.policy;
    policy
        .entitlements
        .insert(it.name.clone(), it.terms.clone());
}

/// Adds the former names: each of one entitlement, and of none that still exists.
fn renames(owned: &[Owned], pages: &mut [Page<'_>], read: &mut Read) {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for it in owned {
        let Some(was) = &it.was else { continue };
        let what = if *was == it.name {
            Some("`was` is its name: leave it out".to_owned())
        } else if let Some(place) = read.entitlement_places.get(was) {
            Some(format!(
                "{was} is an entitlement of its own, in {place}: {} cannot have been it",
                it.name
            ))
        } else {
            let other = taken.insert(was, &it.name);
            other.map(|other| format!("{was} was {other} already: it can become one only"))
        };
        match (what, pages.get_mut(it.page)) {
            (Some(what), Some(page)) => page.fault(it.at_was, what),
            _ => drop(read.renamed.insert(it.name.clone(), was.clone())),
        }
    }
}
