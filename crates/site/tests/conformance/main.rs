//! What every engine of the site database has to do, run on each: a file for each thing that a manager
//! does with it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod calls;
mod common;
mod copies;
mod deliveries;
mod files;
mod histories;
mod history;
mod imports;
mod leading;
mod marks;
mod messages;
mod postgres;
mod reported;
mod retention;
mod secured;
mod servers;
mod settings;
mod trouble;
mod usage;

use usher_site::{Resumed, Site};

use crate::common::embedded;

#[tokio::test]
async fn the_embedded_engine_does_what_every_engine_has_to() {
    let (_folder, site) = embedded();
    does_what_every_engine_has_to(&site).await;
}

#[tokio::test]
async fn the_engine_on_postgresql_does_what_every_engine_has_to() {
    let (_cluster, site) = postgres::begun().await;
    does_what_every_engine_has_to(&site).await;
}

/// On a database of which nothing was asked before.
pub(crate) async fn does_what_every_engine_has_to(site: &dyn Site) {
    assert_eq!(site.resume().await.unwrap(), Resumed::default());
    servers::keeps_servers(site).await;
    messages::keeps_messages_and_finds_them(site).await;
    messages::counts_a_message_that_is_told_again_and_keeps_none_that_the_rules_do_not(site).await;
    trouble::keeps_an_open_episodes_message_beyond_its_time(site).await;
    trouble::counts_what_repeats_each_time_and_trouble_that_lasts_once(site).await;
    trouble::keeps_concerns_until_they_are_over(site).await;
    trouble::leaves_nothing_open_of_a_server_that_is_removed(site).await;
    settings::keeps_what_a_manager_sets_and_answers_new_rules_with_what_is_open(site).await;
    settings::keeps_the_id_that_tells_it_from_other_sites(site).await;
    deliveries::keeps_what_waits_until_it_is_delivered_or_given_up(site).await;
    history::appends_what_is_collected_once(site).await;
    history::goes_on_from_where_a_server_was_put_back_to(site).await;
    history::knows_what_is_there_again_after_another_restore(site).await;
    history::tells_what_was_held_wanted_and_refused_of_a_product(site).await;
    history::tells_whom_it_knows_page_by_page(site).await;
    messages::tells_once_what_is_told_once(site).await;
    imports::takes_rows_in_their_order_and_once(site).await;
    imports::adds_of_the_same_or_a_grown_file_only_what_is_new(site).await;
    imports::completes_what_had_no_end(site).await;
    imports::counts_nothing_of_what_was_never_finished_and_removes_it(site).await;
    imports::counts_once_what_two_imports_bring_side_by_side(site).await;
    imports::takes_an_import_out_and_in_again(site).await;
    imports::begins_an_import_once_for_a_request(site).await;
    imports::lists_imports_the_newest_first(site).await;
    imports::has_room_for_so_many_imports_that_are_not_finished(site).await;
    imports::live::counts_what_a_live_import_has_before_it_is_finished(site).await;
    imports::live::ends_a_live_import_into_which_nothing_comes(site).await;
    usage::rolls_up_what_the_rows_say(site).await;
    usage::counts_what_still_runs_until_it_has_ended(site).await;
    usage::knows_what_is_collected_and_of_which_products(site).await;
    reported::tells_who_used_a_product_by_name(site).await;
    reported::tells_which_groups_used_a_product(site).await;
    reported::tells_who_was_refused_and_who_never_came_back(site).await;
    reported::tells_when_products_were_last_used(site).await;
    reported::tells_how_waits_ended(site).await;
    imports::figures::tells_what_is_owned_elsewhere(site).await;
    imports::figures::puts_what_is_counted_elsewhere_into_buckets(site).await;
    imports::figures::tells_use_counted_elsewhere_of_finished_imports_apart(site).await;
    imports::figures::knows_nothing_of_the_time_of_an_import_that_was_taken_out(site).await;
    imports::now::tells_what_a_log_says_of_now(site).await;
    imports::now::tells_what_the_last_report_says_of_now(site).await;
    imports::now::tells_what_became_of_refusals_once(site).await;
    imports::forgets_an_import_that_brought_nothing_once_a_later_one_tells_of_its_time(site).await;
}
