//! What becomes of messages for destinations that hang, fail and refuse.

mod refused;

use super::*;
use usher_api::{StatusMessage, Timestamp};

const PATIENCE: Duration = Duration::from_secs(20);

fn parcel(errand: &Errand) -> Parcel {
    let at = Timestamp::UNIX_EPOCH;
    let message = StatusMessage {
        record_id: 1,
        id: 9411,
        severity: "warning".to_owned(),
        kind: "milestone".to_owned(),
        component: String::new(),
        computer: String::new(),
        site: String::new(),
        server: None,
        time: at,
        values: Vec::new(),
        text: "it is so".to_owned(),
        count: 1,
        first_at: at,
        last_at: at,
        recovered_at: None,
    };
    Parcel {
        rule: "everything".to_owned(),
        errand: errand.clone(),
        message: Arc::new(message),
        kept: None,
    }
}

fn put(queues: &Queues, errand: &Errand) {
    if queues.admit(errand, "it") {
        queues.send(parcel(errand));
    }
}

fn run(script: &str) -> Errand {
    Errand::Run {
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        timeout_seconds: 60,
    }
}

fn queues() -> (Queues, mpsc::Receiver<Trouble>) {
    patient(Patience::default())
}

fn means() -> Means {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Means {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        mail: crate::MailOptions::default(),
        authority: None,
    }
}

fn patient(patience: Patience) -> (Queues, mpsc::Receiver<Trouble>) {
    // What is here of a database is gone with its folder; it works on all the same.
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(usher_site::SqliteSite::open(folder.path()).unwrap());
    Queues::new(means(), patience, site, Leading::always())
}

async fn told(troubles: &mut mpsc::Receiver<Trouble>) -> Trouble {
    let told = tokio::time::timeout(PATIENCE, troubles.recv()).await;
    told.unwrap().unwrap()
}

#[tokio::test]
async fn what_is_too_much_for_one_destination_is_dropped_counted_and_told() {
    let (queues, mut troubles) = queues();
    let hangs = run("exec sleep 60");
    for _ in 0..=WAITING_LIMIT + 10 {
        put(&queues, &hangs);
    }
    for dropped in [1, 10] {
        let trouble = Trouble::Dropped {
            destination: "the program /bin/sh".to_owned(),
            dropped,
        };
        assert_eq!(told(&mut troubles).await, trouble);
    }
    let counts = queues.counts();
    assert_eq!((counts.dropped, counts.failed), (11, 0));
    assert!(counts.waiting >= WAITING_LIMIT as u64, "{counts:?}");
    // Another destination goes its way.
    put(&queues, &run("exit 3"));
    let failed = told(&mut troubles).await;
    assert!(matches!(&failed, Trouble::Failed { why, .. } if why.contains("exit status: 3")));
}

#[tokio::test]
async fn a_queue_that_is_empty_and_takes_what_comes_keeps_nothing() {
    let (queues, _troubles) = queues();
    put(&queues, &run("exit 0"));
    let emptied = async {
        while !queues.shared.waiting().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, emptied).await.unwrap();
    let counts = Counts {
        dropped: 0,
        failed: 0,
        given_up: 0,
        waiting: 0,
    };
    assert_eq!(queues.counts(), counts);
}

/// A webhook that answers with the status that is set, and a short patience.
async fn webhook(
    limit: Duration,
) -> (
    Errand,
    tempfile::TempDir,
    tokio::sync::watch::Sender<u16>,
    (Queues, mpsc::Receiver<Trouble>),
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("secret");
    std::fs::write(&secret_file, "what do ya want for nothing?").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (status, answers) = tokio::sync::watch::channel(503);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = vec![0; 16_384];
            let _ = stream.read(&mut asked).await;
            let status = *answers.borrow();
            let answer =
                format!("HTTP/1.1 {status} so\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let patience = Patience {
        pauses: vec![Duration::from_millis(10)],
        limit,
    };
    let errand = Errand::Webhook(crate::targets::Webhook { url, secret_file });
    (errand, folder, status, patient(patience))
}

