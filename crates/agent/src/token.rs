//! The client by which an agent asks its server: the token, and the file that it is read from.

use std::io::ErrorKind;

use usher_api::client::{Client, Endpoint};

use crate::{AgentError, AgentOptions};

/// The client of the agent's server. Its token's file is read again when the server refuses it.
pub(crate) fn client(options: &AgentOptions) -> Result<Client, AgentError> {
    let token = match (&options.token, &options.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(file)) => {
            let token = usher_api::secret_in(file).map_err(|error| {
                AgentError::Usage(match error.kind() {
                    ErrorKind::UnexpectedEof => format!(
                        "the agent's token file {} is empty; `usher token create --role agent \
                         --computer ID --rotate` makes another",
                        file.display()
                    ),
                    _ => format!(
                        "cannot read the agent's token from {}: {error}; make one with \
                         `usher token create --role agent --computer ID` (`usher agent \
                         --print-computer-id` tells the id)",
                        file.display()
                    ),
                })
            })?;
            Some(token)
        }
        (None, None) => None,
    };
    let ca = match &options.ca_file {
        Some(file) => Some(std::fs::read(file).map_err(|error| {
            AgentError::Usage(format!("cannot read {}: {error}", file.display()))
        })?),
        None => None,
    };
    let client = Client::new(Endpoint::Url(options.server.clone()), token, ca.as_deref())
        .map_err(|error| AgentError::Usage(error.to_string()))?;
    Ok(match (&options.token, &options.token_file) {
        (None, Some(file)) => client.reading_again(file.clone()),
        _ => client,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Json;
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::IntoResponse;
    use axum::routing::post;
    use serde_json::{Value, json};
    use usher_api::{Code, Problem};

    use super::*;
    use crate::lock;

    /// A server that takes one token, and tells which were shown.
    async fn server(takes: &Arc<Mutex<String>>) -> (String, Arc<Mutex<Vec<String>>>) {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (takes, noted) = (takes.clone(), shown.clone());
        let answer = async move |headers: HeaderMap, Json(body): Json<Value>| {
            let token = headers["authorization"].to_str().unwrap().to_owned();
            let is_right = token == format!("Bearer {}", lock(&takes));
            lock(&noted).push(token);
            match is_right {
                true => Json(body).into_response(),
                false => {
                    let no = Problem::new(Code::Unauthorized, "the token was revoked");
                    (StatusCode::UNAUTHORIZED, Json(no)).into_response()
                }
            }
        };
        let routes = axum::Router::new().route("/echo", post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (url, shown)
    }

    #[tokio::test]
    async fn a_token_that_was_rotated_in_its_file_cuts_no_agent_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.token");
        std::fs::write(&file, "usher_old\n").unwrap();
        let takes = Arc::new(Mutex::new("usher_old".to_owned()));
        let (url, shown) = server(&takes).await;
        let mut options = AgentOptions::new(folder.path().to_owned(), url);
        options.token_file = Some(file.clone());
        let one = client(&options).unwrap();
        let copy = one.clone();
        let body = json!({"what": "is sent"});
        let sent: Value = one.post("/echo", &body).await.unwrap();
        assert_eq!(sent, body);

        std::fs::write(&file, "usher_new\n").unwrap();
        *lock(&takes) = "usher_new".to_owned();
        let sent: Value = one.post("/echo", &body).await.unwrap();
        assert_eq!(sent, body, "the same request, whole");
        let _: Value = copy.post("/echo", &body).await.unwrap();
        let (old, new) = ("Bearer usher_old", "Bearer usher_new");
        assert_eq!(
            *lock(&shown),
            [old, old, new, new],
            "the copy knows it, too"
        );

        // A file without another token is no reason to ask again.
        *lock(&takes) = "usher_newer".to_owned();
        for text in [Some("usher_new"), Some("  "), None] {
            lock(&shown).clear();
            match text {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let refused = one.post::<_, Value>("/echo", &body).await.unwrap_err();
            assert_eq!(refused.problem().unwrap().status, 401);
            assert_eq!(*lock(&shown), [new], "{text:?}");
        }
    }
}
