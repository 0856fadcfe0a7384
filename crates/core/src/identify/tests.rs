//! What rules mean, case by case, and that no text of a rule makes the parser fail badly.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct File {
    path: Vec<u8>,
    known_as: Vec<Vec<u8>>,
    package: Option<Package>,
    original_name: Option<&'static str>,
    sha256: Option<[u8; 32]>,
    hashed: u32,
}

fn file(path: &[u8]) -> File {
    File {
        path: path.to_vec(),
        ..File::default()
    }
}

impl Facts for File {
    fn path(&self) -> &[u8] {
        &self.path
    }
    fn known_as(&self) -> &[Vec<u8>] {
        &self.known_as
    }
    fn package(&mut self) -> Option<Package> {
        self.package.clone()
    }
    fn original_name(&mut self) -> Option<Cow<'_, str>> {
        self.original_name.map(Cow::Borrowed)
    }
    fn sha256(&mut self) -> Option<[u8; 32]> {
        self.hashed += 1;
        self.sha256
    }
}

fn rule(text: &str) -> Rule {
    Rule::parse(text).unwrap()
}

fn set(products: &[&[&str]]) -> RuleSet {
    let rules: Vec<Vec<Rule>> = products
        .iter()
        .map(|texts| texts.iter().map(|text| rule(text)).collect())
        .collect();
    RuleSet::new(rules.iter().map(Vec::as_slice)).unwrap()
}

fn hits(text: &str, path: &[u8]) -> bool {
    set(&[&[text]]).identify(&mut file(path)).is_some()
}

#[test]
fn a_rule_matches_what_its_text_says() {
    let cases: &[(&str, &[u8], bool)] = &[
        ("name=matlab", b"/opt/matlab/bin/matlab", true),
        ("name=matlab", b"/opt/matlab/bin/matlab2", false),
        ("matlab", b"/usr/local/bin/matlab", true),
        ("name=MATLAB", b"/opt/matlab", false),
        ("name=fluent*", b"/opt/ansys/fluent.2024", true),
        ("name={vcs,vlogan}", b"/opt/syn/vlogan", true),
        ("/opt/app/bin/app", b"/opt/app/bin/app", true),
        ("/opt/app/bin/app", b"/mnt/opt/app/bin/app", false),
        ("path=/opt/*/bin/app", b"/opt/a/bin/app", true),
        ("path=/opt/*/bin/app", b"/opt/a/b/bin/app", false),
        ("path=/opt/**", b"/opt/a/b/bin/app", true),
        ("path=**/bin/app", b"/srv/x/bin/app", true),
        ("path=/opt/{a,b}/x", b"/opt/b/x", true),
        ("/opt/a=b/app", b"/opt/a=b/app", true),
        ("name=a,b", b"/opt/a,b", true),
        ("name=a\\,role=helper", b"/opt/a,role=helper", true),
        ("name=*", b"/opt/a\nb", true),
        ("name=a*b", b"/opt/a\n\xff b", true),
        ("name=*", b"/opt/\xff\xfe", true),
        ("path=/opt/**", b"/opt/\xff\xfe/x y", true),
        ("name=a b", b"/opt/a b", true),
        ("name=app", b"/opt/app (deleted)", false),
    ];
    for (text, path, expected) in cases {
        assert_eq!(
            hits(text, path),
            *expected,
            "{text} on {:?}",
            String::from_utf8_lossy(path)
        );
    }
}

