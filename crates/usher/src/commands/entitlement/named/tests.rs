//! Names that are mistyped, and such as look like options.

use super::super::samples::wire;
use super::*;

#[test]
fn a_mistyped_name_is_answered_with_the_one_that_was_meant() {
    let mut it = wire("E7", 3, None);
    it.name = Some("fem-2026".to_owned());
    let all = [it];
    insta::assert_snapshot!(none_named("fem2026", &all).to_string(), @r"
        usher: no entitlement has the name or the id fem2026
          Did you mean fem-2026?
          `usher entitlement list` shows what is owned, with ids and names.
        ");
    let of_product = none_named("cad", &all).to_string();
    assert!(
        of_product.contains("`usher entitlement list --product cad`"),
        "{of_product}"
    );
    let other = none_named("viewer", &all).to_string();
    assert!(!other.contains("Did you mean"), "{other}");
}

#[test]
fn a_name_that_looks_like_an_option_is_not_typed() {
    let mut it = wire("E7", 3, None);
    assert_eq!(word(&it), "E7");
    it.name = Some("cad 2026".to_owned());
    assert_eq!(word(&it), "'cad 2026'");
    it.name = Some("-7".to_owned());
    assert_eq!(word(&it), "E7");
}
