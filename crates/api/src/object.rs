//! Accepts only JSON objects for records: serde would also accept an array, with the fields in
//! their order.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Reads `text` as a `T`, which must be an object.
pub fn from_slice<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, serde_json::Error> {
    let object = match str::from_utf8(text) {
        // One look at all of it costs less than one at each of its texts.
        Ok(text) => serde_json::from_str::<Object<T>>(text),
        // The error says where the text is no text.
        Err(_) => serde_json::from_slice::<Object<T>>(text),
    };
    object.map(|object| object.0)
}

/// For `#[serde(deserialize_with)]`: a record, from an object only.
pub fn one<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Object::deserialize(from).map(|object| object.0)
}

/// For `#[serde(deserialize_with)]`: a record, or null.
pub fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let object = Option::<Object<T>>::deserialize(from)?;
    Ok(object.map(|object| object.0))
}

/// For `#[serde(deserialize_with)]`: several records, each from an object only.
pub fn each<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    from.deserialize_seq(Each(PhantomData))
}

/// For `#[serde(deserialize_with)]`: records, or null.
pub fn each_optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let objects = Option::<Vec<Object<T>>>::deserialize(from)?;
    Ok(objects.map(|objects| objects.into_iter().map(|object| object.0).collect()))
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OfObject(PhantomData)).map(Object)
    }
}

struct OfObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

struct Each<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(Object(next)) = from.next_element()? {
            found.push(next);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckoutRequest, SyncRequest};

    #[test]
    fn an_array_is_not_taken_for_an_object_anywhere() {
        let base = r#"{"product":"p","user":"u","computer":"c"}"#;
        assert!(from_slice::<CheckoutRequest<'_>>(base.as_bytes()).is_ok());
        let named =
            |field: &str, value: &str| base.replace('}', &format!(",\"{field}\":{value}}}"));
        let whole = named("program", r#"{"name":"n"}"#);
        let read: CheckoutRequest<'_> = from_slice(whole.as_bytes()).unwrap();
        assert_eq!(read.program.unwrap().name.as_deref(), Some("n"));
        assert!(from_slice::<CheckoutRequest<'_>>(named("program", "null").as_bytes()).is_ok());
        for wrong in [
            r#"["p","u","c"]"#.to_owned(),
            named("program", "[]"),
            named("program", r#"["n","1"]"#),
            named("subject", r#"["a","1"]"#),
        ] {
            let error = from_slice::<CheckoutRequest<'_>>(wrong.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("an object"), "{error}");
        }
        let computer = r#"{"id":"c","name":"n"}"#;
        let sync = format!(r#"{{"computer":{computer},"incarnation":1,"items":[]}}"#);
        assert!(from_slice::<SyncRequest<'_>>(sync.as_bytes()).is_ok());
        let wrong = sync.replace(computer, r#"["c","n"]"#);
        assert!(from_slice::<SyncRequest<'_>>(wrong.as_bytes()).is_err());
    }
}
