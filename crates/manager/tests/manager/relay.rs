//! A relay for mails that a test plays, and a manager that sends by it.

use std::sync::{Arc, Mutex};

use usher_manager::RelayTls;

use crate::support::Manager;

/// A relay that takes each mail, and tells the commands and texts that it was sent.
pub(crate) async fn relay(got: &Arc<Mutex<String>>) -> u16 {
    relay_that(got, b"251 forwarded\r\n").await
}

/// The same, that says this to each recipient.
pub(crate) async fn relay_that(got: &Arc<Mutex<String>>, to_recipients: &'static [u8]) -> u16 {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = got.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let got = got.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(b"220 here\r\n").await.unwrap();
                let mut is_text = false;
                let mut line = String::new();
                while stream
                    .read_line(&mut line)
                    .await
                    .is_ok_and(|bytes| bytes > 0)
                {
                    got.lock().unwrap().push_str(&line);
                    let answer: &[u8] = match line.trim_end() {
                        "." => b"250 taken\r\n",
                        _ if is_text => b"",
                        "DATA" => b"354 go on\r\n",
                        "STARTTLS" => b"502 no such thing\r\n",
                        "QUIT" => b"221 bye\r\n",
                        to if to.starts_with("RCPT ") => to_recipients,
                        hello if hello.starts_with("EHLO") => b"250-here\r\n250 8BITMIME\r\n",
                        _ => b"250 yes\r\n",
                    };
                    is_text = (is_text || line.trim_end() == "DATA") && line.trim_end() != ".";
                    stream.write_all(answer).await.unwrap();
                    line.clear();
                }
            });
        }
    });
    port
}

pub(crate) fn start_with_relay(port: u16) -> Manager {
    start_with_relay_by(port, RelayTls::Plain)
}

pub(crate) fn start_with_relay_by(port: u16, tls: RelayTls) -> Manager {
    Manager::start_as(|_, options| {
        let relay = format!("127.0.0.1:{port}");
        options.mail = usher_manager::MailOptions {
            relay: Some(usher_manager::Relay::parse(&relay, tls, None).unwrap()),
            from: Some("usher@lab.example".to_owned()),
            link: Some("https://usher.lab.example/".to_owned()),
        };
    })
}
