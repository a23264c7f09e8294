//! What a document says: sections of a template, filled in.

use praxis_entity::value::DocumentSection;
use praxis_platform::template::NoteSection;

use crate::{ViolationCode, error::Violations};

/// The longest text of a section.
const LONGEST: usize = 50_000;

/// What a section says now.
#[derive(Debug, Clone)]
pub struct SectionText {
    /// LOINC code of the section.
    pub code: String,
    /// Markdown.
    pub text: String,
}

/// The sections as a template starts them.
pub(super) fn begun(template: &[NoteSection]) -> Vec<DocumentSection> {
    let begin = |section: &NoteSection| DocumentSection {
        code: section.loinc.clone(),
        title: section.title.clone(),
        text: section.text.clone(),
    };
    template.iter().map(begin).collect()
}

/// Puts texts into their sections; what is not given stays.
pub(super) fn fill(found: &mut Violations, sections: &mut [DocumentSection], texts: Vec<SectionText>) {
    for (index, given) in texts.into_iter().enumerate() {
        let at = index.to_string();
        let Some(section) = sections.iter_mut().find(|section| section.code == given.code) else {
            found.add(
                ViolationCode::NotFound,
                &["sections", &at, "code"],
                "The document has no such section.",
            );
            continue;
        };
        if given.text.chars().count() > LONGEST {
            let message = format!("The text is longer than {LONGEST} characters.");
            found.add(ViolationCode::TooLong, &["sections", &at, "text"], message);
        }
        if given.text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t' | '\r')) {
            let message = "The text holds control characters.";
            found.add(ViolationCode::Invalid, &["sections", &at, "text"], message);
        }
        section.text = given.text.replace("\r\n", "\n");
    }
}

/// Finds what must be filled in before somebody signs.
pub(super) fn complete(found: &mut Violations, template: &[NoteSection], sections: &[DocumentSection]) {
    let text_of =
        |code: &str| sections.iter().find(|section| section.code == code).map(|section| &section.text);
    for wanted in template.iter().filter(|section| section.required) {
        let text = text_of(&wanted.loinc).map_or("", |text| text.trim());
        if text.is_empty() {
            let message = format!("The section {} must be filled in.", wanted.title);
            found.add(ViolationCode::Required, &["sections", &wanted.loinc], message);
        }
    }
    if sections.iter().all(|section| section.text.trim().is_empty()) {
        found.add(ViolationCode::Required, &["sections"], "The document says nothing.");
    }
}

/// A reason in words, which must be given.
pub(super) fn reason(found: &mut Violations, text: &str) -> String {
    crate::clinic::text::line(found, &["reason"], text, 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn template() -> Vec<NoteSection> {
        let section = |loinc: &str, title: &str, required| NoteSection {
            loinc: loinc.to_owned(),
            title: title.to_owned(),
            required,
            text: String::new(),
            feeds: None,
        };
        vec![section("61150-9", "Subjective", false), section("18776-5", "Plan", true)]
    }

    fn paths(found: Violations) -> Vec<String> {
        match found.check() {
            Err(Error::Violated(all)) => all.into_iter().map(|one| one.path.join(".")).collect(),
            _ => Vec::new(),
        }
    }

    fn text(code: &str, text: &str) -> SectionText {
        SectionText { code: code.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_text_goes_into_its_section_and_nowhere_else() {
        let mut sections = begun(&template());
        let mut found = Violations::default();
        fill(&mut found, &mut sections, vec![text("18776-5", "Rest\r\nand tea"), text("51848-0", "?")]);
        assert_eq!(sections.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["", "Rest\nand tea"]);
        assert_eq!(paths(found), ["sections.1.code"]);
    }

    #[test]
    fn what_the_template_requires_must_be_there() {
        let mut sections = begun(&template());
        let mut found = Violations::default();
        fill(&mut found, &mut sections, vec![text("61150-9", "Tired"), text("18776-5", " \n")]);
        complete(&mut found, &template(), &sections);
        assert_eq!(paths(found), ["sections.18776-5"]);
    }
}
