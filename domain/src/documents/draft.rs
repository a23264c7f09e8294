//! Beginning a document from a template.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    encounter::{self, EncounterStatus},
    ids::{DocumentId, EncounterId, NoteTemplateId, PatientId},
    value::DocumentBody,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect, sea_query::LockType};

use super::{
    body::{self, SectionText},
    check, templates,
};
use crate::{
    Result, Violation, ViolationCode,
    error::Violations,
    event::{Event, happened},
    patients::open_charts,
    rights,
};

/// A document to be begun.
#[derive(Debug, Clone)]
pub struct DraftDocument {
    /// Whose.
    pub patient: PatientId,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// From which template.
    pub template: NoteTemplateId,
    /// What it says already; sections that are not given start as the template has them.
    pub sections: Vec<SectionText>,
}

/// Begins a document; the actor is its author.
pub async fn draft(op: &Op<Write>, new: DraftDocument) -> Result<clinical_document::Model> {
    let template = templates::current(op, new.template).await?;
    let mut found = Violations::default();
    let mut sections = body::begun(&template.sections);
    body::fill(&mut found, &mut sections, new.sections);
    found.check()?;
    let begun = Begun {
        patient: new.patient,
        encounter: new.encounter,
        type_code: template.row.type_code,
        template: Some((template.row.template_id, template.row.version)),
        addendum_to: None,
        body: DocumentBody { sections, ..DocumentBody::default() },
    };
    let stored = begun.store(op, Permission::DOCUMENT_WRITE).await?;
    let entry = Entry::done("document.draft").on("ClinicalDocument", stored.id.0, stored.version);
    op.record(entry.of(stored.patient_id.0));
    let (document, patient, encounter) = (stored.id, stored.patient_id, stored.encounter_id);
    happened(op, Event::DocumentDrafted { document, patient, encounter }).await?;
    Ok(stored)
}

/// What every new working copy has.
pub(super) struct Begun {
    pub(super) patient: PatientId,
    pub(super) encounter: Option<EncounterId>,
    pub(super) type_code: String,
    pub(super) template: Option<(NoteTemplateId, i32)>,
    pub(super) addendum_to: Option<DocumentId>,
    pub(super) body: DocumentBody,
}

impl Begun {
    /// Stores it, if the actor may do so in this chart.
    pub(super) async fn store(
        self,
        op: &Op<Write>,
        permission: Permission,
    ) -> Result<clinical_document::Model> {
        op.require(permission)?;
        let (author, id) = (check::signer(op)?, DocumentId(op.new_id()));
        if let Some(encounter) = self.encounter {
            judge_encounter(op, encounter, self.patient).await?;
        }
        let row = Row {
            encounter: self.encounter.map(|encounter| encounter.0),
            document: self.addendum_to.map(|document| document.0),
            practitioner: op.actor().practitioner,
            ..Row::of(id.0)
        };
        rights::require(op, permission, Permission::PATIENT_READ, self.patient, &row, "patientId").await?;
        let charts = open_charts(op, &[self.patient]).await?;
        let key = charts.get(&self.patient).ok_or(Failure::KeyUnavailable)?;
        let draft = op.seal(key, &op.place("clinical_document", id.0, self.patient.0), &self.body)?;
        let row = clinical_document::ActiveModel {
            id: Set(id),
            patient_id: Set(self.patient),
            encounter_id: Set(self.encounter),
            type_code: Set(self.type_code),
            template_id: Set(self.template.map(|(id, _)| id)),
            template_version: Set(self.template.map(|(_, version)| version)),
            status: Set(DocumentStatus::Draft),
            author_id: Set(Some(author)),
            practitioner_id: Set(op.actor().practitioner),
            addendum_to: Set(self.addendum_to),
            draft: Set(Some(draft)),
            ..Default::default()
        };
        Ok(clinical_document::Entity::insert(row).exec_with_returning(op.db()).await?)
    }
}

/// Refuses an encounter of somebody else, and one that never took place. It stays open until the operation ends: while
/// somebody closes it, no document is begun in it.
async fn judge_encounter(op: &Op<Write>, id: EncounterId, patient: PatientId) -> Result<()> {
    let found = encounter::Entity::find_by_id(id).lock(LockType::Share).one(op.db()).await?;
    let encounter = found.filter(|found| found.patient_id == patient);
    let Some(encounter) = encounter else { return Err(Violation::unknown("encounterId").into()) };
    if encounter.status == EncounterStatus::Cancelled {
        let message = "This encounter was cancelled.";
        return Err(Violation::at(ViolationCode::Locked, &["encounterId"], message).into());
    }
    Ok(())
}