async fn seen(queues: &Queues, is_so: impl Fn(Counts) -> bool) -> Counts {
    let look = async {
        loop {
            let counts = queues.counts();
            if is_so(counts) {
                return counts;
            }
            // tidy: sleep, this is how a condition is waited for
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE * 3, look).await.unwrap()
}

#[tokio::test]
async fn what_a_destination_does_not_take_now_is_delivered_when_it_does() {
    let (hook, _folder, status, (queues, mut troubles)) = webhook(PATIENCE * 10).await;
    put(&queues, &hook);
    put(&queues, &hook);
    let failed = told(&mut troubles).await;
    let Trouble::Failed { why, .. } = &failed else {
        panic!("{failed:?}");
    };
    assert!(why.contains("503") && why.contains("tried again"), "{why}");
    let waits = queues.destinations();
    assert_eq!((waits.len(), waits[0].waiting), (1, 2), "{waits:?}");
    assert!(waits[0].why.as_ref().unwrap().contains("503"), "{waits:?}");
    assert!(waits[0].next_at >= waits[0].failing_since, "{waits:?}");
    status.send_replace(200);
    let counts = seen(&queues, |counts| counts.waiting == 0).await;
    assert_eq!((counts.failed, counts.given_up), (0, 0));
    assert_eq!(queues.destinations(), []);
    assert!(troubles.try_recv().is_err(), "an outage is told once");
}

#[tokio::test]
async fn what_waits_is_tried_at_once_when_something_else_goes_through_there() {
    let (hook, _folder, status, _) = webhook(PATIENCE * 10).await;
    let hour = Duration::from_secs(3_600);
    let (queues, _troubles) = patient(Patience {
        pauses: vec![hour],
        limit: hour * 12,
    });
    put(&queues, &hook);
    put(&queues, &hook);
    let failing = |queues: &Queues| queues.destinations().iter().any(|it| it.why.is_some());
    seen(&queues, |_| failing(&queues)).await;
    status.send_replace(200);
    // Another destination is no reason to try.
    queues.went_through(&run("exit 0"));
    let mut tries = 0;
    while tries < 100 {
        tokio::task::yield_now().await;
        tries += 1;
    }
    assert_eq!(queues.counts().waiting, 2);
    assert!(failing(&queues));
    queues.went_through(&hook);
    let counts = seen(&queues, |counts| counts.waiting == 0).await;
    assert_eq!((counts.failed, counts.given_up), (0, 0));
}

#[tokio::test]
async fn what_waits_too_long_is_given_up_counted_and_told() {
    let (hook, _folder, _status, (queues, mut troubles)) = webhook(Duration::ZERO).await;
    for _ in 0..12 {
        put(&queues, &hook);
    }
    for count in [1, 10] {
        let trouble = told(&mut troubles).await;
        assert!(
            matches!(&trouble, Trouble::GivenUp { given_up, .. } if *given_up == count),
            "{trouble:?}"
        );
    }
    let counts = seen(&queues, |counts| counts.waiting == 0).await;
    assert_eq!((counts.failed, counts.given_up), (0, 12));
}

#[tokio::test]
async fn what_was_given_up_is_shown_until_something_goes_through_or_no_rule_names_it() {
    let limit = Duration::from_millis(100);
    let (hook, _folder, status, (queues, _troubles)) = webhook(limit).await;
    put(&queues, &hook);
    seen(&queues, |counts| {
        counts.given_up == 1 && counts.waiting == 0
    })
    .await;
    let shown = queues.destinations();
    assert_eq!((shown[0].waiting, shown[0].given_up), (0, 1), "{shown:?}");
    queues.forget_all_but(&HashSet::from([hook.clone()]));
    assert_eq!(queues.destinations(), shown);
    queues.forget_all_but(&HashSet::new());
    assert_eq!(queues.destinations(), []);
    put(&queues, &hook);
    seen(&queues, |counts| {
        counts.given_up == 2 && counts.waiting == 0
    })
    .await;
    status.send_replace(200);
    // Where the computer is busy one may be late.
    let delivered = async {
        while !queues.destinations().is_empty() {
            put(&queues, &hook);
            seen(&queues, |counts| counts.waiting == 0).await;
        }
    };
    tokio::time::timeout(PATIENCE * 3, delivered).await.unwrap();
}

#[tokio::test]
async fn what_waits_and_what_was_given_up_is_there_after_a_restart() {
    use usher_site::{NewDelivery, Site as _, SqliteSite};
    let (hook, _secret, _status, _) = webhook(Duration::ZERO).await;
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(SqliteSite::open(folder.path()).unwrap());
    let with = |limit| {
        let pauses = vec![Duration::from_millis(10)];
        let leading = Leading::always();
        Queues::new(means(), Patience { pauses, limit }, site.clone(), leading).0
    };
    let sent = async |queues: &Queues| {
        let new = NewDelivery {
            rule: "everything".to_owned(),
            destination: "it".to_owned(),
            message: "{}".to_owned(),
            since_ms: 0,
        };
        let numbers = site.deliver_again(1, vec![new]).await.unwrap();
        assert!(queues.admit(&hook, "it"));
        queues.send(Parcel {
            kept: Some(numbers[0]),
            ..parcel(&hook)
        });
        numbers[0]
    };
    let impatient = with(Duration::ZERO);
    sent(&impatient).await;
    seen(&impatient, |counts| counts.given_up == 1).await;
    let kept = async |is_so: &dyn Fn(&usher_site::Resumed) -> bool| {
        let look = async {
            loop {
                let known = site.resume().await.unwrap();
                if is_so(&known) {
                    return known;
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap()
    };
    let given_up = |known: &usher_site::Resumed| {
        known.deliveries.is_empty() && known.destinations.iter().any(|it| it.given_up == 1)
    };
    kept(&given_up).await;
    drop(impatient);
    let patient = with(PATIENCE * 100);
    let number = sent(&patient).await;
    let told = |known: &usher_site::Resumed| known.deliveries.iter().any(|it| it.is_told);
    let known = kept(&told).await;
    drop(patient);
    assert_eq!(known.deliveries[0].id, number);
    let next = with(PATIENCE * 100);
    next.resume_failing(hook.clone(), known.destinations[0].clone());
    let shown = next.destinations();
    assert!(shown[0].why.as_ref().unwrap().contains("503"), "{shown:?}");
}
