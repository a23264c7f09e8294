//! DocumentReference: a document as it came. Plain text that it brings along can be read here; any other form, and what
//! is only linked to, stays sealed with the rest of the resource.

use data_encoding::BASE64;
use praxis_domain::documents::RecordDocument;
use praxis_entity::value::{DocumentSection, Moment};

use super::{
    Context,
    moment::{moment, optional},
    value::unknown_code,
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{Attachment, CodeableConcept, Coding, Content, DocumentContext, Reference},
};

/// LOINC: a note, and no more is known of it.
const NOTE: &str = "34109-9";

/// The longest text that is taken out of its attachment, in bytes.
const LONGEST: usize = 1 << 20;

/// Maps a document of a patient.
pub(in crate::fhir) fn document(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<RecordDocument, Invalid> {
    let patient = context.patient(source, "subject")?;
    let around = source.element("context", |given: DocumentContext, loss| {
        loss.note_if(given.encounter.len() != 1 || given.period.is_some());
        let mut visit = None;
        for (index, one) in given.encounter.iter().enumerate() {
            let found = context.visit_of(one, patient, loss);
            let found = found.map_err(|wrong| Invalid { path: format!("encounter[{index}]"), ..wrong })?;
            visit = visit.or(found);
        }
        Ok((visit, optional("period.start", given.period.and_then(|period| period.start))?))
    })?;
    let (encounter, began) = around.unwrap_or_default();
    let withdrawn = source.glance::<String>("docStatus").is_some_and(|code| code == "entered-in-error");
    let status = source.element("status", |code: String, loss| {
        // One that another took the place of is still what somebody wrote.
        loss.note_if(code == "superseded");
        match code.as_str() {
            "current" | "superseded" => Ok(false),
            "entered-in-error" => Ok(true),
            _ => Err(unknown_code()),
        }
    })?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let kind = source.element("type", |given: CodeableConcept, loss| {
        loss.note();
        Ok(kind(given))
    })?;
    let (type_code, title) = kind.unwrap_or_else(|| (NOTE.to_owned(), "Note".to_owned()));
    let author = source.element("author", |many: Vec<Reference>, loss| {
        loss.note_if(many.len() != 1);
        let mut found = None;
        for one in &many {
            found = found.or(context.practitioner(one, loss)?);
        }
        Ok(found)
    })?;
    // Only the instant is kept of it.
    let dated = source.element("date", |text: String, loss| {
        loss.note();
        moment(text)
    })?;
    let content = source.element("content", |many: Vec<Content>, loss| {
        loss.note_if(many.len() != 1);
        let read = many.into_iter().enumerate().map(|(index, one)| {
            let read = readable(one.attachment, loss);
            read.map_err(|wrong| Invalid { path: format!("[{index}].attachment.{}", wrong.path), ..wrong })
        });
        read.collect::<Result<Vec<_>, _>>()
    })?;
    let content = content.ok_or_else(|| source.invalid("content", "is missing"))?;
    let made = content.iter().find_map(|one| one.made.clone());
    let section = |one: Readable| {
        let title = one.title.unwrap_or_else(|| title.clone());
        Some(DocumentSection { code: type_code.clone(), title, text: one.text? })
    };
    let sections = content.into_iter().filter_map(section).collect();
    Ok(RecordDocument {
        patient,
        encounter,
        author: author.flatten(),
        type_code,
        entered_in_error: status || withdrawn,
        authored_at: dated.or(made).or(began).map(|at| at.at),
        sections,
    })
}

/// The LOINC type, and the heading it gives.
fn kind(given: CodeableConcept) -> (String, String) {
    let loinc = |coding: &&Coding| {
        coding.system.as_deref() == Some("http://loinc.org") && coding.code.as_deref().is_some_and(is_loinc)
    };
    let coding = given.coding.iter().find(loinc);
    let title = coding.and_then(|coding| coding.display.clone());
    let title = given.text.or(title).or_else(|| given.coding.iter().find_map(|one| one.display.clone()));
    let code = coding.and_then(|coding| coding.code.clone()).unwrap_or_else(|| NOTE.to_owned());
    (code, title.unwrap_or_else(|| "Note".to_owned()))
}

fn is_loinc(code: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    code.split_once('-').is_some_and(|(number, check)| {
        (1..=7).contains(&number.len()) && check.len() == 1 && digits(number) && digits(check)
    })
}

/// What of an attachment can be read here.
struct Readable {
    title: Option<String>,
    made: Option<Moment>,
    text: Option<String>,
}

fn readable(given: Attachment, loss: &mut Loss) -> Result<Readable, Invalid> {
    let written = given.content_type.as_deref() == Some("text/plain");
    loss.note_if(!written || given.title.is_some() || given.creation.is_some());
    let bytes = given.data.as_deref().map(|data| {
        let plain: String = data.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        loss.note_if(plain.len() != data.len());
        BASE64.decode(plain.as_bytes()).map_err(|_| Invalid::at("data", "is not base64"))
    });
    let bytes =
        bytes.transpose()?.filter(|bytes| bytes.len() <= LONGEST && is_text(given.content_type.as_deref()));
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    loss.note_if(text.is_none());
    Ok(Readable { title: given.title, made: optional("creation", given.creation)?, text })
}

/// Plain text or Markdown, in UTF-8 as far as it says.
fn is_text(content_type: Option<&str>) -> bool {
    let mut parts = content_type.unwrap_or_default().split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let charset =
        parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()));
    matches!(kind.as_str(), "text/plain" | "text/markdown")
        && charset.is_none_or(|name| matches!(name.as_str(), "utf-8" | "utf8" | "us-ascii"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_in_a_known_form_is_read() {
        for text in ["text/plain", "TEXT/plain; charset=UTF-8", "text/markdown;charset=\"utf-8\""] {
            assert!(is_text(Some(text)), "{text}");
        }
        for other in ["", "text/html", "application/pdf", "text/plain; charset=iso-8859-1"] {
            assert!(!is_text(Some(other)), "{other}");
        }
        assert!(!is_text(None));
    }

    #[test]
    fn a_type_that_is_not_of_loinc_is_a_note() {
        let coding = |system: &str, code: &str| Coding {
            system: Some(system.to_owned()),
            code: Some(code.to_owned()),
            ..Coding::default()
        };
        let of = |coding| kind(CodeableConcept { coding: vec![coding], text: None }).0;
        assert_eq!(of(coding("http://loinc.org", "11506-3")), "11506-3");
        assert_eq!(of(coding("urn:x", "11506-3")), NOTE);
        for wrong in ["11506", "-3", "11506-33", "12345678-1", "1150é-3"] {
            assert_eq!(of(coding("http://loinc.org", wrong)), NOTE, "{wrong}");
        }
    }
}
