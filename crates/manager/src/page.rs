//! `/`: a plain page that shows verdicts and open messages, until there is a console.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use hyper::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use usher_api::{ComponentSummary, WatchedServer};
use usher_core::concerns::counted;
use usher_core::health::span;
use usher_site::{MessageFilter, MessageRow};

use crate::app::App;
use crate::clock::date;
use crate::problem::Refusal;
use crate::summary;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a;background:#fff}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #bbb}\
ul{margin:0;padding-left:1.2rem}.good{color:#1b5e20}.bad{color:#9b1c1c}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}.good{color:#8fd694}\
.bad{color:#ff9e9e}}";

/// Serves the page.
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let filter = MessageFilter {
        open: true,
        limit: 100,
        ..MessageFilter::default()
    };
    let open = app.tools.site.messages(filter).await?;
    let standing = summary::components(&app).await?;
    let servers: Vec<WatchedServer> = app
        .watches()
        .values()
        .map(|watch| watch.view.get())
        .collect();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok((
        [
            (CONTENT_SECURITY_POLICY, policy),
            (REFERRER_POLICY, "no-referrer"),
        ],
        Html(page(&servers, &standing, &open)),
    ))
}

fn page(servers: &[WatchedServer], standing: &[ComponentSummary], open: &[MessageRow]) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"15\"><title>Usher</title>\
         <style>{STYLE}</style></head><body><main><h1>Metering servers</h1>"
    );
    // Writing to a text does not fail.
    let _ = write_servers(&mut html, servers);
    let _ = write_messages(&mut html, open);
    let _ = write_standing(&mut html, standing);
    html.push_str("</main></body></html>");
    html
}

fn write_servers(html: &mut String, servers: &[WatchedServer]) -> std::fmt::Result {
    if servers.is_empty() {
        html.push_str("<p>None is watched yet: <code>usher servers add</code> adds one.</p>");
        return Ok(());
    }
    html.push_str(
        "<table><thead><tr><th>Server</th><th>Verdict</th><th>Since</th><th>Evidence</th></tr>\
         </thead><tbody>",
    );
    for server in servers {
        let class = match server.verdict.as_str() {
            "running" | "maintenance" => "good",
            _ => "bad",
        };
        write!(
            html,
            "<tr><td>{}<br><small>{}</small></td><td class=\"{class}\"><strong>{}</strong></td>\
             <td>{}</td><td><ul>",
            escaped(&server.name),
            escaped(&server.url),
            escaped(&server.verdict),
            server.since
        )?;
        for evidence in &server.evidence {
            write!(
                html,
                "<li>{}: {}</li>",
                escaped(&evidence.source.replace('_', " ")),
                escaped(&evidence.finding)
            )?;
        }
        html.push_str("</ul></td></tr>");
    }
    html.push_str("</tbody></table>");
    Ok(())
}

fn write_messages(html: &mut String, open: &[MessageRow]) -> std::fmt::Result {
    html.push_str("<h2>Open messages</h2>");
    if open.is_empty() {
        html.push_str("<p>None.</p>");
        return Ok(());
    }
    html.push_str(
        "<table><thead><tr><th>Number</th><th>Message</th><th>Seen</th><th>First</th>\
         <th>Last</th></tr></thead><tbody>",
    );
    for row in open {
        write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            row.message.id,
            escaped(&row.message.text()),
            counted(row.count, "time"),
            date(row.message.time_ms),
            date(row.last_ms)
        )?;
    }
    html.push_str("</tbody></table>");
    Ok(())
}

fn write_standing(html: &mut String, standing: &[ComponentSummary]) -> std::fmt::Result {
    html.push_str("<h2>Components</h2>");
    html.push_str(
        "<table><thead><tr><th>Component</th><th>Stands</th><th>Errors</th><th>Warnings</th>\
         <th>Others</th><th>Open</th><th>For</th><th>Since</th><th>Why</th></tr></thead><tbody>",
    );
    for line in standing {
        let class = if line.status == "ok" { "good" } else { "bad" };
        write!(
            html,
            "<tr><td>{}</td><td class=\"{class}\"><strong>{}</strong></td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&line.component),
            escaped(&line.status),
            line.errors,
            line.warnings,
            line.informational,
            line.open,
            match line.open_seconds {
                0 => "-".to_owned(),
                seconds => span(Duration::from_secs(seconds)),
            },
            line.since,
            escaped(line.why.as_deref().unwrap_or("-"))
        )?;
    }
    html.push_str("</tbody></table>");
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
