//! Note templates: YAML front matter that names the sections, and a Markdown body with one heading for each.

use serde::Deserialize;

use super::item::{Feeds, NoteSection, NoteTemplate};
use super::reader::Reader;

#[derive(Deserialize)]
struct FrontMatter {
    key: String,
    title: String,
    loinc: String,
    #[serde(default = "yes")]
    cosign: bool,
    sections: Vec<Section>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Section {
    loinc: String,
    title: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    feeds: Option<Feeds>,
}

/// Reads one note template.
pub(super) fn read(reader: &mut Reader<'_>, file: &str, text: &str) -> Option<NoteTemplate> {
    let text = text.replace("\r\n", "\n");
    let Some((front, body)) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) else {
        reader.report(file, "", "does not start with front matter between two lines of \"---\"");
        return None;
    };
    let front: FrontMatter = reader.typed(file, "note_template.schema.json", front)?;
    if !file.ends_with(&format!("/{}.md", front.key)) {
        reader.report(file, "/key", format!("\"{}\" differs from the name of the file", front.key));
    }
    let codes = front
        .sections
        .iter()
        .enumerate()
        .map(|(i, section)| (format!("/sections/{i}/loinc"), &section.loinc));
    for (path, code) in codes.chain([("/loinc".to_owned(), &front.loinc)]) {
        if !is_loinc(code) {
            reader.report(file, path, format!("{code} is no LOINC code: its check digit is wrong"));
        }
    }
    for (i, section) in front.sections.iter().enumerate() {
        if front.sections.iter().take(i).any(|earlier| earlier.loinc == section.loinc) {
            reader.report(file, format!("/sections/{i}"), format!("{} occurs more than once", section.loinc));
        }
        let fed = section
            .feeds
            .filter(|fed| front.sections.iter().take(i).any(|earlier| earlier.feeds == Some(*fed)));
        if fed.is_some() {
            reader.report(file, format!("/sections/{i}/feeds"), "another section feeds the same");
        }
    }

    let texts = split_body(body);
    let wanted: Vec<_> = front.sections.iter().map(|section| section.title.as_str()).collect();
    let found: Vec<_> = texts.iter().map(|(title, _)| title.as_str()).collect();
    if wanted != found {
        let message = format!(
            "the headings of the body ({}) are not the sections ({})",
            found.join(", "),
            wanted.join(", ")
        );
        reader.report(file, "/sections", message);
        return None;
    }
    let sections = front.sections.into_iter().zip(texts);
    Some(NoteTemplate {
        key: front.key,
        title: front.title,
        loinc: front.loinc,
        cosign: front.cosign,
        sections: sections
            .map(|(section, (_, text))| NoteSection {
                loinc: section.loinc,
                title: section.title,
                required: section.required,
                text,
                feeds: section.feeds,
            })
            .collect(),
    })
}

/// Heading and text of each section; text before the first heading counts as a section without a title.
fn split_body(body: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in body.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            sections.push((title.trim().to_owned(), String::new()));
        } else if let Some((_, text)) = sections.last_mut() {
            text.push_str(line);
            text.push('\n');
        } else if !line.trim().is_empty() {
            sections.push((String::new(), format!("{line}\n")));
        }
    }
    for (_, text) in &mut sections {
        *text = text.trim().to_owned();
    }
    sections
}

/// Whether it is a LOINC code: the digit after the dash is the Luhn check digit of the digits before it.
pub fn is_loinc(code: &str) -> bool {
    let Some((digits, check)) = code.split_once('-') else { return false };
    if !(1..=7).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let weighted = digits.chars().rev().filter_map(|c| c.to_digit(10)).zip([2, 1].into_iter().cycle());
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight).map(|n| n / 10 + n % 10).sum();
    check.parse() == Ok((10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_finds_a_slip() {
        for code in ["61150-9", "61149-1", "51848-0", "18776-5", "11506-3", "34117-2"] {
            assert!(is_loinc(code), "{code}");
        }
        for code in ["61150-8", "61510-9", "11506", "11506-x"] {
            assert!(!is_loinc(code), "{code}");
        }
    }

    #[test]
    fn text_before_the_first_heading_is_not_lost() {
        assert_eq!(
            split_body("\n## A\n\ntext\n\n### deeper\n## B\n"),
            [("A".into(), "text\n\n### deeper".into()), ("B".into(), String::new())]
        );
        assert_eq!(split_body("stray\n## A\n").len(), 2);
    }
}
