//! Adding a template, and changing one.

use std::collections::HashSet;

use praxis_entity::{ids::NoteTemplateId, note_template};
use praxis_platform::{
    Failure, Op, Write,
    access::Permission,
    audit::Entry,
    template::{NoteSection, is_loinc},
};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged, EntityTrait, QuerySelect, sea_query::LockType};

use crate::{Detail, Result, Violation, ViolationCode, clinic::text::line, error::Violations};

/// What a template says.
#[derive(Debug, Clone)]
pub struct SetTemplate {
    /// Name shown when a document is begun.
    pub title: String,
    /// LOINC document type.
    pub type_code: String,
    /// Whether one who may not cosign needs somebody who does.
    pub needs_cosign: bool,
    /// The sections, in order.
    pub sections: Vec<NoteSection>,
}

impl SetTemplate {
    /// The whole of it, if it is sound.
    fn checked(self) -> Result<Self> {
        let mut found = Violations::default();
        let title = line(&mut found, &["title"], &self.title, 80);
        if !is_loinc(&self.type_code) {
            found.add(ViolationCode::Invalid, &["type"], "This is not a LOINC code.");
        }
        if !(1..=40).contains(&self.sections.len()) {
            found.add(ViolationCode::OutOfRange, &["sections"], "A template has 1 to 40 sections.");
        }
        let (mut seen, mut fed) = (HashSet::new(), HashSet::new());
        let mut sections = Vec::with_capacity(self.sections.len());
        for (index, section) in self.sections.into_iter().enumerate() {
            let at = index.to_string();
            if !is_loinc(&section.loinc) {
                found.add(ViolationCode::Invalid, &["sections", &at, "code"], "This is not a LOINC code.");
            } else if !seen.insert(section.loinc.clone()) {
                let message = "There is such a section already.";
                found.add(ViolationCode::AlreadyExists, &["sections", &at, "code"], message);
            }
            if section.feeds.is_some_and(|feeds| !fed.insert(feeds)) {
                let message = "Another section feeds the same.";
                found.add(ViolationCode::AlreadyExists, &["sections", &at, "feeds"], message);
            }
            if section.text.chars().count() > 10_000 {
                let message = "The text is longer than 10000 characters.";
                found.add(ViolationCode::TooLong, &["sections", &at, "text"], message);
            }
            let title = line(&mut found, &["sections", &at, "title"], &section.title, 80);
            sections.push(NoteSection { title, ..section });
        }
        found.check()?;
        Ok(Self { title, sections, ..self })
    }

    fn body(&self) -> std::result::Result<String, Failure> {
        serde_json::to_string(&self.sections).map_err(|error| Failure::Internal(error.to_string()))
    }
}

/// Adds a template.
pub async fn add(op: &Op<Write>, new: SetTemplate) -> Result<note_template::Model> {
    op.require(Permission::DOCUMENT_TEMPLATE_MANAGE)?;
    let new = new.checked()?;
    let row = note_template::ActiveModel {
        id: Set(NoteTemplateId(op.new_id())),
        body: Set(new.body()?),
        title: Set(new.title),
        type_code: Set(new.type_code),
        needs_cosign: Set(new.needs_cosign),
        customised: Set(true),
        ..Default::default()
    };
    let added = note_template::Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(Entry::done("document-template.add").on("DocumentTemplate", added.id.0, added.version));
    Ok(added)
}

/// Changes a template: another version, for the documents that are begun from now on.
pub async fn change(
    op: &Op<Write>,
    id: NoteTemplateId,
    if_version: i32,
    to: SetTemplate,
) -> Result<note_template::Model> {
    let stored = for_change(op, id, if_version).await?;
    let to = to.checked()?;
    let row = note_template::ActiveModel {
        id: Unchanged(stored.id),
        body: Set(to.body()?),
        title: Set(to.title),
        type_code: Set(to.type_code),
        needs_cosign: Set(to.needs_cosign),
        customised: Set(true),
        ..Default::default()
    };
    let changed = note_template::Entity::update(row).exec(op.db()).await?;
    op.record(Entry::done("document-template.change").on("DocumentTemplate", id.0, changed.version));
    Ok(changed)
}

/// The template, locked, at the version that the person saw.
pub(super) async fn for_change(
    op: &Op<Write>,
    id: NoteTemplateId,
    if_version: i32,
) -> Result<note_template::Model> {
    op.require(Permission::DOCUMENT_TEMPLATE_MANAGE)?;
    let found = note_template::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.filter(|found| !found.retired).ok_or_else(|| Violation::unknown("id"))?;
    if found.version == if_version {
        return Ok(found);
    }
    let message = "Somebody else changed this template meanwhile.";
    let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
    Err(violation.with(Detail::Version { current: found.version }).into())
}
