//! Groups: what files say, whom they hold, and which circles they make.

use proptest::prelude::*;

use super::*;

fn entries(text: &str) -> Vec<Entry> {
    read(text.as_bytes(), None).unwrap()
}

fn groups(text: &str) -> Groups {
    let entries = entries(text);
    Groups::of(&[Source {
        name: "file",
        entries: &entries,
    }])
}

fn person(realm: &str, account: &str) -> Person {
    Person::of(realm, account, LocalAccounts::ByComputer).unwrap()
}

fn members(groups: &Groups, group: &str) -> Vec<String> {
    let members = groups.members(group).unwrap();
    members
        .iter()
        .map(|it| match it.through {
            Some(through) => format!("{} by {through}", it.name),
            None => it.name.to_string(),
        })
        .collect()
}

#[test]
fn lines_name_people_by_account_and_by_realm_in_either_form() {
    let text = "# who pays\n\
                cfd: ann, corp.example\\Bob , cy@corp.example,  # the comment\n\
                \n\
                cfd: computer:c1\\Dan\n\
                empty:\n\
                c#: eve#2\n";
    let groups = groups(text);
    assert_eq!(
        members(&groups, "cfd"),
        [
            "ann",
            "computer:c1\\Dan",
            "corp.example\\Bob",
            "corp.example\\cy"
        ]
    );
    assert_eq!(members(&groups, "empty"), Vec::<String>::new());
    assert_eq!(members(&groups, "c#"), ["eve#2"]);
    assert_eq!(groups.members("nobody"), None);
}

#[test]
fn a_table_says_the_same_whatever_separates_it() {
    let lines = groups("cfd: ann, corp.example\\bob\nall: @cfd\n");
    for table in [
        "group,user\ncfd,ann\ncfd,corp.example\\bob\nall,@cfd\n",
        "# from the ERP\n\nUser;Cost centre;Group\nann;1;cfd\r\nbob@corp.example;2;cfd\r\n@cfd;;all",
        "\u{feff}group\tuser\n\"cfd\"\t\"ann\"\ncfd\tbob@CORP.example\nall\t@cfd\n",
    ] {
        let table = groups(table);
        for group in ["cfd", "all"] {
            assert_eq!(members(&table, group), members(&lines, group), "{group}");
        }
    }
}

#[test]
fn each_fault_is_told_with_its_line_and_nothing_of_the_file_is_taken() {
    let told = |text: &str| read(text.as_bytes(), None).unwrap_err().to_string();
    assert_eq!(
        told("cfd: ann\n\nbob\ncfd: a,,b\n: x\nring: @ring\nx: @\n"),
        "line 3: it has no colon: write `group: member, member`; \
         line 4: \"\" names nobody: the account is empty: give 1 to 255 bytes; \
         line 5: \"\" is no name of a group: it is empty; \
         line 6: the group \"ring\" is a member of itself; \
         line 7: \"\" is no name of a group: it is empty"
    );
    for end in ["\n", "\r\n"] {
        let table = ["group,user", "# one", "", "cfd,ann", "cfd", "cfd,\\x"].join(end);
        assert_eq!(
            told(&table),
            "line 5: it has 1 cells, too few for group and user; \
             line 6: \"\\\\x\" names nobody: the realm is empty: name a directory, or `computer:ID`"
        );
    }
    let many = "x\n".repeat(25);
    assert!(told(&many).ends_with("; and 5 more"), "{}", told(&many));
    let bytes = read(b"a: b\nc: \xff\n", None).unwrap_err();
    assert_eq!(bytes.to_string(), "line 2: it is not UTF-8");
}

#[test]
fn a_file_that_is_too_long_is_refused_whole() {
    let long = vec![b'\n'; FILE_LIMIT_BYTES + 1];
    let refused = read(&long, None).unwrap_err().to_string();
    assert!(refused.contains("longer than 16 MiB"), "{refused}");
    let many = "g: a\n".repeat(ENTRIES_LIMIT / 2 + 1);
    let refused = read(many.as_bytes(), None).unwrap_err().to_string();
    assert!(
        refused.contains("more than 500000 memberships"),
        "{refused}"
    );
}

