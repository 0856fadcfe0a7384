//! What most reports are gathered with: the question, what answers rest on, and what is missing.

use std::sync::Arc;

use usher_api::{Code, Cut};
use usher_core::usage::Counted;
use usher_report::{Asked as Basis, Kept};
use usher_site::{Archived, Retained, RunningUse, UsedProduct};

use super::question::Question;
use crate::app::App;
use crate::clock::date;
use crate::problem::Refusal;
use crate::routes::together::{self, OfServer};
use crate::routes::usage::answer::{self, Ground};
use crate::routes::usage::archived;
use crate::routes::usage::retained::cuts;

/// The most products that a report looks at.
const PRODUCTS_LIMIT: usize = 2_000;
/// The most rows about people, computers, seats or refusals that a report has.
pub(super) const ROWS_LIMIT: usize = usher_report::ROWS_LIMIT;

pub(super) struct Gathering<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) question: Question,
    pub(super) ground: Ground,
    cut: Vec<Cut>,
    notes: Vec<String>,
    /// What was read of the archive.
    archived: Archived,
}

impl<'a> Gathering<'a> {
    /// Asks the servers what runs and what is owned.
    pub(super) async fn of(app: &'a Arc<App>, question: Question) -> Result<Self, Refusal> {
        let ground = Ground::of(app, question.product(), &question.period).await?;
        let from_ms = question.period.from_ms;
        let mut cut: Vec<Cut> = ground.cut().cloned().collect();
        cut.extend(cuts(&ground.retained, question.rows(), from_ms));
        let gathering = Gathering {
            app,
            question,
            ground,
            cut,
            notes: Vec::new(),
            archived: Archived::default(),
        };
        if let Some(product) = gathering.question.product() {
            gathering.must_be_known(product).await?;
        }
        Ok(gathering)
    }

    /// The products that the report is about, in the order of their ids.
    pub(super) async fn products(&mut self) -> Result<Vec<UsedProduct>, Refusal> {
        let product = self.question.product().map(str::to_owned);
        let told = &self.ground.told;
        let found = answer::products(self.app, product, None, told, PRODUCTS_LIMIT).await?;
        let mut products: Vec<UsedProduct> = found.into_iter().collect();
        if products.len() > PRODUCTS_LIMIT {
            products.truncate(PRODUCTS_LIMIT);
            self.cut(
                "products",
                format!(
                    "only the first {PRODUCTS_LIMIT} by their ids are looked at: ask for one \
                     product"
                ),
            );
        }
        Ok(products)
    }

    /// What of a product still runs, as its servers say.
    pub(super) fn running(&self, of: &UsedProduct) -> Vec<RunningUse> {
        let running = self.ground.told.running.get(&of.product);
        let running = running.filter(|_| of.counted == Counted::Here);
        running.cloned().unwrap_or_default()
    }

    /// Up to which instant something counts, in Unix milliseconds: the end of the time, or now.
    pub(super) fn until_ms(&self) -> i64 {
        self.question.period.to_ms.min(self.question.period.now_ms)
    }

    /// Something is missing; said once.
    pub(super) fn cut(&mut self, what: &str, why: impl Into<String>) {
        self.cuts([Cut {
            what: what.to_owned(),
            why: why.into(),
            before: None,
        }]);
    }

    /// A product has more rows than a report takes.
    pub(super) fn cut_rows(&mut self, what: &str, product: &str) {
        let why = format!(
            "a report has at most {ROWS_LIMIT}, and some of {product} are left out: ask for one product, \
             or for less time"
        );
        self.cut(what, why);
    }

    /// As [`Gathering::cut`], several.
    pub(super) fn cuts(&mut self, cuts: impl IntoIterator<Item = Cut>) {
        for cut in cuts {
            // Several products are of one source.
            if !self.cut.contains(&cut) {
                self.cut.push(cut);
            }
        }
    }

    /// Something was read from the archive, or could not be.
    pub(super) fn archived(&mut self, archived: Archived) {
        self.cuts(archived::cuts(&archived));
        let until_ms = archived.missing_until_ms;
        self.archived.missing_until_ms = self.archived.missing_until_ms.max(until_ms);
        self.archived.files.extend(archived.files);
    }

    /// Where rows come from that are no longer in the tables.
    fn of_archive(&self) -> Option<String> {
        let last = self.archived.files.last()?;
        let since = self.ground.retained.of(Retained::Sessions).map(date)?;
        let many = self.archived.files.len();
        Some(format!(
            "Sessions and leases that were over before {since} come from the archive: {many} of its \
             files were read, the last of them number {last}."
        ))
    }

    /// Something that readers should know, in a sentence.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What a builder is told.
    pub(super) fn basis(&self) -> Basis {
        Basis {
            as_of: self.ground.known.as_of.clone(),
            cut: self.cut.clone(),
            kept: self.kept(),
            notes: self
                .notes
                .iter()
                .cloned()
                .chain(self.of_archive())
                .collect(),
            ..self.question.basis()
        }
    }

    /// Since when rows are kept.
    fn kept(&self) -> Kept {
        let since = |what| self.ground.retained.told(what);
        // What a file has that cannot be read is not known.
        let missing_ms = self
            .archived
            .missing_until_ms
            .map(|ms| ms.saturating_add(1));
        let sessions = since(Retained::Sessions).max(missing_ms);
        let since = |what| since(what).map(date);
        Kept {
            sessions: sessions.map(date),
            denials: since(Retained::Denials),
            waits: since(Retained::Waits),
        }
    }

    /// Refuses a product that neither the site nor any server knows.
    async fn must_be_known(&self, product: &str) -> Result<(), Refusal> {
        let known = self
            .app
            .tools
            .site
            .used_products(product.to_owned(), 1)
            .await?;
        let told = &self.ground.told;
        if known.iter().any(|it| it.product == product)
            || told.running.contains_key(product)
            || told.owned.contains_key(product)
        {
            return Ok(());
        }
        let owned = self
            .app
            .tools
            .site
            .owned_elsewhere(Some(product.to_owned()), 1);
        if !owned.await?.is_empty() {
            return Ok(());
        }
        let asked = |app: Arc<App>, of: OfServer| async move { of.may_have_it(&app).await };
        let each = together::each(self.app, Some(product), &self.ground.watched, asked).await;
        // Of one that says nothing it is in what is missing.
        if each.into_values().any(|it| it.unwrap_or(true)) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::UnknownProduct,
            format!(
                "there is no product {} on the servers that this manager watches, and nothing of \
                 it was collected or imported: GET /v1/products lists those that there are",
                usher_http::shown(product)
            ),
        ))
    }
}
