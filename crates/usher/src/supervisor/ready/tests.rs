//! Ready lines that are written and read again.

use super::*;

#[test]
fn the_line_is_read_as_it_is_written() {
    let line = ready_line("http://127.0.0.1:8470", Path::new("/var/lib/my data"));
    assert_eq!(
        line,
        "ready api=http://127.0.0.1:8470 data=/var/lib/my data"
    );
    assert_eq!(api_of(&line).unwrap(), "http://127.0.0.1:8470");
    assert_eq!(
        address_of("http://127.0.0.1:8470"),
        Some(([127, 0, 0, 1], 8470).into())
    );
    assert!(api_of("ready").is_err());
    let line = ready_line("http://127.0.0.1:8470", Path::new("/srv/a\nready api=b"));
    assert_eq!(line.lines().count(), 1, "{line}");
    assert_eq!(api_of(&line).unwrap(), "http://127.0.0.1:8470");
}

#[test]
fn an_address_for_all_is_reached_over_loopback() {
    assert_eq!(
        reachable("http://0.0.0.0:8470", &[]),
        "http://127.0.0.1:8470"
    );
    assert_eq!(reachable("http://[::]:8470", &[]), "http://[::1]:8470");
    assert_eq!(
        reachable("http://10.0.0.7:8470", &[]),
        "http://10.0.0.7:8470"
    );
    assert_eq!(
        reachable("https://10.0.0.7:8470", &[]),
        "https://localhost:8470"
    );
}

#[test]
fn a_server_with_a_certificate_is_asked_by_a_name_that_it_is_for() {
    for (ip, names, url) in [
        ("0.0.0.0", "a.example localhost", "https://localhost:8470"),
        ("0.0.0.0", "127.0.0.1", "https://127.0.0.1:8470"),
        ("127.0.0.1", "127.0.0.1", "https://127.0.0.1:8470"),
        (
            "10.0.0.7",
            "localhost 127.0.0.1 10.0.0.7",
            "https://10.0.0.7:8470",
        ),
        (
            "10.0.0.7",
            "localhost *.lab.example a.example",
            "https://a.example:8470",
        ),
        ("10.0.0.7", "192.0.2.1", "https://localhost:8470"),
    ] {
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        assert_eq!(reachable(&format!("https://{ip}:8470"), &names), url);
    }
}
