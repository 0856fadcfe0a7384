//! A report of each name about the made-up site.

use usher_api::{ComponentSummary, LastUse, ProgramCount, Report, ReportName};
use usher_report::*;

use crate::made_up::*;

/// The report of that name.
pub(crate) fn report(name: ReportName) -> Report {
    let asked = &asked();
    match name {
        ReportName::Usage => usage(
            asked,
            UsageInput {
                figures: figures(),
                by: Vec::new(),
                groups: group_uses(),
            },
        ),
        ReportName::Peaks => peaks(
            asked,
            PeaksInput {
                figures: figures(),
                groups: group_uses(),
            },
        ),
        ReportName::Heatmap => heatmap(asked, HeatmapInput { hours: hours() }),
        ReportName::Denials => denials(
            asked,
            DenialsInput {
                figures: figures(),
                reasons: Ok(vec![ReasonCount {
                    product: "cad".to_owned(),
                    reason: "all_seats_in_use".to_owned(),
                    refusals: 10,
                    people: 4,
                }]),
            },
        ),
        ReportName::Waits => waits(
            asked,
            WaitsInput {
                figures: figures(),
                outcomes: Err("the site database does not tell".to_owned()),
            },
        ),
        ReportName::GaveUp => gave_up(asked, refused()),
        ReportName::Holders => holders(asked, holding()),
        ReportName::People => people(
            asked,
            PeopleInput {
                uses: vec![use_of("berta", "cad", 12.0), use_of("anna", "cad", 70.25)],
                groups: PeopleGroups {
                    of: vec![vec![OfGroup::InNone], two_groups()],
                    why_not_known: String::new(),
                },
            },
        ),
        ReportName::Unused => unused(asked, products()),
        ReportName::Programs => programs(asked, seen()),
        ReportName::Position => position(asked, owning()),
        ReportName::Expiring => expiring(
            asked,
            ExpiringInput {
                entitlements: entitlements(),
                is_owned_known: true,
            },
        ),
        ReportName::Cost => cost(
            asked,
            CostInput {
                entitlements: entitlements(),
                figures: figures(),
                uses: Vec::new(),
                groups: group_uses(),
            },
        ),
        ReportName::Health => health(asked, standing()),
    }
}

fn two_groups() -> Vec<OfGroup> {
    let names = ["physics", "design"];
    names.map(|name| OfGroup::Group(name.to_owned())).into()
}

fn refused() -> GaveUpInput {
    let not_known = "the history of beta is not collected".to_owned();
    GaveUpInput {
        turned_down: vec![
            turned_down("anna", CameBack::At(at("2026-11-13T08:00:00Z"))),
            turned_down("berta", CameBack::Never),
            turned_down("carl", CameBack::NotKnown(not_known)),
        ],
    }
}

pub(crate) fn holding() -> HoldersInput {
    HoldersInput {
        products: vec![SeatsNow {
            product: "cad".to_owned(),
            seats: Some(2),
            in_use: 2,
            kept: 1,
            unseated: 1,
            waiting: 1,
        }],
        held: vec![
            held("anna", HeldAs::InUse, Some(7_260)),
            held("berta", HeldAs::Kept, None),
            held("carl", HeldAs::Unseated, None),
        ],
        waiting: vec![Waiting {
            server: "alpha".to_owned(),
            product: "cad".to_owned(),
            user: "dora".to_owned(),
            computer: "ws4".to_owned(),
            seats: 1,
            position: 1,
            since: None,
        }],
    }
}

fn products() -> UnusedInput {
    let before = LastUse::used(at("2026-03-01T12:00:00Z"));
    let mut used = product_use("cad", Some(10), LastUse::used(at("2026-11-29T12:00:00Z")));
    used.sessions = 12;
    let mut free = product_use("viewer", Some(0), LastUse::used(at("2026-11-29T12:00:00Z")));
    free.sessions = 3;
    let not_known = LastUse::not_known("it was not observed before 2026-10-01T00:00:00Z");
    UnusedInput {
        products: vec![
            used,
            free,
            product_use("old", Some(5), LastUse::never()),
            product_use("plotter", Some(2), before),
            product_use("mystery", None, not_known),
        ],
    }
}

fn seen() -> ProgramsInput {
    let count = |program: &str, run_seconds, desktop_name: Option<&str>| ProgramCount {
        program: program.to_owned(),
        starts: 40,
        run_seconds,
        package: None,
        desktop_name: desktop_name.map(str::to_owned),
        computers: 3,
        first_at: at("2026-01-01T00:00:00Z"),
        last_at: at("2026-11-30T12:00:00Z"),
    };
    ProgramsInput {
        programs: vec![
            count("blender", 36_000, None),
            count("inkscape", 90_000, Some("Inkscape")),
            count("blender", 72_000, Some("Blender")),
        ],
    }
}

fn owning() -> PositionInput {
    PositionInput {
        entitlements: entitlements(),
        figures: figures(),
        needs: Vec::new(),
    }
}

fn standing() -> HealthInput {
    HealthInput {
        servers: vec![watched("beta", "stuck"), watched("alpha", "running")],
        components: vec![ComponentSummary {
            component: "site".to_owned(),
            status: "critical".to_owned(),
            why: Some("beta is stuck".to_owned()),
            informational: 4,
            warnings: 0,
            errors: 1,
            since: at("2026-11-01T00:00:00Z"),
            open: 1,
            open_seconds: 60_000,
        }],
        open: vec![message()],
    }
}
