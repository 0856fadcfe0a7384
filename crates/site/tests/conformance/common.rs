//! What the suite says of servers, messages and trouble.

use usher_core::messages::Message;
use usher_site::{
    Change, ConcernRow, EpisodeRow, MessageFilter, MessageRow, NewMessage, Said, ServerRow, Site,
    SqliteSite,
};

pub(crate) fn embedded() -> (tempfile::TempDir, SqliteSite) {
    let folder = tempfile::tempdir().unwrap();
    let site = SqliteSite::open(folder.path()).unwrap();
    (folder, site)
}

pub(crate) fn server(name: &str) -> ServerRow {
    ServerRow {
        name: name.to_owned(),
        url: format!("http://{name}:8470"),
        token: "secret".to_owned(),
        unit: Some("usher-server.service".to_owned()),
        data: None,
        added_ms: 5,
    }
}

pub(crate) fn message(id: u16, at: i64, server: Option<&str>) -> MessageRow {
    MessageRow {
        record_id: 0,
        message: Message {
            id,
            computer: "m-1".to_owned(),
            site: "HQ".to_owned(),
            server: server.map(str::to_owned),
            process_id: 42,
            time_ms: at,
            values: vec!["alpha".to_owned(), "it \"fell\"\n".to_owned()],
        },
        count: 1,
        last_ms: at,
        recovered_ms: None,
        keep_until_ms: at + 1_000,
        summarised: true,
    }
}

pub(crate) fn said(row: MessageRow) -> Said {
    Said::New(Box::new(NewMessage {
        row,
        is_kept: true,
        deliveries: Vec::new(),
    }))
}

pub(crate) fn episode(server: &str, number: u64, record_id: Option<i64>) -> EpisodeRow {
    EpisodeRow {
        server: server.to_owned(),
        number,
        verdict: "stopped".to_owned(),
        record_id,
        message_id: 9406,
        count: 3,
        first_ms: 10,
        last_ms: 30,
        ended_ms: None,
    }
}

pub(crate) fn concern(
    server: &str,
    message_id: u16,
    record_id: Option<i64>,
    count: u64,
) -> ConcernRow {
    ConcernRow {
        server: server.to_owned(),
        message_id,
        about: String::new(),
        record_id,
        count,
    }
}

/// Records one change; the record of its message.
pub(crate) async fn one(site: &dyn Site, change: Change<Said>) -> Option<i64> {
    let kept = site.record(vec![change]).await.unwrap().remove(0);
    kept.record_id
}

pub(crate) async fn keep(site: &dyn Site, row: MessageRow) -> i64 {
    one(site, Change::Message(said(row))).await.unwrap()
}

pub(crate) async fn records(site: &dyn Site, filter: MessageFilter) -> Vec<i64> {
    let rows = rows(site, filter).await;
    rows.iter().map(|row| row.record_id).collect()
}

pub(crate) async fn rows(site: &dyn Site, filter: MessageFilter) -> Vec<MessageRow> {
    let limit = if filter.limit == 0 { 100 } else { filter.limit };
    let filter = MessageFilter { limit, ..filter };
    site.messages(filter).await.unwrap()
}

pub(crate) async fn open_of(site: &dyn Site, server: &str) -> Vec<i64> {
    let filter = MessageFilter {
        server: Some(server.to_owned()),
        open: true,
        ..MessageFilter::default()
    };
    records(site, filter).await
}

pub(crate) fn again(record_id: i64, count: u64, last_ms: i64) -> Change<Said> {
    Change::Message(Said::Again {
        record_id,
        count,
        last_ms,
    })
}