#[test]
fn a_directory_is_compared_without_case_and_a_computers_own_accounts_exactly() {
    let groups = groups("g: Ann\nh: corp.example\\Ann\ni: computer:c1\\Ann\n");
    for (realm, account, of) in [
        ("corp.example", "ann", vec!["g", "h"]),
        ("CORP.example", "ANN@corp.example", vec!["g", "h"]),
        ("lab.example", "ann", vec!["g"]),
        ("computer:c1", "Ann", vec!["g", "i"]),
        ("computer:c1", "ann", vec![]),
        ("computer:c2", "Ann", vec!["g"]),
        ("elsewhere", "ann", vec!["g"]),
    ] {
        let found = groups.groups_of(&person(realm, account));
        assert_eq!(found, of, "{account} of {realm}");
    }
    let name = |text| Name::read(text, None).unwrap();
    assert_eq!(groups.groups_of_name(&name("ann")), ["g", "h"]);
    assert_eq!(groups.groups_of_name(&name("Ann")), ["g", "h", "i"]);
    assert_eq!(groups.groups_of_name(&name("ann@lab.example")), ["g"]);
}

#[test]
fn a_name_without_a_realm_is_of_the_realm_that_is_set() {
    let entries = read(b"g: ann, lab.example\\bob\n", Some("Corp.Example")).unwrap();
    let groups = Groups::of(&[Source {
        name: "file",
        entries: &entries,
    }]);
    assert_eq!(
        members(&groups, "g"),
        ["corp.example\\ann", "lab.example\\bob"]
    );
    assert_eq!(groups.groups_of(&person("corp.example", "ann")), ["g"]);
    assert!(groups.groups_of(&person("lab.example", "ann")).is_empty());
}

#[test]
fn a_group_has_the_members_of_the_groups_in_it() {
    let groups = groups("all: @cfd, zoe\ncfd: ann, @solvers\nsolvers: bob, ann\n");
    assert_eq!(
        members(&groups, "all"),
        ["ann by cfd", "bob by solvers", "zoe"]
    );
    let of_bob = groups.groups_of(&person("usher", "bob"));
    assert_eq!(of_bob, ["all", "cfd", "solvers"]);
    assert_eq!(groups.get("all").unwrap().groups, ["cfd"]);
    assert_eq!(groups.notes(), []);
}

#[test]
fn groups_in_a_circle_have_the_same_members_and_are_noted() {
    let groups = groups("a: @b, ann\nb: @c\nc: @a, cy\nbefore: @a\nlost: @gone, @gone\n");
    for group in ["a", "b", "c", "before"] {
        assert_eq!(groups.members(group).unwrap().len(), 2, "{group}");
    }
    assert_eq!(
        groups.groups_of(&person("usher", "cy")),
        ["a", "b", "before", "c"]
    );
    let notes: Vec<String> = groups.notes().iter().map(Note::to_string).collect();
    assert_eq!(
        notes,
        [
            "the group lost has the member @gone, and there is no such group",
            "groups contain each other in a circle: a > b > c > a"
        ]
    );
}

#[test]
fn one_group_may_come_from_several_sources_and_goes_on_in_their_order() {
    let (one, other) = (entries("g: ann\nh: cy\n"), entries("g: bob\n"));
    let groups = Groups::of(&[
        Source {
            name: "system",
            entries: &one,
        },
        Source {
            name: "/etc/usher/groups",
            entries: &other,
        },
    ]);
    assert_eq!(members(&groups, "g"), ["ann", "bob"]);
    let sources = groups.get("g").unwrap().sources;
    assert_eq!(sources, ["system", "/etc/usher/groups"]);
    let after = |name| groups.after(name).map(|it| it.name).collect::<Vec<_>>();
    assert_eq!(after(None), ["g", "h"]);
    assert_eq!(after(Some("g")), ["h"]);
    assert_eq!((groups.len(), groups.is_empty()), (2, false));
}

proptest! {
    /// Whatever groups contain each other: who is in a group, and in which groups somebody is, say
    /// the same; and both end.
    #[test]
    fn members_and_groups_agree(
        edges in proptest::collection::vec((0..8_usize, 0..16_usize), 0..40),
    ) {
        let mut text = String::new();
        for (group, member) in edges {
            match member {
                group_too @ 0..8 if group_too != group => {
                    text += &format!("g{group}: @g{group_too}\ng{group_too}:\n");
                }
                person => text += &format!("g{group}: p{person}\n"),
            }
        }
        let groups = groups(&text);
        for shown in groups.after(None) {
            for it in groups.members(shown.name).unwrap() {
                let person = person("usher", &it.name.account);
                prop_assert!(groups.groups_of(&person).contains(&shown.name), "{}", text);
            }
        }
        for number in 0..16 {
            let account = format!("p{number}");
            for group in groups.groups_of(&person("usher", &account)) {
                let members = groups.members(group).unwrap();
                prop_assert!(members.iter().any(|it| it.name.account == account), "{}", text);
            }
        }
    }
}
