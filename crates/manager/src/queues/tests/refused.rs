//! What is refused for good, or by one message alone.

use super::*;

/// A webhook that takes a message by what it says, and tells what it was asked.
async fn picky(
    answers: impl Fn(&str) -> u16 + Send + 'static,
) -> (Errand, tempfile::TempDir, Arc<Mutex<Vec<String>>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("secret");
    std::fs::write(&secret_file, "what do ya want for nothing?").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            let mut piece = vec![0; 16_384];
            // The message ends the request.
            while !text.ends_with(b"}") {
                match stream.read(&mut piece).await {
                    Ok(bytes @ 1..) => text.extend_from_slice(&piece[..bytes]),
                    _ => break,
                }
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            let status = answers(&text);
            noted.lock().unwrap().push(text);
            let answer =
                format!("HTTP/1.1 {status} so\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let errand = Errand::Webhook(crate::targets::Webhook { url, secret_file });
    (errand, folder, asked)
}

fn saying(errand: &Errand, text: &str) -> Parcel {
    let mut parcel = parcel(errand);
    let mut message = StatusMessage::clone(&parcel.message);
    message.text = text.to_owned();
    parcel.message = Arc::new(message);
    parcel
}

#[tokio::test]
async fn what_is_refused_for_good_is_given_up_at_once_and_what_waits_behind_it_is_tried() {
    let hour = Duration::from_secs(3_600);
    let (queues, mut troubles) = patient(Patience {
        pauses: vec![hour],
        limit: hour * 12,
    });
    let (hook, _folder, asked) = picky(|text| if text.contains("bad") { 410 } else { 200 }).await;
    for text in ["bad", "good"] {
        assert!(queues.admit(&hook, "it"));
        queues.send(saying(&hook, text));
    }
    let failed = told(&mut troubles).await;
    assert!(
        matches!(&failed, Trouble::Failed { why, .. } if why.contains("410") && !why.contains("again")),
        "{failed:?}"
    );
    let counts = seen(&queues, |counts| counts.waiting == 0).await;
    assert_eq!((counts.failed, counts.given_up), (1, 1));
    assert_eq!(asked.lock().unwrap().len(), 2, "each was tried once");
    assert_eq!(queues.destinations(), []);
}

#[tokio::test]
async fn one_that_is_put_off_again_and_again_holds_up_none_behind_it() {
    let (queues, mut troubles) = patient(Patience {
        pauses: vec![Duration::from_millis(1)],
        limit: PATIENCE * 100,
    });
    let (hook, _folder, asked) = picky(|text| if text.contains("bad") { 503 } else { 200 }).await;
    for text in ["bad", "good", "good"] {
        assert!(queues.admit(&hook, "it"));
        queues.send(saying(&hook, text));
    }
    let goods = || {
        let asked = asked.lock().unwrap();
        asked.iter().filter(|text| text.contains("good")).count()
    };
    let counts = seen(&queues, |counts| counts.waiting == 1 && goods() == 2).await;
    assert_eq!((counts.failed, counts.given_up), (0, 0));
    // It is told once, though it is tried on.
    assert!(matches!(told(&mut troubles).await, Trouble::Failed { .. }));
    let tries = asked.lock().unwrap().len();
    seen(&queues, |_| asked.lock().unwrap().len() > tries + 2 * TRIES).await;
    assert!(troubles.try_recv().is_err());
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_with_its_address_counted_and_shown_as_given_up() {
    let (hook, _folder, status, (queues, mut troubles)) = webhook(PATIENCE * 10).await;
    status.send_replace(410);
    put(&queues, &hook);
    let failed = told(&mut troubles).await;
    let Trouble::Failed { why, .. } = &failed else {
        panic!("{failed:?}");
    };
    for word in ["the webhook at 127.0.0.1: ", "410", "for good", "given up"] {
        assert!(why.contains(word), "{word}: {why}");
    }
    assert!(!why.contains("again"), "{why}");
    let counts = seen(&queues, |counts| counts.waiting == 0).await;
    assert_eq!((counts.failed, counts.given_up), (1, 1));
    let shown = queues.destinations();
    assert_eq!((shown.len(), shown[0].given_up), (1, 1), "{shown:?}");
    assert!(shown[0].why.as_ref().unwrap().contains("410"), "{shown:?}");
    assert_eq!(shown[0].next_at, None, "nothing is tried again");
    // Each refusal is told, and once more that there are ten of them.
    assert!(troubles.try_recv().is_err(), "one refusal is one message");
    for _ in 1..10 {
        put(&queues, &hook);
        assert!(matches!(told(&mut troubles).await, Trouble::Failed { .. }));
    }
    let given_up = told(&mut troubles).await;
    let Trouble::GivenUp {
        destination,
        given_up: 10,
        why,
    } = &given_up
    else {
        panic!("{given_up:?}");
    };
    assert_eq!(destination, "the webhook at 127.0.0.1");
    assert!(why.starts_with("refused for good: "), "{why}");
    seen(&queues, |counts| {
        counts.given_up == 10 && counts.waiting == 0
    })
    .await;
    assert_eq!(queues.destinations()[0].given_up, 10);
    status.send_replace(200);
    put(&queues, &hook);
    seen(&queues, |counts| counts.waiting == 0).await;
    assert_eq!(queues.destinations(), []);
}

#[tokio::test]
async fn a_program_that_failed_as_often_as_it_may_is_given_up_counted_and_told_once() {
    let (queues, mut troubles) = patient(Patience {
        pauses: vec![Duration::from_millis(1)],
        limit: PATIENCE * 10,
    });
    put(&queues, &run("exit 3"));
    let failed = told(&mut troubles).await;
    assert!(
        matches!(&failed, Trouble::Failed { why, .. } if why.contains("tried 3 times, it is given up")),
        "{failed:?}"
    );
    seen(&queues, |counts| counts.given_up == 1).await;
    assert!(troubles.try_recv().is_err(), "it is told once");
    assert_eq!(queues.destinations()[0].given_up, 1);
}
