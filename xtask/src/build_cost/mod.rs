//! `cargo xtask bench build`: what the default build of `usher` costs from nothing, in time and bytes.

mod table;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use self::table::{BUSY_SHARE, Cost, Tree};
use crate::bounded::succeeds;
use crate::earlier;
use crate::metadata::{self, cargo};
use crate::process::Runner;
use crate::ticks::Ticks;

/// Where the table goes, from the repository's root.
const DOCUMENT: &str = "docs/performance.md";
/// What it can be built with: the default, and what packages are built with.
const PROFILES: [&str; 2] = ["release", "dist"];
/// For how long others are watched before the first build.
const WATCHED: Duration = Duration::from_secs(5);
/// How long `strip` may take.
const STRIP_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq)]
struct Options {
    /// A commit that is built in alternation with this tree.
    against: Option<String>,
    /// How many times each is built.
    rounds: u32,
    /// The profile that this tree is built with.
    profile: String,
    writes: bool,
}

/// Builds this tree, and the commit if one is named, and writes a table.
pub(crate) fn run(runner: &Runner, root: &Path, options: &[String]) -> Result<(), String> {
    let options = parse(options)?;
    let target = metadata::target_directory(&metadata::read(root)?)?;
    let mut trees = Vec::new();
    if let Some(revision) = &options.against {
        let (commit, source) = earlier::source(runner, root, &target, revision)?;
        trees.push(Tree::new(
            format!("commit {}", &commit[..7]),
            source,
            "release",
        ));
    }
    let name = match options.profile.as_str() {
        "release" => "this tree".to_owned(),
        other => format!("this tree, `--profile {other}`"),
    };
    trees.push(Tree::new(name, root.to_owned(), &options.profile));
    for tree in &trees {
        // What a download takes is not the build's.
        runner.run(
            cargo()
                .args(["fetch", "--locked"])
                .current_dir(&tree.source),
        )?;
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let before = Ticks::now()?;
    thread::sleep(WATCHED);
    let others = Ticks::now()?.since(before).others_s() / WATCHED.as_secs_f64() / cores as f64;
    if others > BUSY_SHARE {
        eprintln!(
            "xtask bench build: other work uses {:.0} % of the processors: the builds will take \
             longer than on an idle computer; compare their processor time",
            others * 100.0
        );
    }
    for round in 1..=options.rounds {
        for tree in &mut trees {
            let cost = measure(runner, &tree.source, &tree.profile, &target)?;
            eprintln!(
                "round {round}: {}: {:.0} s, {:.0} s of processor time",
                tree.name, cost.wall_s, cost.processor_s
            );
            tree.costs.push(cost);
        }
    }
    let table = table::of(&trees, cores, &facts()?);
    println!("{table}");
    match options.writes {
        true => table::write(&root.join(DOCUMENT), &table),
        false => Ok(()),
    }
}

fn parse(options: &[String]) -> Result<Options, String> {
    const USAGE: &str = "bench build takes --against COMMIT, --rounds N, --profile NAME, \
                         --write - and nothing else";
    let mut parsed = Options {
        against: None,
        rounds: 1,
        profile: "release".to_owned(),
        writes: true,
    };
    let (pairs, rest) = options.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(USAGE.to_owned());
    }
    for [option, given] in pairs {
        match (option.as_str(), given.parse()) {
            ("--rounds", Ok(rounds @ 1..=20)) => parsed.rounds = rounds,
            ("--rounds", _) => {
                return Err(format!("`{given}` is no number of rounds from 1 to 20"));
            }
            ("--against", _) => parsed.against = Some(given.clone()),
            ("--profile", _) if PROFILES.contains(&given.as_str()) => {
                parsed.profile = given.clone();
            }
            ("--profile", _) => {
                return Err(format!("`{given}` is not one of {}", PROFILES.join(", ")));
            }
            ("--write", _) if given == "-" => parsed.writes = false,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(parsed)
}

/// Builds a tree into an empty folder, and removes the folder.
fn measure(runner: &Runner, source: &Path, profile: &str, target: &Path) -> Result<Cost, String> {
    let folder = target.join("from-nothing");
    remove(&folder)?;
    let mut build = cargo();
    build
        .args(["build", "--locked", "-p", "usher", "--profile", profile])
        .arg("--target-dir")
        .arg(&folder)
        // A cache of compiled crates is not nothing.
        .env("RUSTC_WRAPPER", "")
        .current_dir(source);
    let (ticks, began) = (Ticks::now()?, Instant::now());
    let built = runner.run(&mut build);
    let (wall, ticks) = (began.elapsed(), Ticks::now()?.since(ticks));
    let sizes = built.and_then(|()| sizes(&folder.join(profile).join("usher")));
    remove(&folder)?;
    let (bytes, stripped) = sizes?;
    Ok(Cost {
        wall_s: wall.as_secs_f64(),
        processor_s: ticks.children_s,
        others_s: ticks.others_s(),
        bytes,
        stripped,
    })
}

/// The size of a program in bytes, and that without symbols.
fn sizes(program: &Path) -> Result<(u64, Option<u64>), String> {
    let size = |file: &Path| {
        let found = fs::metadata(file);
        found.map_err(|error| format!("cannot look at {}: {error}", file.display()))
    };
    let bytes = size(program)?.len();
    let without = program.with_extension("stripped");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&without).arg(program);
    let stripped = match succeeds(STRIP_WITHIN, &mut strip) {
        true => Some(size(&without)?.len()),
        false => None,
    };
    Ok((bytes, stripped))
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Day, cores and compiler.
fn facts() -> Result<String, String> {
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let output = output.map_err(|error| format!("cannot start {program}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok::<_, String>(text)
    };
    Ok(format!(
        "{}, {}",
        said("date", "+%F")?,
        said("rustc", "--version")?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_commit_rounds_and_a_profile_may_be_given_and_nothing_else() {
        let parsed = parse(&words(&["--against", "HEAD~1", "--rounds", "3"])).unwrap();
        assert_eq!(parsed.against.as_deref(), Some("HEAD~1"));
        assert_eq!((parsed.rounds, parsed.profile.as_str()), (3, "release"));
        assert!(parsed.writes);
        assert!(!parse(&words(&["--write", "-"])).unwrap().writes);
        assert_eq!(
            parse(&words(&["--profile", "dist"])).unwrap().profile,
            "dist"
        );
        for wrong in [
            &["--rounds", "0"][..],
            &["--rounds"],
            &["--fast", "yes"],
            &["--profile", "../x"],
        ] {
            assert!(parse(&words(wrong)).is_err(), "{wrong:?}");
        }
    }
}
