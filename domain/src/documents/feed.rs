//! Sections that become the assessment and the plan of a visit, where their template says so.
//!
//! They do once the document counts: when it is signed, cosigned or amended, in that very transaction, so that whoever
//! signs can close the visit next.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    document_version,
    encounter_note::EncounterNoteKind,
    value::DocumentSection,
};
use praxis_platform::{
    Op, Write,
    template::{Feeds, NoteSection},
};

use crate::{Result, encounters};

/// What sections say of a visit; what was left empty says nothing.
pub(super) fn said(
    template: &[NoteSection],
    sections: &[DocumentSection],
) -> Vec<(EncounterNoteKind, String)> {
    let text_of = |code: &str| sections.iter().find(|section| section.code == code);
    let said = |section: &NoteSection| {
        let kind = match section.feeds? {
            Feeds::Assessment => EncounterNoteKind::Assessment,
            Feeds::Plan => EncounterNoteKind::Plan,
        };
        let text = text_of(&section.loinc)?.text.trim().to_owned();
        (!text.is_empty()).then_some((kind, text))
    };
    template.iter().filter_map(said).collect()
}

/// Tells the visit what a version of its document says, if the document counts.
pub(super) async fn tell(
    op: &Op<Write>,
    document: &clinical_document::Model,
    version: &document_version::Model,
    said: Vec<(EncounterNoteKind, String)>,
) -> Result<()> {
    let counts = matches!(document.status, DocumentStatus::Signed | DocumentStatus::Amended);
    let Some(encounter) = document.encounter_id.filter(|_| counts && !said.is_empty()) else { return Ok(()) };
    let source = encounters::Source {
        document: document.id,
        version: version.version,
        author: document.practitioner_id,
    };
    encounters::hear(op, encounter, source, said).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_filled_in_and_meant_for_it_is_said() {
        let wanted = |loinc: &str, feeds| NoteSection {
            loinc: loinc.to_owned(),
            title: String::new(),
            required: false,
            text: String::new(),
            feeds,
        };
        let template = [
            wanted("61150-9", None),
            wanted("51848-0", Some(Feeds::Assessment)),
            wanted("18776-5", Some(Feeds::Plan)),
        ];
        let written = |code: &str, text: &str| DocumentSection {
            code: code.to_owned(),
            title: String::new(),
            text: text.to_owned(),
        };
        let sections =
            [written("61150-9", "Cough"), written("51848-0", " \n"), written("18776-5", " Rest\n")];
        assert_eq!(said(&template, &sections), [(EncounterNoteKind::Plan, "Rest".to_owned())]);
    }
}
