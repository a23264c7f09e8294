//! Putting a patient's registration right.

use praxis_entity::{
    ids::PatientId,
    patient::{self, AdministrativeSex, PatientStatus},
    value::{Address, ContactPoint, ContactSystem, HumanName, Identifier, PartialDate},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged, EntityTrait, QuerySelect, sea_query::LockType};

use super::{
    record::{Record, set_preferred},
    rules::Rules,
    token,
};
use crate::{Detail, Result, Violation, ViolationCode, rights};

/// What to change; `None` leaves as it is, `Some(None)` clears.
#[derive(Debug, Clone, Default)]
pub struct AmendPatient {
    /// In place of the first name.
    pub name: Option<HumanName>,
    /// Birth date.
    pub birth_date: Option<PartialDate>,
    /// Sex for administration.
    pub administrative_sex: Option<AdministrativeSex>,
    /// The preferred e-mail address.
    pub email: Option<Option<String>>,
    /// The preferred telephone number.
    pub phone: Option<Option<String>>,
    /// The national number.
    pub national_id: Option<Option<String>>,
    /// In place of all addresses.
    pub addresses: Option<Vec<Address>>,
    /// In place of all contact points; `email` and `phone` are applied afterwards.
    pub contact_points: Option<Vec<ContactPoint>>,
    /// In place of all other identifiers.
    pub identifiers: Option<Vec<Identifier>>,
}

/// Changes the registration of a patient.
pub async fn amend(
    op: &Op<Write>,
    id: PatientId,
    if_version: i32,
    change: AmendPatient,
) -> Result<patient::Model> {
    op.require(Permission::PATIENT_UPDATE)?;
    let patient = for_change(op, Permission::PATIENT_UPDATE, id, if_version).await?;
    still_open(patient.status, "id")?;
    let key = op.data_key(id.0).await?;
    let before = Record::open(op, &key, &patient).await?;
    let mut after = before.clone();
    let mut row = patient::ActiveModel { id: Unchanged(id), ..Default::default() };
    if let Some(sex) = change.administrative_sex.filter(|sex| *sex != patient.administrative_sex) {
        row.administrative_sex = Set(sex);
    }
    change.apply(&mut after, Rules::entered(op))?;
    let classes = after.seal_changes(op, &key, Some(&before), &mut row, id)?;
    let reindexed = after != before;
    if !reindexed && row.administrative_sex.is_not_set() {
        op.record(Entry::done("patient.amend").on("Patient", id.0, patient.version).of(id.0));
        return Ok(patient);
    }
    let patient = patient::Entity::update(row).exec(op.db()).await?;
    let entry = Entry::done("patient.amend").on("Patient", id.0, patient.version).of(id.0);
    let (was, is) = (before.of_classes(&classes)?, after.of_classes(&classes)?);
    op.record(op.changed(Entry { classes, ..entry }, (id.0, &*key), &was, &is)?);
    if reindexed {
        token::replace_tokens(op, id, token::tokens_of(&*op.tenant_key().await?, &after)).await?;
    }
    Ok(patient)
}

impl AmendPatient {
    /// Checks only what is new: what was imported as it came must not stand in the way.
    fn apply(self, record: &mut Record, mut rules: Rules) -> Result<()> {
        if let Some(mut name) = self.name {
            rules.name(&["name"], &mut name);
            match record.identity.names.first_mut() {
                // The kind of name is no part of the input.
                Some(first) => {
                    *first = HumanName { usage: name.usage.or_else(|| first.usage.take()), ..name }
                }
                None => record.identity.names.push(name),
            }
        }
        if let Some(date) = self.birth_date {
            rules.birth_date(&["birthDate"], date);
            record.identity.birth_date = date;
            if let Some(died) = &record.identity.deceased {
                rules.death(&["birthDate"], died, date);
            }
        }
        if let Some(mut points) = self.contact_points {
            rules.contact_points(&mut points);
            record.contact.points = points;
        }
        for (system, path, value) in
            [(ContactSystem::Email, "email", self.email), (ContactSystem::Phone, "phone", self.phone)]
        {
            let Some(value) = value else { continue };
            let value = value.filter(|value| !value.trim().is_empty()).map(|value| {
                let mut point = ContactPoint { system, value, usage: None, preferred: true };
                rules.contact_point(&[path], &mut point);
                point.value
            });
            set_preferred(&mut record.contact, system, value);
        }
        if let Some(mut addresses) = self.addresses {
            rules.addresses(&mut addresses);
            record.contact.addresses = addresses;
        }
        if let Some(mut number) = self.national_id {
            rules.national_id(&mut number);
            record.identifiers.national_id = number;
        }
        if let Some(mut identifiers) = self.identifiers {
            rules.identifiers(&mut identifiers);
            record.identifiers.others = identifiers;
        }
        rules.found.check()
    }
}

/// The row, locked, if it is at the version that the person saw and may still change.
pub(super) async fn for_change(
    op: &Op<Write>,
    permission: Permission,
    id: PatientId,
    if_version: i32,
) -> Result<patient::Model> {
    let found = patient::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let patient = found.ok_or_else(|| Violation::unknown("id"))?;
    may_change(op, permission, id, "id").await?;
    if patient.version != if_version {
        return Err(Violation::at(
            ViolationCode::VersionConflict,
            &["ifVersion"],
            "Somebody else changed this patient meanwhile.",
        )
        .with(Detail::Version { current: patient.version })
        .into());
    }
    Ok(patient)
}

/// Refuses unless the actor may do this with the patient's record.
pub(super) async fn may_change(
    op: &Op<Write>,
    permission: Permission,
    patient: PatientId,
    path: &str,
) -> Result<()> {
    rights::require(op, permission, Permission::PATIENT_READ, patient, &Row::of(patient.0), path).await
}

/// Refuses where a record changes no more.
pub(super) fn still_open(status: PatientStatus, path: &str) -> Result<()> {
    match status {
        PatientStatus::Active | PatientStatus::Inactive | PatientStatus::Deceased => Ok(()),
        PatientStatus::Merged => {
            Err(Violation::at(ViolationCode::Locked, &[path], "This record is continued in another one.")
                .into())
        }
        PatientStatus::Erased => {
            Err(Violation::at(ViolationCode::Locked, &[path], "This record was erased.").into())
        }
    }
}

/// Writes the changed row, and writes down who did so and which classes changed.
pub(super) async fn update(
    op: &Op<Write>,
    row: patient::ActiveModel,
    action: &'static str,
    classes: Vec<String>,
) -> Result<patient::Model> {
    let patient = patient::Entity::update(row).exec(op.db()).await?;
    let entry = Entry::done(action).on("Patient", patient.id.0, patient.version).of(patient.id.0);
    op.record(Entry { classes, ..entry });
    Ok(patient)
}