#[test]
fn an_error_says_what_is_wrong_and_how_it_is_written() {
    let cases = [
        "",
        "name=",
        "nam=matlab",
        "name=a/b",
        "path=bin/app",
        "path=/opt/../app",
        "path=/opt/app/",
        "path=/opt//app",
        "name=[ab",
        "sha256=12",
        "package=a b",
        "name=a,role=main",
        "name=a,color=red",
        "name=a,version=",
        "name=a,version=new",
        "name=a,version=....0",
        "name=a,version=1,version=2",
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|text| Rule::parse(text).unwrap_err().to_string())
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_canonical_text_is_the_same_rule() {
    for text in [
        "name=a*,version=>=3 <4,role=helper",
        "path=/opt/{a,b}/**",
        "publisher=Foo\\, Inc.",
        "package=libre-office,version=3.0..4.0",
        "name=app,version=2.1.*",
    ] {
        let once = rule(text);
        assert_eq!(rule(&once.to_string()), once, "{text} -> {once}");
    }
    assert_eq!(rule("app").to_string(), "name=app");
    assert_eq!(rule("/a/b").to_string(), "path=/a/b");
}

#[test]
fn versions_compare_as_numbers_and_ranges_mean_what_people_read() {
    let cases = [
        ("2.1", "2.1.9", true),
        ("2.1", "2.11", false),
        ("2.1", "2.1", true),
        ("2.1.*", "2.1.4", true),
        ("2.1", "1:2.1.4-3+deb12u1", true),
        (">2.9", "2.10", true),
        (">=3 <4", "3.99.1", true),
        (">=3 <4", "4.0~rc1", true),
        (">=3 <4", "4.0", false),
        ("<=4", "4.0", true),
        ("3.0..4.0", "3.0", true),
        ("3.0..4.0", "4.0", false),
        ("3.0..", "17", true),
        ("..2", "1.9", true),
        ("=1.1.1", "1.1.1w", false),
        (">1.1.1", "1.1.1w", true),
        ("<2024b", "2024a", true),
        ("<5", "5.0rc1", true),
        ("=7", "v7.0", true),
    ];
    for (range, version, expected) in cases {
        let range = VersionRange::parse(range).unwrap();
        assert_eq!(
            range.contains(&Version::new(version)),
            expected,
            "{version} in {range}"
        );
    }
}

#[test]
fn a_version_is_asked_of_the_package_and_an_unknown_one_is_in_no_range() {
    let rules = set(&[&["name=app,version=3"]]);
    let mut known = file(b"/opt/app");
    known.package = Some(Package {
        name: "app".to_owned(),
        version: "3.2-1".to_owned(),
    });
    assert!(rules.identify(&mut known).is_some());
    assert!(rules.identify(&mut file(b"/opt/app")).is_none());
    assert!(rules.needs().package);
}

#[test]
fn a_hash_is_only_asked_for_when_cheaper_rules_said_nothing() {
    let hash = "00".repeat(32);
    let sha256 = format!("sha256={hash}");
    let rules = set(&[&[&sha256], &["name=app"]]);
    let mut named = file(b"/opt/app");
    assert_eq!(rules.identify(&mut named).unwrap().product, 1);
    assert_eq!(named.hashed, 0);
    let mut other = file(b"/opt/other");
    other.sha256 = Some([0; 32]);
    assert_eq!(rules.identify(&mut other).unwrap().product, 0);
    assert_eq!(other.hashed, 1);
}

#[test]
fn a_path_outweighs_a_name_and_a_helper_rule_its_own_products_others() {
    let rules = set(&[
        &["name=run"],
        &["path=/opt/suite/**", "name=crashd,role=helper"],
    ]);
    let of = |path: &[u8]| rules.identify(&mut file(path)).unwrap();
    assert_eq!(of(b"/opt/suite/run").product, 1);
    assert_eq!(of(b"/srv/run").product, 0);
    assert_eq!(of(b"/opt/suite/crashd").role, ProgramRole::Helper);
    assert_eq!(of(b"/opt/suite/main").role, ProgramRole::Main);
}

#[test]
fn a_moved_file_is_still_what_its_known_path_says() {
    let rules = set(&[&["/opt/app/bin/app"]]);
    let mut moved = file(b"/tmp/x");
    moved.known_as.push(b"/opt/app/bin/app".to_vec());
    assert!(rules.identify(&mut moved).is_some());
    assert_eq!(
        rules.literal_paths().collect::<Vec<_>>(),
        ["/opt/app/bin/app"]
    );
}

#[test]
fn packages_original_names_and_publishers_are_compared_whole() {
    let rules = set(&[&["package=app"], &["original-name=WINAPP.EXE"]]);
    let mut packaged = file(b"/usr/bin/x");
    packaged.package = Some(Package {
        name: "app".to_owned(),
        version: "1".to_owned(),
    });
    assert_eq!(rules.identify(&mut packaged).unwrap().product, 0);
    packaged.package = Some(Package {
        name: "app-doc".to_owned(),
        version: "1".to_owned(),
    });
    assert!(rules.identify(&mut packaged).is_none());
    let mut renamed = file(b"/home/u/renamed.exe");
    renamed.original_name = Some("WinApp.exe");
    assert_eq!(rules.identify(&mut renamed).unwrap().product, 1);
}

proptest! {
    #[test]
    fn any_text_is_a_rule_or_an_error_and_a_rule_survives_its_own_text(
        text in "(name=|path=/|package=|publisher=|original-name=|)[a-z*?{},\\\\/=.>< 0-9\\[\\]\u{e4}]{0,24}(,version=[0-9.<>= ]{0,9})?(,role=helper)?"
    ) {
        if let Ok(rule) = Rule::parse(&text) {
            let again = Rule::parse(&rule.to_string());
            prop_assert_eq!(again.as_ref(), Ok(&rule), "{} -> {}", text, rule);
        }
    }

    #[test]
    fn the_order_of_versions_is_total(
        a in "[0-9a-z.~+-]{0,12}", b in "[0-9a-z.~+-]{0,12}", c in "[0-9a-z.~+-]{0,12}"
    ) {
        let [a, b, c] = [a, b, c].map(|text| Version::new(&text));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c, "{} {} {}", a, b, c);
        }
    }

    #[test]
    fn globs_never_fail_on_bytes(path in proptest::collection::vec(any::<u8>(), 0..64)) {
        let rules = set(&[&["name=*a*", "path=/**/x*"]]);
        let mut path = path;
        path.insert(0, b'/');
        let expected = file_name(&path).contains(&b'a') || file_name(&path).starts_with(b"x");
        let found = rules.identify(&mut file(&path)).is_some();
        // Globs collapse repeated slashes nowhere; such paths do not come from a kernel.
        if !path.windows(2).any(|w| w == b"//") {
            prop_assert_eq!(found, expected);
        }
    }
}
