//! What a run of libFuzzer came to, by what it said.

/// One target's run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ran {
    /// Inputs that were tried.
    inputs: u64,
    /// How long, as libFuzzer counts.
    seconds: u64,
    /// Places of the program that were reached.
    reached: u64,
    /// The finding, with the file that has the input.
    pub(super) finding: Option<String>,
}

impl Ran {
    /// The heads of the table's columns.
    pub(super) const HEADER: &str = "| reader | seconds | inputs | places reached | finding |\n\
                                     |---|---|---|---|---|";

    /// Reads it. A run that does not say at its end that it is over is a finding.
    pub(super) fn read(said: &str) -> Ran {
        let mut ran = Ran::default();
        let mut is_over = false;
        let mut what = None;
        for line in said.lines() {
            if let Some(reached) = number_behind(line, " cov: ") {
                ran.reached = reached;
            }
            if let Some(inputs) = number_behind(line, "Done ") {
                ran.inputs = inputs;
                ran.seconds = number_behind(line, " runs in ").unwrap_or_default();
                is_over = true;
            }
            if line.contains("panicked at ") || line.contains("ERROR: libFuzzer: ") {
                what.get_or_insert(line.trim());
            }
            if let Some((_, file)) = line.split_once("Test unit written to ") {
                let what = what.unwrap_or("an input that it kept");
                ran.finding = Some(format!("{what}; the input is {file}"));
            }
        }
        if !is_over && ran.finding.is_none() {
            let last = said.lines().rfind(|line| !line.trim().is_empty());
            let last = last.unwrap_or("nothing");
            ran.finding = Some(format!("it did not come to its end; it said last: {last}"));
        }
        ran
    }

    /// As a row of the table.
    pub(super) fn row(&self, name: &str) -> String {
        let Ran {
            inputs,
            seconds,
            reached,
            finding,
        } = self;
        let finding = finding.as_deref().unwrap_or("none");
        format!("| `{name}` | {seconds} | {inputs} | {reached} | {finding} |")
    }
}

fn number_behind(line: &str, label: &str) -> Option<u64> {
    let (_, rest) = line.split_once(label)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_came_to_its_end_has_no_finding() {
        let ran = Ran::read(
            "#2 INITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb\n\
             #1048576 pulse  cov: 345 ft: 900 corp: 99/12Kb\n\
             Done 2000000 runs in 601 second(s)\n",
        );
        assert_eq!(ran.row("lmx"), "| `lmx` | 601 | 2000000 | 345 | none |");
    }

    #[test]
    fn a_panic_and_a_run_that_broke_off_are_findings() {
        let said = "#2 NEW cov: 12\nthread 'main' panicked at src/a.rs:3:5:\nindex out of bounds\n\
                    ==7== ERROR: libFuzzer: deadly signal\n\
                    artifact_prefix='f/'; Test unit written to f/crash-1\n";
        let finding = Ran::read(said).finding.unwrap();
        assert!(finding.contains("src/a.rs:3:5") && finding.contains("f/crash-1"));
        let finding = Ran::read("#2 NEW cov: 12\nKilled\n").finding.unwrap();
        assert!(finding.contains("it said last: Killed"), "{finding}");
    }
}
