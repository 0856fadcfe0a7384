//! What people call programs of no product. It is asked once for each file, when the file is first
//! started or found running, on a thread of its own: the program that answers may take seconds.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::Shared;
use crate::base::lock;
use crate::identity::described::Described;

/// How many files are remembered; if there are more, all are forgotten and asked about again.
const FILES_LIMIT: usize = 4_096;
/// How many files are asked about between two looks at the running programs: rpm takes a while for
/// each. The others are asked about when they are started again, or found running by a later look.
const QUESTIONS_LIMIT: usize = 256;

/// The answers, and the questions that are under way.
#[derive(Debug, Default)]
pub(super) struct Descriptions(Mutex<Files>);

#[derive(Debug, Default)]
struct Files {
    /// By path; `None`: there is no answer yet.
    known: FxHashMap<Box<[u8]>, Option<Described>>,
    asked: usize,
    /// `None`: no thread answers.
    questions: Option<SyncSender<Question>>,
}

/// What is a file?
#[derive(Debug)]
pub(super) struct Question {
    path: Box<[u8]>,
    name: Arc<str>,
}

impl Descriptions {
    /// What is known by now of a file of that name. The first call has it asked.
    pub(super) fn of(&self, path: &[u8], name: &Arc<str>) -> Option<Described> {
        let mut files = lock(&self.0);
        if let Some(known) = files.known.get(path) {
            return known.clone();
        }
        if files.asked >= QUESTIONS_LIMIT {
            return None;
        }
        let question = Question {
            path: path.into(),
            name: name.clone(),
        };
        let is_asked = |to: &SyncSender<Question>| to.try_send(question).is_ok();
        if files.questions.as_ref().is_some_and(is_asked) {
            files.asked += 1;
            files.remember(path, None);
        }
        None
    }

    /// A look at the running programs begins: again [`QUESTIONS_LIMIT`] files may be asked about.
    pub(super) fn ask_again(&self) {
        lock(&self.0).asked = 0;
    }

    /// Returns the receiver of the questions, which gets them until [`Descriptions::stop`].
    pub(super) fn questions(&self) -> Receiver<Question> {
        let (ask, questions) = sync_channel(QUESTIONS_LIMIT);
        lock(&self.0).questions = Some(ask);
        questions
    }

    /// Ends the questions, and with them the thread that answers.
    pub(super) fn stop(&self) {
        lock(&self.0).questions = None;
    }

    fn is(&self, path: &[u8], described: Described) {
        lock(&self.0).remember(path, Some(described));
    }
}

impl Files {
    fn remember(&mut self, path: &[u8], described: Option<Described>) {
        if self.known.len() >= FILES_LIMIT && !self.known.contains_key(path) {
            self.known.clear();
        }
        self.known.insert(path.into(), described);
    }
}

/// Starts the thread that finds answers.
pub(super) fn spawn(shared: Arc<Shared>) -> io::Result<()> {
    let questions = shared.descriptions.questions();
    usher_vital::spawn("usher-describe", move || {
        for Question { path, name } in questions {
            usher_vital::plant::thread();
            let asked = || shared.identifier.describe(&path);
            // Its log line says what happened; the file has no name then.
            let described = usher_vital::catch("what a program is called", asked);
            let described = described.unwrap_or_default();
            shared.descriptions.is(&path, described.clone());
            lock(&shared.counts).describe(&name, &described);
        }
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_asked_about_once_and_so_many_from_one_look_to_the_next() {
        let descriptions = Descriptions::default();
        let name: Arc<str> = "cad".into();
        assert_eq!(descriptions.of(b"/a", &name), None);
        let questions = descriptions.questions();
        for _ in 0..2 {
            assert_eq!(descriptions.of(b"/a", &name), None);
        }
        let asked = |questions: &Receiver<Question>| questions.try_iter().count();
        assert_eq!(asked(&questions), 1);
        let cad = Described {
            package: Some("cad".into()),
            desktop_name: None,
        };
        descriptions.is(b"/a", cad.clone());
        assert_eq!(descriptions.of(b"/a", &name), Some(cad));
        for number in 0..QUESTIONS_LIMIT {
            descriptions.of(format!("/b{number}").as_bytes(), &name);
        }
        assert_eq!(asked(&questions), QUESTIONS_LIMIT - 1);
        descriptions.ask_again();
        descriptions.of(b"/c", &name);
        assert_eq!(asked(&questions), 1);
        for number in 0..FILES_LIMIT {
            descriptions.is(format!("/d{number}").as_bytes(), Described::default());
        }
        assert!(lock(&descriptions.0).known.len() <= FILES_LIMIT);
    }
}
