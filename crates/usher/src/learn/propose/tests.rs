//! What is proposed of programs that were executed, case by case.

use super::super::hosted::Hosted;
use super::*;

fn seen(path: &str, script: Option<&str>, seconds: f64) -> ExecutedProgram {
    let script = script.map(|script| Hosted::Script(script.into()));
    let mut seen = ExecutedProgram::new(Path::new(path), script.as_ref());
    seen.starts = 1;
    seen.longest = Duration::from_secs_f64(seconds);
    seen.lived = seen.longest;
    seen
}

impl ExecutedProgram {
    fn worked(mut self, seconds: f64) -> ExecutedProgram {
        self.worked = Duration::from_secs_f64(seconds);
        self
    }

    fn of(mut self, package: &str) -> ExecutedProgram {
        self.package = Some(package.to_owned());
        self
    }
}

fn windows(path: &str, original_name: Option<&str>) -> ExecutedProgram {
    let hosted = Hosted::Windows(path.into());
    let mut seen = ExecutedProgram::new(Path::new("/usr/lib/wine/wine64"), Some(&hosted));
    seen.original_name = original_name.map(str::to_owned);
    seen.lived = Duration::from_secs(9);
    seen
}

/// As LibreOffice does: it stays for as long as the program runs, and longer.
#[test]
fn a_launcher_that_stays_is_not_the_program() {
    let office = "/usr/lib/libreoffice/program";
    let proposal = propose(&[
        seen("/usr/bin/dash", Some(&format!("{office}/soffice")), 0.03).worked(0.02),
        seen(&format!("{office}/oosplash"), None, 2.82).worked(0.06),
        seen(&format!("{office}/soffice.bin"), None, 2.23).worked(1.9),
    ]);
    assert_eq!(
        proposal.rules,
        [
            format!("path={office}/soffice.bin"),
            format!("path={office}/soffice,role=helper"),
            format!("path={office}/oosplash,role=helper"),
        ]
    );
}

#[test]
fn what_works_hard_for_a_moment_is_not_the_program() {
    let proposal = propose(&[
        seen("/opt/cad/bin/cad", None, 60.0).worked(2.0),
        seen("/opt/cad/bin/index", None, 5.0).worked(4.9),
    ]);
    assert_eq!(proposal.rules[0], "path=/opt/cad/bin/cad");
}

#[test]
fn launchers_of_any_program_are_in_no_rule() {
    for launcher in ["/usr/bin/orterun", "/usr/bin/bwrap", "/opt/mpi/bin/mpirun"] {
        let proposal = propose(&[
            seen(launcher, None, 6.2).worked(7.0),
            seen("/opt/solve/solve", None, 6.0).worked(6.0),
        ]);
        assert_eq!(proposal.rules, ["path=/opt/solve/solve"]);
    }
}

#[test]
fn a_script_that_does_the_work_is_the_program() {
    let proposal = propose(&[
        seen("/usr/bin/python3.11", Some("/opt/solve.py"), 9.0).worked(8.0),
        seen("/opt/bin/watch-licence", None, 9.0).worked(0.01),
    ]);
    assert_eq!(proposal.rules[0], "path=/opt/solve.py");
    let proposal = propose(&[
        seen("/usr/bin/dash", Some("/opt/cad/start"), 9.0).worked(0.07),
        seen("/opt/cad/cad", None, 8.9).worked(0.06),
    ]);
    assert_eq!(proposal.rules[0], "path=/opt/cad/cad");
}

#[test]
fn of_wine_the_program_of_windows_is_proposed_by_its_name_or_by_its_place_in_a_prefix() {
    let wine = || {
        vec![
            seen("/usr/bin/dash", Some("/usr/bin/wine-stable"), 0.01).of("wine"),
            seen("/usr/lib/wine/wineserver64", None, 15.4).worked(3.0),
            windows(
                "/home/anna/.wine/drive_c/windows/system32/services.exe",
                None,
            ),
            windows(
                "/usr/lib/wine/x86_64-windows/notepad.exe",
                Some("notepad.exe"),
            ),
        ]
    };
    let solver = "/home/anna/.wine/drive_c/Program Files/Solver/solver.exe";
    let mut named = wine();
    named.push(windows(solver, Some("Solver,x.exe")));
    assert_eq!(propose(&named).rules, ["original-name=Solver\\,x.exe"]);
    let mut unnamed = wine();
    unnamed.push(windows(solver, None));
    assert_eq!(
        propose(&unnamed).rules,
        ["path=**/drive_c/Program Files/Solver/solver.exe"]
    );
}

