//! From what was executed to the rules of a product.
//!
//! Of what is a product's at all ([`ExecutedProgram::not_proposed`]), the program itself is what worked most of
//! what lived about as long as anything did, and the others are helpers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::executed::ExecutedProgram;
use super::folders;

/// Rules for a product.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Proposal {
    /// The rules, the program itself first.
    pub(crate) rules: Vec<String>,
    /// The program itself.
    #[serde(skip)]
    pub(crate) main: Option<PathBuf>,
    /// What to think of before using them.
    pub(crate) warnings: Vec<String>,
}

impl Proposal {
    /// What a program is in it, in words.
    pub(crate) fn part_of(&self, seen: &ExecutedProgram) -> String {
        if self.main.as_deref() == Some(seen.file()) {
            return "the program".to_owned();
        }
        match seen.not_proposed() {
            Some(why) => format!("no: {why}"),
            None => "helper".to_owned(),
        }
    }
}

/// Proposes rules for what was executed.
pub(crate) fn propose(programs: &[ExecutedProgram]) -> Proposal {
    let mut parts: Vec<&ExecutedProgram> = programs
        .iter()
        .filter(|seen| seen.not_proposed().is_none())
        .collect();
    let mut warnings = Vec::new();
    let Some(main) = main(&parts) else {
        let interpreters = programs.iter().filter(|seen| seen.is_interpreter());
        let first = interpreters.max_by_key(|seen| seen.worked);
        let Some(first) = first
            .or(programs.first())
            .filter(|seen| seen.file().to_str().is_some())
        else {
            return Proposal {
                rules: Vec::new(),
                main: None,
                warnings,
            };
        };
        warnings.push(format!(
            "{} is {}: a rule for it meters every use of it on the computer",
            first.file().display(),
            first.not_proposed().unwrap_or_default()
        ));
        return Proposal {
            rules: vec![rule(first)],
            main: Some(first.file().to_owned()),
            warnings,
        };
    };
    parts.retain(|seen| seen.file() != main.file());
    let folders = folders::of(&parts, main.file());
    let mut rules = vec![rule(main)];
    for seen in &parts {
        let mut helper = match folders
            .iter()
            .find(|folder| seen.file().starts_with(folder))
        {
            Some(folder) => format!("path={}/**", escaped(folder)),
            None => rule(seen),
        };
        // Two programs of Windows can have one original name.
        if helper == rules[0] {
            continue;
        }
        helper.push_str(",role=helper");
        if !rules.contains(&helper) {
            rules.push(helper);
        }
    }
    if programs
        .iter()
        .any(|seen| seen.path.to_string_lossy().ends_with(" (deleted)"))
    {
        warnings.push("a program was deleted while it ran: its rule will match nothing".to_owned());
    }
    Proposal {
        rules,
        main: Some(main.file().to_owned()),
        warnings,
    }
}

/// Runs that differ by less are as long: starting and ending takes about that.
const AS_LONG: Duration = Duration::from_millis(10);
/// Processor time that says something: loading and ending a program takes about that.
const WORK: Duration = Duration::from_millis(50);
/// A script that worked so many times more than any program beside it is no launcher of it.
const SCRIPT_WORKS: u32 = 10;

/// Of what lived for at least half as long as anything did, what worked most: a launcher that stays
/// does not. If nothing worked to speak of, what lived longest; of a launcher and what it launched,
/// which then live as long, the latter. The parts are in the order of their first start.
fn main<'a>(parts: &[&'a ExecutedProgram]) -> Option<&'a ExecutedProgram> {
    let longest = parts.iter().map(|seen| seen.lived).max()?;
    let nearly = longest.mul_f64(0.5).min(longest.saturating_sub(AS_LONG));
    let (scripts, programs): (Vec<&ExecutedProgram>, Vec<&ExecutedProgram>) = parts
        .iter()
        .copied()
        .filter(|seen| seen.lived >= nearly)
        .partition(|seen| seen.is_script());
    let worked = |seen: &[&ExecutedProgram]| {
        seen.iter()
            .map(|seen| seen.worked)
            .max()
            .unwrap_or_default()
    };
    let is_launched = worked(&scripts) < WORK
        || worked(&scripts) < worked(&programs).saturating_mul(SCRIPT_WORKS);
    match is_launched {
        true => busiest(&programs).or_else(|| busiest(&scripts)),
        false => busiest(&scripts),
    }
}

fn busiest<'a>(alike: &[&'a ExecutedProgram]) -> Option<&'a ExecutedProgram> {
    let most = alike.iter().max_by_key(|seen| seen.worked)?;
    if most.worked >= WORK {
        return Some(most);
    }
    let longest = alike.iter().map(|seen| seen.lived).max()?;
    alike
        .iter()
        .rfind(|seen| seen.lived + AS_LONG > longest)
        .copied()
}

/// A program of Windows by what it is called, or by its place in whoever's prefix; others by path.
fn rule(seen: &ExecutedProgram) -> String {
    if let Some(name) = &seen.original_name {
        return format!("original-name={}", name.replace(',', "\\,"));
    }
    let path = escaped(seen.file());
    match path.split_once("/drive_c/") {
        Some((_, rest)) if seen.is_windows() => format!("path=**/drive_c/{rest}"),
        _ => format!("path={path}"),
    }
}

/// A path as a pattern that means just this path.
fn escaped(path: &Path) -> String {
    let mut out = String::new();
    for c in path.to_string_lossy().chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
