//! `usher policy export`: writes a server's products and entitlements as a policy.

use std::path::{Path, PathBuf};

use clap::Args;
use usher_core::policy::{SOURCE_LIMIT_BYTES, VERSION, write};

use super::files::toml_files;
use super::held::Held;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::eprintln_quiet;
use crate::output::{counted, print, print_json, tame};

/// Write out what the server has, in the form that apply reads
#[derive(Debug, Args)]
#[command(after_help = "\
Comments are written fresh; what is as it usually is is left out.

Examples:
  usher policy export > policy.toml
  usher policy export --folder exported")]
pub(crate) struct Export {
    /// Write files *.toml to this folder, which has none yet, instead of one text to stdout
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) async fn run(args: &Export, context: &Context) -> Result<(), Failure> {
    let held = Held::of(&context.client()?).await?;
    if let Some(server) = &held.server {
        eprintln_quiet(&format!("This is what the server {} has.", tame(server)));
    }
    if let Some(folder) = &args.folder {
        return to_folder(folder, &held);
    }
    if context.json() {
        return print_json(&serde_json::json!({
            "policy": VERSION,
            "products": held.products,
            "entitlements": held.entitlements,
        }));
    }
    let text = write::whole(&held.policy);
    print(&text)?;
    if text.len() > SOURCE_LIMIT_BYTES {
        eprintln_quiet(&format!(
            "usher: this is longer than one file of a policy may be ({} MiB): --folder DIR writes \
             several",
            SOURCE_LIMIT_BYTES >> 20
        ));
    }
    Ok(())
}

fn to_folder(folder: &Path, held: &Held) -> Result<(), Failure> {
    let shown = folder.display();
    let failed = |doing: &str, error: &std::io::Error| {
        Failure::failed(format!("cannot {doing} {shown}: {error}"))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", &error))?;
    let there = toml_files(folder).map_err(|error| failed("look into", &error))?;
    if !there.is_empty() {
        return Err(Failure::usage(format!(
            "{shown} has files *.toml already, and all of a folder are one policy"
        ))
        .next("Name a new folder, or take them away first."));
    }
    let texts = divided(write::parts(&held.policy), SOURCE_LIMIT_BYTES);
    for (number, text) in (1..).zip(&texts) {
        let path = folder.join(format!("policy-{number:03}.toml"));
        std::fs::write(&path, text).map_err(|error| {
            Failure::failed(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    let files = counted(texts.len() as u64, "file");
    eprintln_quiet(&format!("{files} of a policy written to {shown}."));
    Ok(())
}

/// Joins parts to texts of at most so many bytes, each with its heading. A single part may be
/// longer.
fn divided(parts: Vec<String>, limit: usize) -> Vec<String> {
    let mut texts = vec![write::heading()];
    let mut is_empty = true;
    for part in parts {
        if let Some(text) = texts.last()
            && !is_empty
            && text.len() + part.len() > limit
        {
            texts.push(write::heading());
        }
        if let Some(text) = texts.last_mut() {
            text.push_str(&part);
            is_empty = false;
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_divided_between_products_and_each_has_its_heading() {
        let heading = write::heading();
        let parts: Vec<String> = ["aaaa", "bbbb", "cccccccccc", "d"]
            .map(str::to_owned)
            .into();
        let texts = divided(parts, heading.len() + 8);
        let bodies: Vec<&str> = texts
            .iter()
            .map(|text| text.strip_prefix(&heading).unwrap())
            .collect();
        assert_eq!(bodies, ["aaaabbbb", "cccccccccc", "d"]);
        assert_eq!(divided(Vec::new(), 8), [heading]);
    }
}
