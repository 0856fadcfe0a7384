//! How a file is read: line by line, with a count of what was understood, and what was not by its
//! shape. A bad line ends nothing, and nothing is guessed in silence.

use std::collections::BTreeMap;

use crate::fact::Fact;
use crate::shape::{self, Shape};

/// Shapes that are told apart; lines of further ones are counted together.
pub const SHAPES_LIMIT: usize = 200;
/// A line that is longer is not understood, and is cut.
pub const LINE_LIMIT_BYTES: usize = 64 * 1024;

/// Reads one kind of file. Lines come without their ends, in the order of the file; a byte order mark is
/// gone, and bytes that are no UTF-8 are read as Latin-1.
pub trait Reader {
    /// Takes in a line.
    fn line(&mut self, line: &str, out: &mut Out<'_>);

    /// The file is over.
    fn end(&mut self, out: &mut Out<'_>);
}

/// Where a reader puts what it has read.
pub struct Out<'s> {
    sink: &'s mut dyn FnMut(Fact),
    counts: &'s mut Counts,
}

impl<'s> Out<'s> {
    /// Into that sink, counted there.
    pub fn new(sink: &'s mut dyn FnMut(Fact), counts: &'s mut Counts) -> Out<'s> {
        Out { sink, counts }
    }

    /// Something that the file says.
    pub fn say(&mut self, fact: Fact) {
        (self.sink)(fact);
    }

    /// The line was understood, also if it says nothing of use (a comment, a blank line).
    pub fn understood(&mut self) {
        self.counts.understood += 1;
    }

    /// The line was not understood.
    pub fn not_understood(&mut self, line: &str) {
        self.counts.miss(line);
    }
}

/// How much of a file was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines in all; whoever drives a reader counts them.
    pub lines: u64,
    /// Lines that were understood.
    pub understood: u64,
    /// Lines in which nothing stands, however they were read.
    pub blank: u64,
    /// Lines of further shapes than are told apart.
    pub of_more_shapes: u64,
    shapes: BTreeMap<Shape, NotUnderstood>,
}

/// Lines of one shape that were not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// The shape: the line with what differs replaced.
    pub shape: String,
    /// How many there were.
    pub count: u64,
    /// The first, with names replaced.
    pub example: String,
}

impl Counts {
    fn miss(&mut self, line: &str) {
        let shape = shape::of(line);
        if let Some(known) = self.shapes.get_mut(&shape) {
            known.count += 1;
        } else if self.shapes.len() < SHAPES_LIMIT {
            let missed = NotUnderstood {
                shape: shape.to_string(),
                count: 1,
                example: shape::example(line),
            };
            self.shapes.insert(shape, missed);
        } else {
            self.of_more_shapes += 1;
        }
    }

    /// Whether any line that says something was understood.
    pub fn is_any_understood(&self) -> bool {
        self.understood > self.blank
    }

    /// What was not understood, the most frequent first.
    pub fn not_understood(&self) -> Vec<NotUnderstood> {
        let mut all: Vec<NotUnderstood> = self.shapes.values().cloned().collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.shape.cmp(&b.shape)));
        all
    }
}

/// Reads a whole text of at most some megabytes, for tests and small files.
pub fn read_all(reader: &mut dyn Reader, text: &str) -> (Vec<Fact>, Counts) {
    let (mut facts, mut counts) = (Vec::new(), Counts::default());
    let mut sink = |fact| facts.push(fact);
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        counts.lines += 1;
        counts.blank += u64::from(line.trim().is_empty());
        let mut out = Out::new(&mut sink, &mut counts);
        match line.len() > LINE_LIMIT_BYTES {
            true => out.not_understood(&line[..line.floor_char_boundary(200)]),
            false => reader.line(line, &mut out),
        }
    }
    reader.end(&mut Out::new(&mut sink, &mut counts));
    (facts, counts)
}
