//! The client through which an agent asks its server: the token, and the file that it is read from.

use std::io::ErrorKind;
use std::path::Path;

use usher_api::client::{Client, Endpoint};

use crate::{AgentError, AgentOptions};

/// The client of the server of the agent with the id `computer`. Its token's file is read again when
/// the server refuses the token.
pub(crate) fn client(options: &AgentOptions, computer: &str) -> Result<Client, AgentError> {
    let token = match (&options.token, &options.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(file)) => {
            let token = usher_api::secret_in(file);
            Some(token.map_err(|error| AgentError::Usage(no_token(file, &error, computer)))?)
        }
        (None, None) => None,
    };
    let ca = match &options.ca_file {
        Some(file) => Some(std::fs::read(file).map_err(|error| {
            AgentError::Usage(format!(
                "cannot read the --ca-file {}: {error}",
                file.display()
            ))
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

/// Why the file gives no token, with the command that makes one for this agent.
fn no_token(file: &Path, error: &std::io::Error, computer: &str) -> String {
    let (what, rotate) = match error.kind() {
        ErrorKind::UnexpectedEof => (
            format!("the agent's token file {} is empty", file.display()),
            " --rotate",
        ),
        _ => (
            format!(
                "cannot read the agent's token from {}: {error}",
                file.display()
            ),
            "",
        ),
    };
    format!(
        "{what}; `usher token create --role agent --computer {computer}{rotate}` makes one at the \
         server: write it to {}",
        file.display()
    )
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
    use crate::base::lock;

    /// A server that takes one token, and tells which were shown; `refusal` is its answer to others.
    async fn server(
        takes: &Arc<Mutex<String>>,
        refusal: Code,
    ) -> (String, Arc<Mutex<Vec<String>>>) {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (takes, noted) = (takes.clone(), shown.clone());
        let answer = async move |headers: HeaderMap, Json(body): Json<Value>| {
            let token = headers["authorization"].to_str().unwrap().to_owned();
            let is_right = token == format!("Bearer {}", lock(&takes));
            lock(&noted).push(token);
            match is_right {
                true => Json(body).into_response(),
                false => {
                    let no = Problem::new(refusal, "the token is not taken");
                    let status = StatusCode::from_u16(refusal.status()).unwrap();
                    (status, Json(no)).into_response()
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
        for refusal in [Code::Unauthorized, Code::Forbidden] {
            is_not_cut_off(refusal).await;
        }
    }

    /// An agent whose token the server takes no more, which it says with that code.
    async fn is_not_cut_off(refusal: Code) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.token");
        std::fs::write(&file, "usher_old\n").unwrap();
        let takes = Arc::new(Mutex::new("usher_old".to_owned()));
        let (url, shown) = server(&takes, refusal).await;
        let mut options = AgentOptions::new(folder.path().to_owned(), url);
        options.token_file = Some(file.clone());
        let one = client(&options, "c-1").unwrap();
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
            assert_eq!(refused.problem().unwrap().status, refusal.status());
            assert_eq!(*lock(&shown), [new], "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_token_that_is_written_into_the_file_meanwhile_is_taken_without_asking() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.token");
        std::fs::write(&file, "usher_old\n").unwrap();
        let takes = Arc::new(Mutex::new("usher_new".to_owned()));
        let (url, shown) = server(&takes, Code::Forbidden).await;
        let mut options = AgentOptions::new(folder.path().to_owned(), url);
        options.token_file = Some(file.clone());
        let one = client(&options, "c-1").unwrap();
        assert!(!one.takes_another_token().await, "it is the same");
        std::fs::write(&file, "usher_new\n").unwrap();
        assert!(one.takes_another_token().await);
        assert!(!one.takes_another_token().await);
        let body = json!({});
        let _: Value = one.post("/echo", &body).await.unwrap();
        assert_eq!(*lock(&shown), ["Bearer usher_new"]);
    }

    #[test]
    fn without_a_token_the_command_that_makes_one_is_said_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.token");
        let mut options = AgentOptions::new(folder.path().to_owned(), "http://server".to_owned());
        options.token_file = Some(file.clone());
        let said = || match client(&options, "c-1") {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it has no token"),
        };
        let makes = "`usher token create --role agent --computer c-1`";
        let ends = format!("write it to {}", file.display());
        let none = said();
        assert!(none.contains(makes) && none.ends_with(&ends), "{none}");
        std::fs::write(&file, " \n").unwrap();
        let empty = said();
        assert!(
            empty.contains("is empty; `usher token create --role agent --computer c-1 --rotate`"),
            "{empty}"
        );
        assert!(empty.ends_with(&ends), "{empty}");
    }
}
