//! A report that is being made.

use usher_api::{Cut, Report, ReportName, Section};

use crate::asked::Asked;
use crate::hash::hash;

/// The name that a zone without a name has: only UTC is such.
const UTC: &str = "UTC";

/// A report that is being made.
#[derive(Debug)]
pub(crate) struct Draft {
    name: ReportName,
    title: String,
    sections: Vec<Section>,
    cut: Vec<Cut>,
    notes: Vec<String>,
}

impl Draft {
    pub(crate) fn new(name: ReportName, title: &str) -> Draft {
        Draft {
            name,
            title: title.to_owned(),
            sections: Vec::new(),
            cut: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The report.
    pub(crate) fn report(self, asked: &Asked) -> Report {
        let mut report = Report {
            name: self.name,
            title: self.title,
            parameters: asked.parameters.clone(),
            from: asked.from,
            to: asked.to,
            time_zone: asked.zone.iana_name().unwrap_or(UTC).to_owned(),
            as_of: asked.as_of.clone(),
            cut: asked.cut.iter().cloned().chain(self.cut).collect(),
            notes: asked.notes.iter().cloned().chain(self.notes).collect(),
            hash: String::new(),
            sections: self.sections,
        };
        report.hash = hash(&report);
        report
    }
}
