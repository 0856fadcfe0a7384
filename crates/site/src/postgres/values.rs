//! What goes into statements and comes out of rows.
//!
//! Whole numbers are `bigint`, whatever their range here. Texts may hold a NUL, which PostgreSQL
//! refuses: it is written as [`MARK`] and `0`, and [`MARK`] itself as [`MARK`] and `1`, so that a text
//! comes back as it was and two that differ stay two.

use tokio_postgres::types::{FromSqlOwned, ToSql};

use super::failure::{Error, Result};

/// Stands before what cannot be written as it is: the last code point, which stands for no character.
const MARK: char = '\u{10ffff}';

/// As PostgreSQL keeps a text.
fn escaped(text: &str) -> String {
    if !text.contains(['\0', MARK]) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for it in text.chars() {
        match it {
            '\0' => out.extend([MARK, '0']),
            MARK => out.extend([MARK, '1']),
            it => out.push(it),
        }
    }
    out
}

/// As it was given.
fn unescaped(text: String) -> String {
    if !text.contains(MARK) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut all = text.chars();
    while let Some(it) = all.next() {
        match it {
            MARK => match all.next() {
                Some('0') => out.push('\0'),
                Some('1') => out.push(MARK),
                // Nobody has written this: as it is.
                other => out.extend([Some(MARK), other].into_iter().flatten()),
            },
            it => out.push(it),
        }
    }
    out
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub(super) enum Param {
    Int(Option<i64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Ints(Vec<Option<i64>>),
    Bools(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
}

impl Param {
    pub(super) fn sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Param::Int(it) => it,
            Param::Bool(it) => it,
            Param::Text(it) => it,
            Param::Bytes(it) => it,
            Param::Ints(it) => it,
            Param::Bools(it) => it,
            Param::Texts(it) => it,
            Param::Blobs(it) => it,
        }
    }
}

/// What can be a parameter.
pub(super) trait ToParam {
    fn to_param(&self) -> Param;
    /// NULL of this type.
    fn null() -> Param;
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl ToParam for $number {
            fn to_param(&self) -> Param {
                Param::Int(Some(i64::from(*self)))
            }
            fn null() -> Param {
                Param::Int(None)
            }
        }
    )*};
}

whole_numbers!(i64, u32, u16, i8);

impl ToParam for bool {
    fn to_param(&self) -> Param {
        Param::Bool(Some(*self))
    }
    fn null() -> Param {
        Param::Bool(None)
    }
}

impl ToParam for str {
    fn to_param(&self) -> Param {
        Param::Text(Some(escaped(self)))
    }
    fn null() -> Param {
        Param::Text(None)
    }
}

impl ToParam for String {
    fn to_param(&self) -> Param {
        self.as_str().to_param()
    }
    fn null() -> Param {
        str::null()
    }
}

impl ToParam for Vec<u8> {
    fn to_param(&self) -> Param {
        Param::Bytes(Some(self.clone()))
    }
    fn null() -> Param {
        Param::Bytes(None)
    }
}

impl<T: ToParam> ToParam for Option<T> {
    fn to_param(&self) -> Param {
        self.as_ref().map_or_else(T::null, T::to_param)
    }
    fn null() -> Param {
        T::null()
    }
}

impl<T: ToParam + ?Sized> ToParam for &T {
    fn to_param(&self) -> Param {
        (**self).to_param()
    }
    fn null() -> Param {
        T::null()
    }
}

/// Parameters in their order.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        [$($crate::postgres::values::ToParam::to_param(&$value)),*]
    };
}

pub(super) use params;

/// Rows turned into columns: an array for each place, as `unnest` takes them.
#[derive(Debug)]
pub(super) struct Arrays(Vec<Param>);

impl Arrays {
    /// Of rows that have the same kinds of values, at least one.
    pub(super) fn of(rows: &[Vec<Param>]) -> Arrays {
        let width = rows.first().map_or(0, Vec::len);
        Arrays((0..width).map(|at| array(rows, at)).collect())
    }

