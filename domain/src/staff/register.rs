//! Registering a clinician.

use praxis_entity::{
    ids::{PractitionerId, SpecialtyId},
    practitioner, specialty,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{
    identifier,
    npi::{NPI_SYSTEM, is_npi},
};
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations};

/// A clinician to register.
#[derive(Debug, Clone)]
pub struct RegisterPractitioner {
    /// Family name.
    pub family: String,
    /// Given names.
    pub given: Vec<String>,
    /// Title.
    pub prefix: Option<String>,
    /// Code of the specialty.
    pub specialty: Option<String>,
    /// Naming system and number.
    pub identifiers: Vec<(String, String)>,
    /// True when patients can be booked with them.
    pub bookable: bool,
}

/// Registers a clinician.
pub async fn register_practitioner(op: &Op<Write>, new: RegisterPractitioner) -> Result<practitioner::Model> {
    op.require(Permission::STAFF_MANAGE)?;
    let mut found = Violations::default();
    let content = content(&mut found, &new);
    for (index, (system, value)) in new.identifiers.iter().enumerate() {
        if system == NPI_SYSTEM && !is_npi(value) {
            found.add(
                ViolationCode::Invalid,
                &["identifiers", &index.to_string(), "value"],
                "This is not a valid NPI.",
            );
        }
    }
    let specialty = match new.specialty.as_deref() {
        Some(code) => specialty_of(op, code).await?.map(Some).unwrap_or_else(|| {
            found.add(ViolationCode::NotFound, &["specialty"], "There is no such specialty.");
            None
        }),
        None => None,
    };
    found.check()?;

    let row = practitioner::ActiveModel {
        id: Set(PractitionerId(op.new_id())),
        specialty_id: Set(specialty),
        bookable: Set(new.bookable),
        ..content
    };
    let registered = practitioner::Entity::insert(row).exec_with_returning(op.db()).await?;
    if identifier::add(op, registered.id, new.identifiers.iter().collect()).await?.is_none() {
        return Err(Violation::at(
            ViolationCode::AlreadyExists,
            &["identifiers"],
            "Somebody else has this number.",
        )
        .into());
    }
    op.record(Entry::done("practitioner.register").on("Practitioner", registered.id.0, registered.version));
    Ok(registered)
}

/// The names, judged; and whether the identifiers are well-formed.
pub(super) fn content(found: &mut Violations, given: &RegisterPractitioner) -> practitioner::ActiveModel {
    if given.identifiers.len() > 20 {
        found.add(ViolationCode::TooLong, &["identifiers"], "There are more than 20 identifiers.");
    }
    for (index, (system, value)) in given.identifiers.iter().enumerate() {
        let index = index.to_string();
        text::line(found, &["identifiers", &index, "system"], system, 300);
        text::line(found, &["identifiers", &index, "value"], value, 200);
    }
    practitioner::ActiveModel {
        family: Set(text::line(found, &["family"], &given.family, 100)),
        given: Set(text::lines(found, "given", &given.given, 8, 100)),
        prefix: Set(text::optional_line(found, &["prefix"], given.prefix.as_deref(), 40)),
        ..Default::default()
    }
}

/// The specialty in use with this code.
pub(super) async fn specialty_of(op: &Op<Write>, code: &str) -> Result<Option<SpecialtyId>> {
    let found = specialty::Entity::find()
        .filter(specialty::Column::Code.eq(code))
        .filter(specialty::Column::Retired.eq(false))
        .one(op.db())
        .await?;
    Ok(found.map(|specialty| specialty.id))
}
