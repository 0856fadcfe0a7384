//! Lines that are mistyped, and what is said of each.

use std::fmt::Write as _;

use super::*;
use crate::cli;

#[test]
fn a_mistyped_line_is_explained_without_guesses_that_mislead() {
    let mut all = String::new();
    for line in [
        "usher -4",
        "usher entitlement add cad --seats -4",
        "usher entitlement add cad --seats=-4",
        "usher usage --since -7d",
        "usher usage --since=-7d",
        "usher checkout cad --wait -5",
        "usher checkout cad --seats -1",
        "usher checkout cad --seats=0",
        "usher run --priority 200 -- gimp",
        "usher leases --limit 1.5",
        "usher leases --limit -1",
        "usher leases --limit=-1",
        "usher leases --limit 99999999999",
        "usher leases cad",
        "usher --json queue cad",
        "usher entitlement list cad",
        "usher status cad",
        "usher messages explain abc",
        "usher run --product cad --wait",
        "usher run gimp -n",
        "usher run cad -- xterm -e top",
        "usher run --product cad --wait 5m -- xterm",
        "usher checkout cad --wait 5m",
        "usher checkout --wait 90 cad",
        "usher run -p gimp",
        "usher product edit cad --seats 3",
        "usher usage --sinse 7d",
        "usher denials --during last week",
        "usher usage --during=last month --product cad",
        "usher usage by-user --since 7 days ago",
        "usher queue --user ben",
        "usher queue --prod cad",
        "usher statsu",
        "usher entitlement edit E38 --product fea",
        "usher entitlement list --cost-centre=4200",
        "usher token create --role agent",
        "usher token create --role client --name x",
        "usher entitlement end fem-2026",
        "usher entitlement renew fem-2026",
    ] {
        let words = line.split(' ').map(OsString::from).collect();
        let failure = cli::parse(words).map(drop).expect_err(line);
        assert_eq!(failure.code(), 2, "{line}");
        let text = failure.to_string();
        let told = text
            .split("\n\nUsage:")
            .next()
            .unwrap_or_default()
            .trim_end();
        writeln!(all, "$ {line}\n{told}").unwrap();
    }
    insta::assert_snapshot!(all, @r#"
        $ usher -4
        usher: -4 is no option
          `usher help` lists the commands, and --help behind one its options.
        $ usher entitlement add cad --seats -4
        usher: --seats is -4
          Give a whole number from 0 to 1000000000.
        $ usher entitlement add cad --seats=-4
        usher: --seats is -4
          Give a whole number from 0 to 1000000000.
        $ usher usage --since -7d
        usher: --since is -7d: it takes no value below 0
          Leave the minus out: --since 7d
        $ usher usage --since=-7d
        usher: --since is -7d: it takes no value below 0
          Leave the minus out: --since 7d
        $ usher checkout cad --wait -5
        usher: --wait is -5: it takes no value below 0
          Leave the minus out: --wait=5
        $ usher checkout cad --seats -1
        usher: --seats is -1
          Give a whole number from 1 to 100000.
        $ usher checkout cad --seats=0
        usher: --seats is 0
          Give a whole number from 1 to 100000.
        $ usher run --priority 200 -- gimp
        usher: --priority is 200
          Give a whole number from -100 to 100.
        $ usher leases --limit 1.5
        usher: --limit is "1.5", which is no whole number
          Give a whole number from 0 to 4294967295.
        $ usher leases --limit -1
        usher: --limit is -1
          Give a whole number from 0 to 4294967295.
        $ usher leases --limit=-1
        usher: --limit is -1
          Give a whole number from 0 to 4294967295.
        $ usher leases --limit 99999999999
        usher: --limit is 99999999999
          Give a whole number from 0 to 4294967295.
        $ usher leases cad
        usher: `usher leases` takes no cad
          If it is a product: usher leases --product cad
        $ usher --json queue cad
        usher: `usher queue` takes no cad
          If it is a product: usher queue --product cad
        $ usher entitlement list cad
        usher: `usher entitlement list` takes no cad
          If it is a product: usher entitlement list --product cad
        $ usher status cad
        usher: `usher status` takes no cad
          If it is a product: usher product show cad
        $ usher messages explain abc
        usher: ID is "abc", which is no whole number
          Give a whole number from 0 to 65535.
        $ usher run --product cad --wait
        usher: the command that is to run is missing
          It stands behind --, such as: usher run --product ID --wait -- COMMAND ARGUMENT...
        $ usher run gimp -n
        usher: gimp stands where an option of `usher run` may stand
          The command that is to run stands behind --: usher run [OPTIONS] -- gimp
        $ usher run cad -- xterm -e top
        usher: cad stands where an option of `usher run` may stand
          If it is a product: usher run --product cad -- xterm -e top
        $ usher run --product cad --wait 5m -- xterm
        usher: 5m stands apart from --wait
          Write --wait=5m: --wait alone takes no value, and waits for ever.
        $ usher checkout cad --wait 5m
        usher: 5m stands apart from --wait
          Write --wait=5m: --wait alone takes no value, and waits for ever.
        $ usher checkout --wait 90 cad
        usher: 90 stands apart from --wait
          Write --wait=90: --wait alone takes no value, and waits for ever.
        $ usher run -p gimp
        error: unexpected argument '-p' found
        $ usher product edit cad --seats 3
        usher: --seats of `usher product edit` asks what so many seats would have meant, and takes --dry-run
          `usher entitlement add` and `edit` change how many are owned.
        $ usher usage --sinse 7d
        error: unexpected argument '--sinse' found

          tip: a similar argument exists: '--since'
        $ usher denials --during last week
        usher: last week is one value only in quotes
          Write --during 'last week'
        $ usher usage --during=last month --product cad
        usher: last month is one value only in quotes
          Write --during 'last month'
        $ usher usage by-user --since 7 days ago
        usher: 7 days ago is one value only in quotes
          Write --since '7 days ago'
        $ usher queue --user ben
        error: unexpected argument '--user' found
        $ usher queue --prod cad
        error: unexpected argument '--prod' found

          tip: a similar argument exists: '--product'
        $ usher statsu
        error: unrecognized subcommand 'statsu'

          tip: a similar subcommand exists: 'status'
        $ usher entitlement edit E38 --product fea
        usher: an entitlement keeps its product: its price and contract are of that
          Enter another with `usher entitlement add`, and end this one with `usher entitlement edit NAME --to DAY`, or remove it.
        $ usher entitlement list --cost-centre=4200
        usher: `usher entitlement list` takes no --cost-centre: it chooses by --product alone
          --csv writes it for a spreadsheet, which chooses and sorts.
        $ usher token create --role agent
        usher: a token of role agent is for the agent of one computer, and --computer is missing
          It is the id that `usher agent status` shows on that computer, or, before an agent runs there, `usher agent --print-computer-id --data DIR`, DIR being the data directory that the agent is to have.
        $ usher token create --role client --name x
        usher: a token of role client is for one person, and --user is missing
          Such as: usher token create --role client --user anna
        $ usher entitlement end fem-2026
        usher: there is no `usher entitlement end`
          `usher entitlement edit NAME --to DAY` ends it with that day, and keeps what is known of it; `usher entitlement remove NAME` removes it.
        $ usher entitlement renew fem-2026
        usher: there is no `usher entitlement renew`
          `usher entitlement add PRODUCT --seats N --from DAY` enters a renewal, as an entitlement of its own; `usher entitlement edit NAME --to DAY` lets this one last longer.
        "#);
}
