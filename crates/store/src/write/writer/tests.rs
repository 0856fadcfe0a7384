//! What the writer does if a batch does not become durable.

use std::path::Path;

use usher_core::ledger::{Incarnation, ProductSpec};

use super::*;
use crate::base::clock::SystemClock;
use crate::base::schema::Saved;
use crate::file::open;
use crate::queue::requests::Sink;
use crate::tables::load::load;

fn put(product: &str) -> Command {
    Command::PutProduct {
        spec: ProductSpec {
            id: product.into(),
            enabled: true,
            max_ttl_seconds: 300,
            queue_limit: 5,
            shared_by_subject: false,
            impossible_seconds: 60,
            document: "{}".into(),
        },
        new: true,
    }
}

/// A writer without a thread, on a new file in `data`.
fn writer(data: &Path) -> Writer {
    let path = data.join("cache.db");
    let held = Some([open::lock(data).unwrap(), open::hold(&path).unwrap()]);
    let connection = open::connection(&path, Saved::Beside).unwrap();
    open::server_id(&connection, &path, open::draw).unwrap();
    let loaded = load(&connection, &path, &|_| {}).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shared = Arc::new(Shared::new(path.clone(), clock.clone(), held));
    let mut writer = Writer {
        durable_to: loaded.ledger.next_number(),
        filled_to: loaded.filled_to,
        ledger: loaded.ledger,
        shared,
        place: Place::Directory,
        connection: Some(connection),
        presence: Presence::of(&path),
        path,
        clock,
        offset_ms: 0,
        last: loaded.last,
        settlers: Vec::new(),
        buffer: Vec::new(),
        on_durable: Box::new(|_| {}),
        retry_at: None,
        looked_at: Instant::now(),
        log_looked_at: Instant::now(),
        gone: None,
        must_rebuild: false,
        counted_to: 0,
        owed: 0,
        beside: None,
    };
    writer.follow_log().unwrap();
    writer
}

#[test]
fn what_is_not_durable_is_taken_back_also_where_the_file_is_gone() {
    let data = tempfile::tempdir().unwrap();
    let mut writer = writer(data.path());
    let now = writer.now();
    writer.ledger.apply(now, put("kept"));
    writer.commit(now).unwrap();
    let incarnation = writer.ledger.incarnation();
    assert_ne!(incarnation, Incarnation(0));

    // A commit of which nobody knows what became of it, and then its file is gone.
    writer.ledger.apply(now, put("lost"));
    let (file, aside) = (data.path().join("cache.db"), data.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    writer.rebuild();
    assert!(writer.gone.is_some() && writer.must_rebuild);
    assert!(writer.ledger.product("kept").is_some());
    assert!(writer.ledger.product("lost").is_none(), "it is shown");

    // When it is back, what it says is what is so: the connection has met an error.
    std::fs::rename(&aside, &file).unwrap();
    writer.looked_at = writer.looked_at.checked_sub(LOOK).unwrap();
    writer.look_for_files();
    assert!(writer.gone.is_none() && !writer.must_rebuild);
    let (told, heard) = std::sync::mpsc::channel();
    let look: Look = Box::new(move |seen| {
        let (ledger, _) = seen.unwrap();
        told.send(ledger.product("lost").is_some()).unwrap();
    });
    writer.serve(vec![Item::Request(Request {
        work: Work::Read(look),
        sink: Arc::new(Nobody),
        token: 0,
    })]);
    assert_eq!(heard.recv(), Ok(false));
    let now = writer.now();
    writer.ledger.apply(now, put("later"));
    writer.commit(now).unwrap();
    writer.finish();
}

struct Nobody;

impl Sink for Nobody {
    fn deliver(&self, _: &mut Vec<(u64, Result<Answer, Failure>)>) {}
}