    pub(super) fn params(&self) -> &[Param] {
        &self.0
    }
}

fn array(rows: &[Vec<Param>], at: usize) -> Param {
    let each = rows.iter().filter_map(|row| row.get(at));
    macro_rules! of {
        ($one:ident, $many:ident) => {
            Param::$many(
                each.map(|it| match it {
                    Param::$one(value) => value.clone(),
                    _ => None,
                })
                .collect(),
            )
        };
    }
    match rows.first().and_then(|row| row.get(at)) {
        Some(Param::Bool(_)) => of!(Bool, Bools),
        Some(Param::Text(_)) => of!(Text, Texts),
        Some(Param::Bytes(_)) => of!(Bytes, Blobs),
        _ => of!(Int, Ints),
    }
}

/// A row of an answer.
pub(super) struct Row(pub(super) tokio_postgres::Row);

impl Row {
    /// The value of a column, counted from 0.
    pub(super) fn get<T: Read>(&self, at: usize) -> Result<T> {
        T::read(&self.0, at)
    }
}

/// What a column that is not NULL can be read as.
pub(super) trait One: Sized {
    type Raw: FromSqlOwned;
    fn of(raw: Self::Raw) -> Option<Self>;
}

/// What a column can be read as.
pub(super) trait Read: Sized {
    fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self>;
}

impl<T: One> Read for Option<T> {
    fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self> {
        let raw: Option<T::Raw> = row.try_get(at)?;
        let read = raw.map(|raw| T::of(raw).ok_or(Error::Range(at)));
        read.transpose()
    }
}

macro_rules! readable {
    ($($type:ty as $raw:ty),* $(,)?) => {$(
        impl One for $type {
            type Raw = $raw;
            fn of(raw: $raw) -> Option<Self> {
                <$type>::read_from(raw)
            }
        }
        impl Read for $type {
            fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self> {
                Self::of(row.try_get(at)?).ok_or(Error::Range(at))
            }
        }
    )*};
}

/// How a value of the database becomes one of ours; none: it cannot.
trait ReadFrom<R>: Sized {
    fn read_from(raw: R) -> Option<Self>;
}

macro_rules! smaller_numbers {
    ($($number:ty),*) => {$(
        impl ReadFrom<i64> for $number {
            fn read_from(raw: i64) -> Option<Self> {
                <$number>::try_from(raw).ok()
            }
        }
    )*};
}

smaller_numbers!(u32, u16, i8);

impl ReadFrom<String> for String {
    fn read_from(raw: String) -> Option<Self> {
        Some(unescaped(raw))
    }
}

macro_rules! as_they_are {
    ($($type:ty),*) => {$(
        impl ReadFrom<$type> for $type {
            fn read_from(raw: $type) -> Option<Self> {
                Some(raw)
            }
        }
    )*};
}

as_they_are!(i64, bool, Vec<u8>);

readable! {
    i64 as i64,
    u32 as i64,
    u16 as i64,
    i8 as i64,
    bool as bool,
    String as String,
    Vec<u8> as Vec<u8>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was_and_holds_no_nul_meanwhile(
            text in proptest::collection::vec(
                prop_oneof![Just('\0'), Just(MARK), Just('0'), Just('1'), any::<char>()],
                0..20,
            ),
        ) {
            let text: String = text.into_iter().collect();
            let kept = escaped(&text);
            prop_assert!(!kept.contains('\0'));
            prop_assert_eq!(unescaped(kept), text);
        }
    }

    #[test]
    fn rows_become_an_array_for_each_column() {
        let rows = [
            params![1_i64, "a", None::<bool>].to_vec(),
            params![2_i64, "b", Some(true)].to_vec(),
        ];
        let arrays = Arrays::of(&rows);
        let said = format!("{:?}", arrays.params());
        let expected = "[Ints([Some(1), Some(2)]), Texts([Some(\"a\"), Some(\"b\")]), \
                        Bools([None, Some(true)])]";
        assert_eq!(said, expected);
    }
}