#[test]
fn what_lived_longest_is_the_program_if_nothing_worked_and_the_rest_are_helpers() {
    let proposal = propose(&[
        seen("/usr/bin/dash", Some("/opt/cad/start"), 10.1),
        seen("/opt/cad/bin/cad", None, 10.0),
        seen("/opt/cad/bin/licence-splash", None, 0.5),
        seen("/usr/bin/python3.11", None, 3.0),
    ]);
    assert_eq!(
        proposal.rules,
        [
            "path=/opt/cad/bin/cad",
            "path=/opt/cad/start,role=helper",
            "path=/opt/cad/bin/licence-splash,role=helper"
        ]
    );
    assert!(proposal.warnings.is_empty());
}

#[test]
fn of_a_launcher_and_a_program_that_run_as_long_the_one_that_was_started_last_is_the_program() {
    for (launcher, program) in [(0.004, 0.001), (0.0, 0.0), (10.003, 10.0)] {
        let proposal = propose(&[
            seen("/opt/cad/launch", None, launcher),
            seen("/opt/cad/bin/cad", None, program),
        ]);
        assert_eq!(proposal.rules[0], "path=/opt/cad/bin/cad");
    }
    let by_script = propose(&[
        seen("/usr/bin/dash", Some("/opt/cad/start"), 0.006),
        seen("/opt/cad/bin/cad", None, 0.001),
    ]);
    assert_eq!(by_script.rules[0], "path=/opt/cad/bin/cad");
}

#[test]
fn a_script_is_the_program_where_it_is_all_there_is() {
    let proposal = propose(&[seen("/usr/bin/python3.11", Some("/opt/solve.py"), 3.0)]);
    assert_eq!(proposal.rules, ["path=/opt/solve.py"]);
}

fn with_plug_ins(main: &str, plug_ins: impl Iterator<Item = String>) -> Vec<String> {
    let mut programs = vec![seen(main, None, 10.0).of("gimp")];
    programs.extend(plug_ins.map(|path| seen(&path, None, 1.0).of("gimp")));
    propose(&programs).rules
}

#[test]
fn more_than_eight_programs_under_one_folder_are_one_rule() {
    let gimp = "/usr/bin/gimp-2.10";
    let plug_ins = "/usr/lib/gimp/2.0/plug-ins";
    let each = |count: usize| (0..count).map(|n| format!("{plug_ins}/p{n}/p{n}"));
    assert_eq!(with_plug_ins(gimp, each(8)).len(), 9);
    assert_eq!(
        with_plug_ins(gimp, each(130)),
        [
            format!("path={gimp}"),
            format!("path={plug_ins}/**,role=helper")
        ]
    );
}

#[test]
fn no_rule_is_for_a_folder_of_the_system_or_of_several_packages_or_of_the_program() {
    for folder in [
        "/usr/bin",
        "/usr/lib/x86_64-linux-gnu",
        "/opt",
        "/home/anna",
    ] {
        let each = (0..9).map(|n| format!("{folder}/h{n}"));
        assert_eq!(
            with_plug_ins("/usr/lib/cad/cad", each).len(),
            10,
            "{folder}"
        );
    }
    let beside = (0..9).map(|n| format!("/opt/cad/bin/h{n}"));
    assert_eq!(with_plug_ins("/opt/cad/bin/cad", beside).len(), 10);
    let mut programs = vec![seen("/opt/cad/cad", None, 10.0)];
    programs.extend((0..9).map(|n| seen(&format!("/usr/lib/x/h{n}"), None, 1.0)));
    programs[3].package = Some("other".into());
    assert_eq!(propose(&programs).rules.len(), 10);
}

#[test]
fn a_rule_for_a_program_of_the_system_comes_with_a_warning() {
    let proposal = propose(&[seen("/usr/bin/bash", None, 1.0)]);
    assert_eq!(proposal.rules, ["path=/usr/bin/bash"]);
    assert_eq!(proposal.warnings.len(), 1);
}

/// As of `sh -c 'java app.jar'`.
#[test]
fn of_shells_and_an_interpreter_the_interpreter_is_proposed_with_a_warning() {
    let java = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java";
    let proposal = propose(&[
        seen("/usr/bin/dash", None, 2.9),
        seen(java, None, 2.8).worked(1.4),
    ]);
    assert_eq!(proposal.rules, [format!("path={java}")]);
    assert_eq!(proposal.warnings.len(), 1);
}

#[test]
fn a_proposed_rule_means_just_the_file_that_was_seen() {
    for path in [
        "/opt/a,b/app",
        "/opt/a,role=x/[1]*?{y}",
        "/opt/a b/ü",
        "/opt/back\\slash",
    ] {
        let proposal = propose(&[seen(path, None, 1.0)]);
        let rule = usher_core::identify::Rule::parse(&proposal.rules[0]).unwrap();
        let rules = [rule];
        let set = usher_core::identify::RuleSet::new([rules.as_slice()]).unwrap();
        assert!(
            set.identify(&mut Named(path)).is_some(),
            "{path}: {}",
            proposal.rules[0]
        );
        assert!(set.identify(&mut Named("/opt/other")).is_none());
    }
}

struct Named(&'static str);

impl usher_core::identify::Facts for Named {
    fn path(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
