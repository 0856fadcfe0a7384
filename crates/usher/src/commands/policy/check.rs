//! `usher policy check`: checks files of a policy, without a server.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use usher_core::identify::{Danger, Facts, Rule, dangers};
use usher_core::policy::{Fault, Product, Read, Value};

use super::files::{self, Unread};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{counted, line, print_json, tame};

/// Check files: all faults at once, each with its file and line; no server is needed
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 they make a policy, 1 they have faults, 2 a file cannot be read.

Examples:
  usher policy check policy.toml
  usher policy check policy/            the files *.toml of a folder, as one policy
  usher policy check products.toml owned.toml")]
pub(crate) struct Check {
    /// Files, or folders with files *.toml; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Take rules that hit what every computer needs also for mode enforce
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Report {
    products: usize,
    entitlements: usize,
    faults: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    file: String,
    /// 0: the finding is about the whole product.
    line: usize,
    what: String,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Check, context: &Context) -> Result<u8, Failure> {
    let (read, faults) = match files::policy(&args.files) {
        Ok(read) => {
            let dangerous = match args.force {
                true => Vec::new(),
                false => dangerous(&read),
            };
            (read, dangerous)
        }
        Err(Unread::Failed(failure)) => return Err(*failure),
        Err(Unread::Faults(faults)) => (Read::default(), faults),
    };
    let code = match faults.is_empty() {
        true => exit::DONE,
        false => exit::FAILED,
    };
    let (products, entitlements) = (read.policy.products.len(), read.policy.entitlements.len());
    if context.json() {
        let told = faults.into_iter().map(|fault| Told {
            file: fault.source,
            line: fault.line,
            what: fault.what,
        });
        print_json(&Report {
            products,
            entitlements,
            faults: told.collect(),
        })?;
        return Ok(code);
    }
    for fault in &faults {
        line(tame(&fault.to_string()))?;
    }
    match faults.len() as u64 {
        0 => line(format!(
            "{} and {}: no fault.",
            counted(products as u64, "product"),
            counted(entitlements as u64, "entitlement")
        ))?,
        some => line(format!("{}.", counted(some, "fault")))?,
    }
    Ok(code)
}

/// Products in mode `enforce` whose rules match programs that every computer needs.
fn dangerous(read: &Read) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, product) in &read.policy.products {
        let Some((rule, danger, more)) = worst(product) else {
            continue;
        };
        let place = read.product_places.get(id).cloned().unwrap_or_default();
        let (source, line) = place.rsplit_once(':').unwrap_or((&place, "0"));
        let more = match more {
            0 => String::new(),
            more => format!(", and {more} more that a computer needs"),
        };
        let path = String::from_utf8_lossy(&danger.path).into_owned();
        faults.push(Fault {
            source: source.to_owned(),
            line: line.parse().unwrap_or(0),
            what: format!(
                "product {id} is to be enforced, and its rule {rule} would hit {path}, which is \
                 {}{more}: write a narrower rule; --force takes it all the same",
                danger.role.description()
            ),
        });
    }
    faults
}

/// The first program that every computer needs and that a rule matches, the rule, and how many more
/// there are.
fn worst(product: &Product) -> Option<(String, Danger, usize)> {
    let Some(Value::Texts(texts)) = product.get("programs") else {
        return None;
    };
    if product.text("mode") != "enforce" {
        return None;
    }
    let rules: Result<Vec<Rule>, _> = texts.iter().map(|text| Rule::parse(text)).collect();
    // Rules that cannot be read were refused before; too many of them a server refuses.
    let found = dangers(&rules.ok()?, no_computer()).ok()?;
    let more = found.len().saturating_sub(1);
    let first = found.into_iter().next()?;
    Some((texts.get(first.rule)?.clone(), first, more))
}

/// A check does not look at the programs that are installed on this computer.
fn no_computer() -> [Nothing; 0] {
    []
}

enum Nothing {}

impl Facts for Nothing {
    fn path(&self) -> &[u8] {
        match *self {}
    }
}
