//! `GET /v1/backup`: a snapshot of the store, taken while it serves.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fs, io};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio::io::{AsyncRead, ReadBuf};
use usher_api::{Code, Problem};

use crate::state::app::App;
use crate::upkeep::backups::Backups;
use crate::wire::problem::Refusal;

const PIECE_BYTES: usize = 256 * 1024;
const PREFIX: &str = "backup-";
const SUFFIX: &str = ".partial";

/// A snapshot of the store, as a file for `usher restore`. For tokens of role `admin` and `backup`.
#[utoipa::path(
    get,
    path = "/v1/backup",
    tag = "operation",
    responses(
        (status = 200, description = "A SQLite file", body = Vec<u8>, content_type = "application/vnd.sqlite3"),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 503, description = "`busy`: another backup is being taken; `storage_failed`", body = Problem),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    // Each takes as much room on the disk as the store itself.
    let Ok(turn) = app.backup_turn.clone().try_acquire_owned() else {
        return Err(Refusal::new(
            Code::Busy,
            "another backup is being taken: try again when it is done",
        )
        .after(5));
    };
    let backups = Some(app.backups.clone());
    let take = usher_vital::RequestId::carried(move || {
        let name = format!("{PREFIX}{}{SUFFIX}", crate::secrets::secret::token_id());
        let path = app.data.join(name);
        let taken = app
            .engine
            .backup(&path)
            .map_err(|error| error.to_string())
            .and_then(|()| opened(&path).map_err(|error| error.to_string()));
        // Its name is not needed any more, nor is a half-written file.
        let removed = fs::remove_file(&path);
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %path.display(), "the temporary copy of a backup could not be removed");
        }
        // Until the blocking work is really over, however long who asked has been gone.
        drop(turn);
        taken
    });
    let (file, bytes) = tokio::task::spawn_blocking(take)
        .await
        .map_err(|_| Refusal::unexpected())?
        .map_err(|why| {
            Refusal::new(
                Code::StorageFailed,
                format!(
                    "the backup could not be taken ({why}): it needs as much room beside the \
                     store as the store itself"
                ),
            )
        })?;
    let headers = [
        (CONTENT_TYPE, "application/vnd.sqlite3"),
        (CONTENT_DISPOSITION, "attachment; filename=\"usher.backup\""),
    ];
    let body = FileBody {
        file: tokio::fs::File::from_std(file),
        left: bytes,
        backups,
        piece: vec![0; PIECE_BYTES].into(),
    };
    Ok((headers, axum::body::Body::new(body)).into_response())
}

fn opened(path: &Path) -> io::Result<(fs::File, u64)> {
    let file = fs::File::open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

/// Removes remains of backups from an earlier run.
pub(crate) fn clean(data: &Path) {
    let Ok(entries) = fs::read_dir(data) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.contains(SUFFIX) {
            // If this fails, the next start removes it.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that is sent piece by piece.
struct FileBody {
    file: tokio::fs::File,
    left: u64,
    /// Notified once when all of it was sent.
    backups: Option<Arc<Backups>>,
    piece: Box<[u8]>,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let mut buffer = ReadBuf::new(&mut this.piece);
        match Pin::new(&mut this.file).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(())) => {
                let read = Bytes::copy_from_slice(buffer.filled());
                this.left = this.left.saturating_sub(read.len() as u64);
                if this.left == 0
                    && let Some(backups) = this.backups.take()
                {
                    // Nobody waits for it.
                    drop(tokio::task::spawn_blocking(move || backups.taken()));
                }
                match read.is_empty() {
                    true => Poll::Ready(None),
                    false => Poll::Ready(Some(Ok(Frame::data(read)))),
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
