//! What mails say: one text per template and language, from which the HTML form is made too.
//!
//! A template is embedded as `templates/<language>/<name>.txt`: the subject on the first line, then
//! paragraphs. A paragraph that is a link becomes one in the HTML form. Facts are escaped there, a fact
//! that is missing is an error, and fuel bounds what a template may do.

use std::{collections::BTreeSet, sync::LazyLock};

use minijinja::{AutoEscape, Environment, ErrorKind};
use rust_embed::RustEmbed;
use serde_json::{Map, Value as Json};

use crate::words::{sandbox, single_lines};

/// The language every template has.
const FALLBACK: &str = "en";

#[derive(RustEmbed)]
#[folder = "src/mail/templates"]
struct Embedded;

/// A mail's text in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// All templates, each under `<language>/<name>.txt` and, escaping, `<language>/<name>.html`.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = sandbox();
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
    });
    for path in Embedded::iter() {
        let Some((name, file)) = path.strip_suffix(".txt").zip(Embedded::get(&path)) else { continue };
        let source = String::from_utf8_lossy(&file.data).into_owned();
        for form in ["txt", "html"] {
            if let Err(error) = environment.add_template_owned(format!("{name}.{form}"), source.clone()) {
                tracing::error!(%error, path = %path, "a mail template can't be read");
            }
        }
    }
    environment
});

/// Whether there is a template of the name.
pub fn has_template(name: &str) -> bool {
    TEMPLATES.get_template(&format!("{FALLBACK}/{name}.txt")).is_ok()
}

/// Fills a template in, in the first of the locales for which there is one.
pub(super) fn render(name: &str, locales: &[&str], facts: &Map<String, Json>) -> Result<Rendered, String> {
    let facts = minijinja::Value::from(minijinja::value::Serde(single_lines(facts)));
    let language = languages(locales)
        .into_iter()
        .find(|language| TEMPLATES.get_template(&format!("{language}/{name}.txt")).is_ok())
        .ok_or_else(|| format!("there is no template {name}"))?;
    let form = |form: &str| {
        let template = TEMPLATES.get_template(&format!("{language}/{name}.{form}"));
        // What is wrong may quote a fact; its kind does not.
        template
            .and_then(|template| template.render(facts.clone()))
            .map_err(|error| problem(name, error.kind()))
    };
    let (text, html) = (form("txt")?, form("html")?);
    let (subject, text) = parts(&text).ok_or_else(|| format!("template {name} has no subject"))?;
    let (_, html) = parts(&html).ok_or_else(|| format!("template {name} has no subject"))?;
    Ok(Rendered { subject: subject.to_owned(), text: format!("{}\n", text.trim()), html: paragraphs(html) })
}

fn problem(name: &str, kind: ErrorKind) -> String {
    format!("template {name}: {kind}")
}

/// From the most to the least wanted: `de-CH`, `de`, then the fallback.
fn languages(locales: &[&str]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    locales
        .iter()
        .flat_map(|locale| [*locale, locale.split('-').next().unwrap_or_default()])
        .chain([FALLBACK])
        .filter(|language| seen.insert(language.to_owned()))
        .map(str::to_owned)
        .collect()
}

fn parts(rendered: &str) -> Option<(&str, &str)> {
    let (first, rest) = rendered.split_once('\n')?;
    Some((first.strip_prefix("Subject:")?.trim(), rest))
}

/// The HTML form of a text that is no template any more.
pub(super) fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    paragraphs(&escaped)
}

fn paragraphs(body: &str) -> String {
    let paragraph = |text: &str| {
        let text = text.trim();
        // Escaped by the template already, slashes included.
        let is_link = ["http://", "https://", "http:&#x2f;&#x2f;", "https:&#x2f;&#x2f;"];
        if is_link.iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace) {
            format!("<p><a href=\"{text}\">{text}</a></p>\n")
        } else {
            format!("<p>{}</p>\n", text.replace('\n', "<br>\n"))
        }
    };
    let body: String = body.split("\n\n").filter(|text| !text.trim().is_empty()).map(paragraph).collect();
    format!("<!doctype html>\n<html><head><meta charset=\"utf-8\"></head><body>\n{body}</body></html>\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Map<String, Json> {
        let all = json!({
            "clinic": "Tom & Jerry's <Clinic>", "origin": "https://a.example", "token": "s3cr-et_", "name": "Ada",
            "inviter": "Bea\r\nBcc: x@y.z", "role": "Nurse", "expires": "tomorrow", "minutes": 15, "at": "today",
        });
        all.as_object().unwrap().clone()
    }

    #[test]
    fn every_template_is_plain_text_with_a_subject_and_exists_in_english() {
        let mut count = 0;
        for path in Embedded::iter() {
            let source = String::from_utf8(Embedded::get(&path).unwrap().data.into_owned()).unwrap();
            assert!(source.starts_with("Subject: ") && source.lines().nth(1) == Some(""), "{path}");
            // It becomes HTML as it stands.
            assert!(!source.contains(['<', '>', '&']), "{path}");
            let (_, name) = path.split_once('/').unwrap();
            assert!(has_template(name.strip_suffix(".txt").unwrap()), "{path}");
            count += 1;
        }
        assert!(count >= 8);
    }

    #[test]
    fn facts_are_escaped_in_html_and_can_not_write_lines() {
        let rendered = render("invitation", &["en-GB"], &facts()).unwrap();
        assert_eq!(rendered.subject, "Bea  Bcc: x@y.z invites you to Tom & Jerry's <Clinic>");
        assert!(
            rendered.text.contains("\n\nhttps://a.example/auth/invitation#s3cr-et_\n\n"),
            "{}",
            rendered.text
        );
        assert!(rendered.html.contains("Tom &amp; Jerry&#x27;s &lt;Clinic&gt;"), "{}", rendered.html);
        assert!(rendered.html.contains("/auth/invitation#s3cr-et_\">"), "{}", rendered.html);
        assert!(!rendered.html.contains("<Clinic>"));
    }

    #[test]
    fn the_nearest_language_is_taken() {
        let subject = |locales: &[&str]| render("password_changed", locales, &facts()).unwrap().subject;
        assert!(subject(&["de-CH"]).starts_with("Ihr Passwort"));
        assert!(subject(&["fr-FR", "de"]).starts_with("Ihr Passwort"));
        assert!(subject(&["fr-FR", "en-GB"]).starts_with("Your password"));
        assert!(subject(&[]).starts_with("Your password"));
    }

    #[test]
    fn a_missing_fact_or_template_is_an_error_without_facts_in_it() {
        let mut lacking = facts();
        lacking.remove("token");
        assert_eq!(
            render("invitation", &[], &lacking),
            Err("template invitation: undefined value".to_owned())
        );
        assert!(render("../en/invitation", &[], &facts()).is_err());
        assert!(!has_template("nothing"));
    }
}
