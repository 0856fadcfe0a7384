//! The state of a unit and its service, for people and as JSON.

use serde_json::json;
use usher_api::Service as Told;
use usher_service::Unit;

use crate::output::{tame, times};

pub(super) fn unit_json(unit: &Unit) -> serde_json::Value {
    json!({
        "unit": unit.name,
        "state": unit.state.name(),
        "words": unit.words,
        "since": unit
            .since_wall_ms
            .and_then(|ms| usher_api::Timestamp::from_millisecond(ms).ok()),
        "state_age_seconds": unit.age.map(|age| age.as_secs()),
        "main_pid": unit.main_pid,
        "result": unit.result,
        "exit_status": unit.exit_status,
        "restarts": unit.restarts,
        "status_text": unit.status_text,
    })
}

pub(super) fn describe_unit(unit: &Unit) -> String {
    let mut text = format!("systemd    {} {}", unit.name, unit.words);
    if let Some(age) = unit.age {
        text.push_str(&format!(" for {} s", age.as_secs()));
    }
    if let Some(pid) = unit.main_pid {
        text.push_str(&format!(", pid {pid}"));
    }
    if unit.result != "success" {
        text.push_str(&format!(", result {}", unit.result));
    }
    if unit.restarts > 0 {
        text.push_str(&format!(", started again {}", times(unit.restarts.into())));
    }
    if let Some(said) = &unit.status_text {
        text.push_str(&format!("\nits status {}", tame(said)));
    }
    text
}

pub(super) fn describe_told(told: &Told) -> String {
    let mut text = tame(&told.state).to_string();
    if let Some(work) = &told.work {
        text.push_str(&format!(
            " ({}; may stand still for {} s)",
            tame(work),
            told.wait_hint_seconds
        ));
    }
    if !told.accepts.is_empty() {
        text.push_str(&format!(", takes {}", tame(&told.accepts.join(" and "))));
    }
    text
}
