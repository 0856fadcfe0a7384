//! What every request to a manager has: an id, and a problem document if it is refused.

use serde_json::Value;

use crate::support::Manager;

async fn answered(request: reqwest::RequestBuilder) -> (u16, String, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    let id = id.to_owned();
    if status >= 400 {
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/problem+json");
    }
    let bytes = response.bytes().await.unwrap();
    (
        status,
        id,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

#[tokio::test]
async fn each_answer_names_its_request() {
    let manager = Manager::start();
    let admin = manager.token();
    for (method, path, token, status) in [
        ("GET", "/v1/health", "", 200),
        ("GET", "/", &*admin, 200),
        ("GET", "/v1/servers", "nobody's", 401),
        ("GET", "/v1/servers/none", &*admin, 404),
        ("GET", "/v1/servers/%ff", &*admin, 400),
        ("GET", "/v1/nothing", &*admin, 404),
        ("PUT", "/v1/servers", &*admin, 405),
        ("GET", "/v1/tokens?limit=0", &*admin, 400),
    ] {
        let (found, id, body) = answered(manager.request(method, path, token)).await;
        assert_eq!(found, status, "{method} {path}: {body}");
        assert_eq!(id.len(), 16, "{method} {path}");
        if status >= 400 {
            assert_eq!(body["request_id"], id, "{method} {path}");
        }
        let named = manager.request(method, path, token);
        let (_, id, _) = answered(named.header("x-request-id", "job-7")).await;
        assert_eq!(id, "job-7");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused_in_words() {
    let manager = Manager::start();
    let post = || manager.request("POST", "/v1/servers", &manager.token());
    let json = |body: String| post().header("content-type", "application/json").body(body);
    let (status, _, body) = answered(json(" ".repeat(1024 * 1024 + 1))).await;
    assert_eq!((status, &body["code"]), (413, &"body_too_large".into()));
    let (status, _, body) = answered(json("{".to_owned())).await;
    assert_eq!((status, &body["code"]), (400, &"invalid_request".into()));
    let (status, _, body) = answered(post().body("name=alpha")).await;
    assert_eq!(
        (status, &body["code"]),
        (415, &"unsupported_media_type".into())
    );
    // A stranger's body is not read, whatever it is.
    let stranger = manager.request("POST", "/v1/servers", "nobody's");
    let large = stranger.header("content-type", "application/json");
    let (status, _, _) = answered(large.body(" ".repeat(1024))).await;
    assert_eq!(status, 401);
}
