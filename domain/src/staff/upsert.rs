//! Taking in a clinician from outside: found by any identifier, else made.

use std::collections::BTreeSet;

use praxis_entity::{ids::PractitionerId, practitioner};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{
    RegisterPractitioner, identifier,
    register::{content, specialty_of},
};
use crate::{Result, Violation, ViolationCode, error::Violations};

/// Makes the clinician or brings names and specialty up to date; `true` when they were made.
///
/// The source's numbers are taken as they are, and a specialty that is unknown here is left out.
/// Whether somebody is bookable is the clinic's own decision: it is taken over only when they are
/// made. Nothing is written, nor recorded, when all is as it was.
pub async fn upsert_practitioner(
    op: &Op<Write>,
    given: RegisterPractitioner,
) -> Result<(practitioner::Model, bool)> {
    op.require(Permission::DATA_IMPORT)?;
    let mut found = Violations::default();
    let mut content = content(&mut found, &given);
    if given.identifiers.is_empty() {
        found.add(
            ViolationCode::Required,
            &["identifiers"],
            "A practitioner from outside needs an identifier.",
        );
    }
    found.check()?;
    let specialty = match given.specialty.as_deref() {
        Some(code) => specialty_of(op, code).await?,
        None => None,
    };
    if specialty.is_some() {
        content.specialty_id = Set(specialty);
    }

    let known = identifier::stored(op, &given.identifiers).await?;
    let owners: BTreeSet<PractitionerId> = known.iter().map(|row| row.practitioner_id).collect();
    if owners.len() > 1 {
        return Err(Violation::at(
            ViolationCode::Invalid,
            &["identifiers"],
            "These belong to different people.",
        )
        .into());
    }
    let stored = match owners.first() {
        Some(id) => practitioner::Entity::find_by_id(*id).one(op.db()).await?,
        None => None,
    };
    let same = stored.as_ref().is_some_and(|stored| {
        content.family.as_ref() == &stored.family
            && content.given.as_ref() == &stored.given
            && content.prefix.as_ref() == &stored.prefix
            && (specialty.is_none() || specialty == stored.specialty_id)
    });
    let (model, created) = match stored {
        Some(stored) if same => (stored, false),
        Some(stored) => (update(op, stored.id, content).await?, false),
        None => {
            let row = practitioner::ActiveModel {
                id: Set(PractitionerId(op.new_id())),
                bookable: Set(given.bookable),
                ..content
            };
            (practitioner::Entity::insert(row).exec_with_returning(op.db()).await?, true)
        }
    };
    let is_new = |(system, value): &&(String, String)| {
        !known.iter().any(|row| row.system == *system && row.value == *value)
    };
    let Some(added) =
        identifier::add(op, model.id, given.identifiers.iter().filter(is_new).collect()).await?
    else {
        // Another import took one of them meanwhile; a retry finds its owner.
        return Err(Violation::at(
            ViolationCode::AlreadyExists,
            &["identifiers"],
            "Another import took this in just now.",
        )
        .into());
    };
    if !same || added > 0 {
        let action = if created { "practitioner.add" } else { "practitioner.update" };
        op.record(Entry::done(action).on("Practitioner", model.id.0, model.version));
    }
    Ok((model, created))
}

async fn update(
    op: &Op<Write>,
    id: PractitionerId,
    content: practitioner::ActiveModel,
) -> Result<practitioner::Model> {
    let update = practitioner::Entity::update_many().set(content).filter(practitioner::Column::Id.eq(id));
    update.exec_with_returning(op.db()).await?.pop().ok_or_else(|| Failure::NotFound.into())
}
