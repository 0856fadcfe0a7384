//! What is owned: the entitlements of the watched servers, and what the files of other licence
//! servers say.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use usher_api::{Entitlement, Metric, Timestamp};
use usher_report::OwnedOn;
use usher_site::{OwnedElsewhere, REPORT_ROWS_LIMIT};

use super::gathering::Gathering;
use crate::problem::Refusal;

impl Gathering<'_> {
    /// All entitlements, of the product that was asked for if one was.
    pub(super) async fn owned(&mut self) -> Result<Vec<OwnedOn>, Refusal> {
        let told = self.ground.told.entitlements.iter();
        let owned = told.map(|(server, entitlement)| OwnedOn {
            server: server.clone(),
            entitlement: entitlement.clone(),
        });
        let mut owned: Vec<OwnedOn> = owned.collect();
        let product = self.question.product().map(str::to_owned);
        let site = &self.app.tools.site;
        let mut elsewhere = site.owned_elsewhere(product, REPORT_ROWS_LIMIT).await?;
        if elsewhere.len() > REPORT_ROWS_LIMIT as usize {
            elsewhere.truncate(REPORT_ROWS_LIMIT as usize);
            self.cut(
                "owned (counted elsewhere)",
                format!("only {REPORT_ROWS_LIMIT} licences are read: ask for one product"),
            );
        }
        if !elsewhere.is_empty() {
            self.note(
                "What another licence server counts is as its files say, listed under the name of \
                 the import's source instead of a server's. If a source has both, it is what the \
                 server's own report says, and not its licence file.",
            );
        }
        let counted = elsewhere.iter().filter(|it| it.seats.is_some()).count();
        if counted < elsewhere.len() {
            self.note("Licences that are not counted are left out: they have no number of seats.");
        }
        let zone = self.question.zone.clone();
        owned.extend(elsewhere.into_iter().filter_map(|it| of_file(it, &zone)));
        Ok(owned)
    }
}

/// One that a file tells of, as an entitlement; none: it is not counted, or its seats do not count.
fn of_file(it: OwnedElsewhere, zone: &TimeZone) -> Option<OwnedOn> {
    let seats = it.seats.filter(|_| it.set_aside.is_none())?;
    let day = |text: Option<&str>, later: i64| -> Option<Timestamp> {
        let day: Date = text?.parse().ok()?;
        let day = day.checked_add(later.days()).ok()?;
        Some(day.to_zoned_datetime(zone.clone()).ok()?.timestamp())
    };
    let entitlement = Entitlement {
        id: String::new(),
        product: it.product,
        metric: Metric::Concurrent,
        seats,
        overdraft: it.overdraft,
        from: day(it.from_day.as_deref(), 0),
        // The last day is valid to its end.
        to: day(it.to_day.as_deref(), 1),
        from_day: it.from_day,
        to_day: it.to_day,
        time_zone: zone.iana_name().map(str::to_owned),
        in_use: 0,
        allotment: String::new(),
        name: None,
        price: None,
        contract: None,
        cost_centre: None,
        notice_days: None,
        note: it.version.map(|version| format!("up to version {version}")),
    };
    Some(OwnedOn {
        server: it.source,
        entitlement,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_of_a_file_is_valid_to_the_end_of_its_last_day() {
        let of = |seats, set_aside: Option<&str>| OwnedElsewhere {
            source: "lic1".to_owned(),
            product: "MLM:Simulink".to_owned(),
            kind: "flexnet-licence".to_owned(),
            version: None,
            seats,
            overdraft: 0,
            from_day: None,
            to_day: Some("2026-10-25".to_owned()),
            set_aside: set_aside.map(str::to_owned),
        };
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let found = of_file(of(Some(5), None), &berlin).unwrap();
        let end: Timestamp = "2026-10-25T23:00:00Z".parse().unwrap();
        assert_eq!(found.entitlement.to, Some(end));
        assert_eq!(found.entitlement.from, None);
        assert_eq!(of_file(of(None, None), &berlin), None);
        assert_eq!(of_file(of(Some(5), Some("superseded")), &berlin), None);
    }
}
