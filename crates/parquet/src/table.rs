//! What a table is made of.

/// A column. Null may be in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, different from those of the table's other columns.
    pub name: String,
    /// What its cells are.
    pub kind: Kind,
}

impl Column {
    /// A column of that name and kind.
    pub fn new(name: impl Into<String>, kind: Kind) -> Column {
        Column {
            name: name.into(),
            kind,
        }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Whole,
    /// Numbers of 64 bits (IEEE 754).
    Number,
    /// Texts in UTF-8.
    Text,
    /// True or false.
    Flag,
    /// Instants in milliseconds since 1970 (UTC), which readers show as times.
    Millis,
    /// Instants in microseconds since 1970 (UTC), which readers show as times.
    Micros,
    /// Days since 1970-01-01, of 32 bits, which readers show as dates.
    Day,
}

/// The cells of a column in a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of [`Kind::Whole`], [`Kind::Millis`], [`Kind::Micros`] and [`Kind::Day`].
    Whole(Vec<Option<i64>>),
    /// Of [`Kind::Number`].
    Number(Vec<Option<f64>>),
    /// Of [`Kind::Text`].
    Text(Vec<Option<String>>),
    /// Of [`Kind::Flag`].
    Flag(Vec<Option<bool>>),
}

impl Values {
    /// How many cells there are, nulls included.
    pub fn len(&self) -> usize {
        match self {
            Values::Whole(values) => values.len(),
            Values::Number(values) => values.len(),
            Values::Text(values) => values.len(),
            Values::Flag(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a column of that kind may have them.
    pub(crate) fn fit(&self, kind: Kind) -> bool {
        match self {
            Values::Whole(_) => {
                matches!(kind, Kind::Whole | Kind::Millis | Kind::Micros | Kind::Day)
            }
            Values::Number(_) => kind == Kind::Number,
            Values::Text(_) => kind == Kind::Text,
            Values::Flag(_) => kind == Kind::Flag,
        }
    }
}
