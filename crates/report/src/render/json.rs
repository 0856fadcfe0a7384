//! The report itself, as one JSON document.

use usher_api::Report;

use super::RenderError;

/// The report as an indented JSON document, with a line break at its end.
///
/// # Errors
/// [`RenderError::Json`].
pub fn json(report: &Report) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
