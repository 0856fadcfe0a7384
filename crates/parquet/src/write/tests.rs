//! What is written is read.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use bytes::Bytes;

use super::*;

use crate::read::Reader;

const KINDS: [(&str, Kind); 7] = [
    ("whole", Kind::Whole),
    ("number", Kind::Number),
    ("text", Kind::Text),
    ("flag", Kind::Flag),
    ("millis", Kind::Millis),
    ("micros", Kind::Micros),
    ("day", Kind::Day),
];

fn columns() -> Vec<Column> {
    let columns = KINDS.iter().map(|(name, kind)| Column::new(*name, *kind));
    columns.collect()
}

fn written(groups: &[Vec<Values>]) -> Reader<Bytes> {
    let mut writer = Writer::new(Vec::new(), columns()).unwrap();
    for group in groups {
        writer.group(group).unwrap();
    }
    let bytes = writer.end(&[("of", "a test".to_owned())]).unwrap();
    Reader::open(Bytes::from(bytes)).unwrap()
}

fn whole(rows: usize) -> impl Strategy<Value = Values> {
    vec(option::of(any::<i64>()), rows).prop_map(Values::Whole)
}

fn group() -> impl Strategy<Value = Vec<Values>> {
    (1_usize..40).prop_flat_map(|rows| {
        (
            whole(rows),
            vec(option::of(-1e9_f64..1e9), rows).prop_map(Values::Number),
            vec(option::of(".{0,9}"), rows).prop_map(Values::Text),
            vec(option::of(any::<bool>()), rows).prop_map(Values::Flag),
            whole(rows),
            whole(rows),
            vec(option::of(any::<i32>().prop_map(i64::from)), rows).prop_map(Values::Whole),
        )
            .prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_table_is_read_as_it_was_written(groups in vec(group(), 0..4)) {
        let reader = written(&groups);
        prop_assert_eq!(reader.columns(), &columns()[..]);
        prop_assert_eq!(reader.note("of"), Some("a test"));
        prop_assert_eq!(reader.groups(), groups.len());
        let rows: usize = groups.iter().map(|group| group[0].len()).sum();
        prop_assert_eq!(reader.rows(), rows as u64);
        let all: Vec<usize> = (0..KINDS.len()).collect();
        for (place, group) in groups.iter().enumerate() {
            prop_assert_eq!(&reader.read(place, &all).unwrap(), group);
            prop_assert_eq!(&reader.read(place, &[2]).unwrap()[0], &group[2]);
            let Values::Whole(numbers) = &group[0] else { unreachable!() };
            let numbers: Vec<i64> = numbers.iter().flatten().copied().collect();
            let ends = numbers.iter().min().copied().zip(numbers.iter().max().copied());
            prop_assert_eq!(reader.numbers(place, 0), ends);
            let Values::Text(texts) = &group[2] else { unreachable!() };
            for text in texts.iter().flatten() {
                prop_assert!(reader.may_have(place, 2, text), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_no_table_is_an_error(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Reader::open(Bytes::from(bytes)).is_err());
    }
}

#[test]
fn groups_without_a_text_are_known_without_reading_them() {
    let texts = |text: &str| {
        let mut group = vec![Values::Whole(vec![None]); KINDS.len()];
        group[1] = Values::Number(vec![None]);
        group[2] = Values::Text(vec![Some(text.to_owned())]);
        group[3] = Values::Flag(vec![None]);
        group
    };
    let long = "m".repeat(500);
    let reader = written(&[texts("cad"), texts(&long)]);
    assert!(reader.may_have(0, 2, "cad") && !reader.may_have(0, 2, "cae"));
    assert!(reader.may_have(1, 2, &long) && !reader.may_have(1, 2, "n"));
    assert_eq!(reader.numbers(0, 0), None);
}

#[test]
fn cells_that_do_not_fit_are_refused() {
    let mut writer = Writer::new(Vec::new(), vec![Column::new("day", Kind::Day)]).unwrap();
    for wrong in [
        vec![],
        vec![Values::Flag(vec![None])],
        vec![Values::Whole(vec![Some(i64::MAX)])],
        vec![Values::Whole(vec![None]), Values::Whole(vec![None])],
    ] {
        assert!(matches!(writer.group(&wrong), Err(ParquetError::Rows(_))));
    }
    writer.group(&[Values::Whole(vec![Some(3)])]).unwrap();
    let bytes = writer.end(&[]).unwrap();
    let reader = Reader::open(Bytes::from(bytes)).unwrap();
    assert_eq!(
        reader.read(0, &[0]).unwrap(),
        [Values::Whole(vec![Some(3)])]
    );
    assert!(reader.read(1, &[0]).is_err() && reader.read(0, &[1]).is_err());
}
