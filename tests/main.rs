//! What users are promised, tried on the built program as a user would: each module is a promise.
//!
//! The program is the one that `USHER_BIN` names, else the one that lies in the same target folder:
//! `cargo build -p usher` makes it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod a_bad_disk_is_answered_in_time;
mod a_bad_disk_loses_no_answer;
mod a_clock_frees_no_seat;
mod a_desktop_tells_who_is_refused;
mod a_dry_run_tells_whom_it_would_refuse;
mod a_gate_holds_a_start;
mod a_gate_is_not_evaded;
mod a_gate_that_hangs_is_replaced;
mod a_kill_loses_nothing;
mod a_lease_is_joined;
mod a_log_that_is_not_written_ends_nothing;
mod a_manager_does_no_strangers_will;
mod a_manager_is_not_fooled;
mod a_manager_is_watched_and_restarts_in_time;
mod a_manager_tells_the_truth;
mod a_million_leases_are_upgraded;
mod a_package_is_enforced_once_it_is_installed;
mod a_panic_is_heard;
mod a_panic_is_no_silence;
mod a_policy_is_its_servers_word;
mod a_reader_pins_no_log_in_silence;
mod a_refusal_is_read_without_a_terminal;
mod a_restore_is_made_good;
mod a_run_is_of_one_use;
mod a_seat_is_run_on;
mod a_service_says_what_it_does;
mod a_storm_is_weathered;
mod an_agent_meters_this_machine;
mod an_installed_agent_holds_starts;
mod an_upgrade_is_rehearsed;
mod an_upgraded_agent_holds_nobody;
mod dangerous_rules_are_not_enforced;
mod doctor_tells_of_each_mount;
mod enforcement_holds_while_policies_change;
mod enforcement_is_switched_off;
mod everything_is_ended_together;
mod far;
mod gated;
mod http;
mod idle_programs_give_their_seats_back;
mod installed;
mod load;
mod managed;
mod no_alarm_is_false;
mod one_person_takes_one_seat;
mod planted;
mod plants;
mod products_and_seats_are_kept;
mod root_trusts_nobodys_folder;
mod snapshots_come_back;
mod storm;
mod support;
mod systemd;
mod the_refused_may_ask;
mod trouble_is_told_before_users_call;
mod upkeep_is_invisible;
mod who_is_refused_is_told;
