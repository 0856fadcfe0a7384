//! A real manager in this process, on a free port and a folder of its own, and a client.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use usher_core::health::EpisodeOptions;
use usher_manager::{ManagerError, ManagerOptions, NoServiceManager, OwnServer, Targets, run};

/// How long any condition may take to come true.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Manager {
    console: String,
    folder: Arc<TempDir>,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ManagerError>>>,
}

impl Manager {
    /// One that watches nothing.
    pub(crate) fn start() -> Manager {
        Manager::start_beside(|_| None)
    }

    /// One that watches the server of its own that `own` names, given its data directory.
    pub(crate) fn start_beside(own: impl FnOnce(&Path) -> Option<OwnServer>) -> Manager {
        Manager::start_as(|folder, options| options.own = own(folder))
    }

    /// One whose administrator has named these webhooks, each signed with the secret given.
    pub(crate) fn start_with_webhooks(webhooks: &[(&str, &str)], secret: &str) -> Manager {
        Manager::start_as(|folder, options| {
            let file = folder.join("secret");
            std::fs::write(&file, secret).unwrap();
            let settings: Vec<String> = webhooks
                .iter()
                .map(|(name, url)| format!("{name}={url} {}", file.display()))
                .collect();
            options.targets = Targets::parse(&[], &settings).unwrap();
        })
    }

    /// One that is set up by `set`, given its data directory.
    pub(crate) fn start_as(set: impl FnOnce(&Path, &mut ManagerOptions)) -> Manager {
        Manager::start_in(Arc::new(tempfile::tempdir().unwrap()), set)
    }

    /// The next one in the place of this, on its data.
    pub(crate) fn restart_as(self, set: impl FnOnce(&Path, &mut ManagerOptions)) -> Manager {
        let folder = self.folder.clone();
        drop(self);
        Manager::start_in(folder, set)
    }

    fn start_in(folder: Arc<TempDir>, set: impl FnOnce(&Path, &mut ManagerOptions)) -> Manager {
        // Another test may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut options = ManagerOptions {
            database: usher_manager::Database::InData,
            lease: Duration::from_secs(15),
            data: folder.path().to_owned(),
            admin_token_file: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            or_any_port: false,
            tls: None,
            plain_http: false,
            poll: Duration::from_secs(3_600),
            healing: None,
            memory: None,
            watching: EpisodeOptions::default(),
            site: "test".to_owned(),
            own: None,
            targets: Targets::default(),
            service_manager: Arc::new(NoServiceManager),
            watchdog: None,
            beat_url: None,
            mail: usher_manager::MailOptions::default(),
            sources: Vec::new(),
            authority: None,
            groups: usher_manager::GroupOptions::default(),
            retention: usher_manager::RetentionOptions::FOR_EVER,
        };
        set(folder.path(), &mut options);
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, came_up) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let ready = move |address| ready.send(address).unwrap();
            runtime.block_on(run(options, ready, async move { drop(stopped.await) }))
        });
        let address = came_up.recv_timeout(DEADLINE).unwrap();
        Manager {
            console: format!("http://{address}"),
            folder,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        self.console.clone()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder().join("admin.token")
    }

    pub(crate) fn token(&self) -> String {
        let text = std::fs::read_to_string(self.token_file()).unwrap();
        text.trim().to_owned()
    }

    pub(crate) fn request(&self, method: &str, path: &str, token: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.console);
        let request = self.http.request(method.parse().unwrap(), url);
        request.bearer_auth(token).timeout(DEADLINE)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                matches!(ended, Ok(Ok(()))) || std::thread::panicking(),
                "the manager failed"
            );
        }
    }
}

/// Serves what a test plays on a free port, until the runtime of the test ends; its URL.
pub(crate) async fn play(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// Status and body of an answer.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

/// Looks until the condition holds.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain waited for: {what}");
        // tidy: sleep, the pause between two looks at a condition that has a deadline
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
