//! Who stands by a patient: next of kin, guardians, whom to call.

use std::collections::HashMap;

use praxis_entity::{
    ids::{PatientId, RelatedPersonId},
    patient, related_person,
    value::{CodeableConcept, ContactPoint, HumanName, RelatedPersonDetails},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Table},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::Set, ActiveValue::Unchanged, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};

use super::{
    amend::{may_change, still_open},
    rules::Rules,
};
use crate::{Detail, Result, Violation, ViolationCode, page::any_of, rows::under};

/// A person to be noted beside a patient.
#[derive(Debug, Clone)]
pub struct AddRelatedPerson {
    /// v3-RoleCode or v2-0131 code of the relation.
    pub relationship: CodeableConcept,
    /// Name.
    pub name: HumanName,
    /// Phones and e-mail addresses.
    pub points: Vec<ContactPoint>,
    /// True for the legal guardian.
    pub guardian: bool,
    /// True for whom to call.
    pub emergency_contact: bool,
}

/// Notes a person beside a patient.
pub async fn add_related_person(
    op: &Op<Write>,
    patient: PatientId,
    new: AddRelatedPerson,
) -> Result<related_person::Model> {
    op.require(Permission::PATIENT_UPDATE)?;
    let mut details =
        RelatedPersonDetails { relationship: new.relationship, name: new.name, points: new.points };
    let mut rules = Rules::entered(op);
    rules.concept(&["relationship"], &mut details.relationship);
    rules.name(&["name"], &mut details.name);
    rules.contact_points(&mut details.points);
    rules.found.check()?;
    let found = patient::Entity::find_by_id(patient).lock(LockType::Share).one(op.db()).await?;
    let found = found.ok_or_else(|| Violation::unknown("patientId"))?;
    may_change(op, Permission::PATIENT_UPDATE, patient, "patientId").await?;
    still_open(found.status, "patientId")?;
    let id = RelatedPersonId(op.new_id());
    let key = op.data_key(patient.0).await?;
    let row = related_person::ActiveModel {
        id: Set(id),
        patient_id: Set(patient),
        active: Set(true),
        guardian: Set(new.guardian),
        emergency_contact: Set(new.emergency_contact),
        details: Set(op.seal(&key, &op.place("related_person", id.0, patient.0), &details)?),
        ..Default::default()
    };
    let row = related_person::Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(Entry::done("related-person.add").on("RelatedPerson", id.0, row.version).of(patient.0));
    Ok(row)
}

/// Notes that a person stands by the patient no more.
pub async fn end_related_person(
    op: &Op<Write>,
    id: RelatedPersonId,
    if_version: i32,
) -> Result<related_person::Model> {
    op.require(Permission::PATIENT_UPDATE)?;
    let found = related_person::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or_else(|| Violation::unknown("id"))?;
    may_change(op, Permission::PATIENT_UPDATE, found.patient_id, "id").await?;
    if found.version != if_version {
        return Err(Violation::at(
            ViolationCode::VersionConflict,
            &["ifVersion"],
            "Somebody else changed this person meanwhile.",
        )
        .with(Detail::Version { current: found.version })
        .into());
    }
    if !found.active {
        return Err(
            Violation::at(ViolationCode::InvalidTransition, &["id"], "This was ended already.").into()
        );
    }
    let row = related_person::ActiveModel { id: Unchanged(id), active: Set(false), ..Default::default() };
    let row = related_person::Entity::update(row).exec(op.db()).await?;
    op.record(Entry::done("related-person.end").on("RelatedPerson", id.0, row.version).of(row.patient_id.0));
    Ok(row)
}

/// The persons beside each patient, ended ones too, in the order they were noted.
pub async fn related_persons_of<M>(
    op: &Op<M>,
    patients: &[PatientId],
) -> Result<HashMap<PatientId, Vec<related_person::Model>>> {
    op.require(Permission::PATIENT_READ)?;
    let rows = related_person::Entity::find()
        .filter(any_of(related_person::Column::PatientId, patients.iter().map(|id| id.0).collect()))
        .filter(op.permitted(Permission::PATIENT_READ, Table::RelatedPerson))
        .order_by_asc(related_person::Column::Id)
        .all(op.db())
        .await?;
    Ok(under(patients, rows, |row| row.patient_id))
}

/// Persons around patients by their ids; unknown ones are absent.
pub async fn related_persons_by_ids<M>(
    op: &Op<M>,
    ids: &[RelatedPersonId],
) -> Result<Vec<related_person::Model>> {
    op.require(Permission::PATIENT_READ)?;
    let ids = any_of(related_person::Column::Id, ids.iter().map(|id| id.0).collect());
    let seen = op.permitted(Permission::PATIENT_READ, Table::RelatedPerson);
    Ok(related_person::Entity::find().filter(ids).filter(seen).all(op.db()).await?)
}
