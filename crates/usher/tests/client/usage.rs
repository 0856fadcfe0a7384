//! What was used, as far as who asks may see it.

use crate::fake::Fake;
use crate::support::{Ended, Folder, stderr, stdout, usher};

#[test]
fn who_may_see_the_programs_of_no_product_is_said_to_who_shows_no_token() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let output = usher(&folder)
        .args(["usage", "programs", "--server", &fake.url])
        .ended();
    assert_eq!(output.status.code(), Some(77));
    assert_eq!(stdout(&output), "");
    insta::assert_snapshot!(stderr(&output), @r"
    usher: `usher usage programs` needs a token: it shows what all computers start, and not who does
      A token of role viewer, operator or admin may see it (--token or USHER_TOKEN); whoever administers the server makes one with `usher token create --role viewer`.
    ");
    assert_eq!(fake.with(|world| world.asked.len()), 0);
}

#[test]
fn of_programs_of_no_product_it_is_said_that_no_person_is_recorded() {
    let folder = Folder::new();
    let output = usher(&folder)
        .args(["usage", "programs", "--user", "ben"])
        .ended();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    usher: --user has no effect in `usher usage programs`: of programs of no product it is not recorded who starts them
      Of products it is: `usher usage --user USER`; `usher product add` makes one.
    ");
}
