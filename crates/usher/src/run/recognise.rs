//! Which product a command belongs to, if none was named.
//!
//! The agent of this computer is asked: it has the rules. Without an agent, this fetches the
//! server's products and applies their rules with the same code.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use usher_api::client::Client;
use usher_api::{IdentifyAnswer, IdentifyRequest, ProductView};
use usher_core::identify::{Facts, Package, Rule, RuleSet};

use super::door::Door;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch};
use crate::package;

/// The product whose rules match `file`; `None` if no rule matches. Each answer may take `within`.
pub(crate) async fn product(
    door: &Door,
    file: &Path,
    within: Duration,
) -> Result<Option<String>, Failure> {
    let named = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| named.clone());
    match &door.agent {
        Some(agent) => ask_agent(&agent.clone().within(within), &file).await,
        None => look_through(&door.seats.clone().within(within), file, named).await,
    }
}

/// The same, by the agent.
pub(crate) async fn by_agent(agent: &Client, file: &Path) -> Result<Option<String>, Failure> {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    ask_agent(agent, &file).await
}

async fn ask_agent(agent: &Client, file: &Path) -> Result<Option<String>, Failure> {
    let Some(path) = file.to_str() else {
        return Ok(None);
    };
    let request = IdentifyRequest { path: path.into() };
    let answer: IdentifyAnswer = agent.post("/v1/identify", &request).await?;
    if answer.product.is_some() {
        return Ok(answer.product);
    }
    // The product may have been added since the agent last heard from the server.
    if agent.tell("/v1/refresh", &()).await.is_err() {
        return Ok(None);
    }
    let answer: IdentifyAnswer = agent.post("/v1/identify", &request).await?;
    Ok(answer.product)
}

async fn look_through(
    server: &Client,
    file: PathBuf,
    named: PathBuf,
) -> Result<Option<String>, Failure> {
    let products = fetch::<ProductView>(server, &Query::new("/v1/products"), &Extent::ALL).await?;
    Ok(match_rules(&products.items, file, named))
}

fn match_rules(products: &[ProductView], file: PathBuf, named: PathBuf) -> Option<String> {
    // A rule that this version cannot read is as one that does not match.
    let rules: Vec<Vec<Rule>> = products
        .iter()
        .map(|view| {
            let texts = view.product.programs.iter();
            texts.filter_map(|text| Rule::parse(text).ok()).collect()
        })
        .collect();
    let set = match RuleSet::new(rules.iter().map(Vec::as_slice)) {
        Ok(set) => set,
        Err(error) => {
            eprintln_quiet(&format!("usher: the program rules cannot be used: {error}"));
            return None;
        }
    };
    let found = set.identify(&mut FileFacts::new(file, named))?;
    products
        .get(found.product)
        .map(|view| view.product.id.clone())
}

/// What can be found out about a file that is not started yet.
struct FileFacts {
    file: PathBuf,
    known_as: Vec<Vec<u8>>,
}

impl FileFacts {
    fn new(file: PathBuf, named: PathBuf) -> Self {
        let known_as = match named == file {
            true => Vec::new(),
            false => vec![named.into_os_string().into_encoded_bytes()],
        };
        FileFacts { file, known_as }
    }
}

impl Facts for FileFacts {
    fn path(&self) -> &[u8] {
        self.file.as_os_str().as_encoded_bytes()
    }

    fn known_as(&self) -> &[Vec<u8>] {
        &self.known_as
    }

    fn package(&mut self) -> Option<Package> {
        let name = package::owners(&[&self.file]).pop()??;
        let version = package::version(&name)?;
        Some(Package { name, version })
    }

    fn sha256(&mut self) -> Option<[u8; 32]> {
        let mut file = usher_platform::files::open_regular(&self.file).ok()?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer).ok()? {
                0 => break,
                length => hash.update(&buffer[..length]),
            }
        }
        Some(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products() -> Vec<ProductView> {
        [
            ("by-name", "tool-*"),
            ("by-path", "/bin/sh"),
            ("by-package", "package=coreutils"),
        ]
        .map(|(id, rule)| {
            serde_json::from_value(serde_json::json!({
                "id": id, "programs": [rule, "a rule of=tomorrow"], "seats": 1, "in_use": 0,
                "created_at": "2026-01-01T00:00:00Z"
            }))
            .unwrap()
        })
        .to_vec()
    }

    fn matched(file: &str, named: &str) -> Option<String> {
        match_rules(&products(), file.into(), named.into())
    }

    #[test]
    fn a_file_is_recognised_by_the_same_rules_as_an_agent_has() {
        assert_eq!(
            matched("/opt/tool-7", "/opt/tool-7").as_deref(),
            Some("by-name")
        );
        assert_eq!(
            matched("/usr/bin/dash", "/bin/sh").as_deref(),
            Some("by-path")
        );
        assert_eq!(matched("/opt/other", "/opt/other"), None);
    }
}
