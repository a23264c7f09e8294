//! Taking in an organisation from outside: found by any of its identifiers, else made.

use std::collections::BTreeSet;

use praxis_entity::{ids::OrganizationId, organization, organization_identifier};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::text;
use crate::{Result, Violation, ViolationCode, error::Violations};

/// An organisation as its source describes it.
#[derive(Debug, Clone)]
pub struct UpsertOrganization {
    /// Naming system and number, at least one.
    pub identifiers: Vec<(String, String)>,
    /// Name.
    pub name: String,
    /// Kind, as its source names it.
    pub kind: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Postal address, line by line.
    pub address_lines: Vec<String>,
}

/// Makes the organisation or brings it up to date; `true` when it was made. Nothing is written, nor
/// recorded, when all is as it was.
pub async fn upsert_organization(
    op: &Op<Write>,
    given: UpsertOrganization,
) -> Result<(organization::Model, bool)> {
    op.require(Permission::DATA_IMPORT)?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], &given.name, 300);
    let kind = text::optional_line(&mut found, &["kind"], given.kind.as_deref(), 200);
    let phone = text::optional_line(&mut found, &["phone"], given.phone.as_deref(), 60);
    let address_lines = text::lines(&mut found, "addressLines", &given.address_lines, 20, 300);
    if given.identifiers.is_empty() {
        found.add(
            ViolationCode::Required,
            &["identifiers"],
            "An organisation from outside needs an identifier.",
        );
    }
    found.check()?;

    let known = identifiers(op, &given.identifiers).await?;
    let owners: BTreeSet<OrganizationId> = known.iter().map(|row| row.organization_id).collect();
    if owners.len() > 1 {
        return Err(Violation::at(
            ViolationCode::Invalid,
            &["identifiers"],
            "These belong to different organisations.",
        )
        .into());
    }
    let stored = match owners.first() {
        Some(id) => organization::Entity::find_by_id(*id).one(op.db()).await?,
        None => None,
    };
    let same = stored.as_ref().is_some_and(|stored| {
        stored.name == name
            && stored.kind == kind
            && stored.phone == phone
            && stored.address_lines == address_lines
    });
    let content = organization::ActiveModel {
        name: Set(name),
        kind: Set(kind),
        phone: Set(phone),
        address_lines: Set(address_lines),
        ..Default::default()
    };
    let (model, created) = match stored {
        Some(stored) if same => (stored, false),
        Some(stored) => (update(op, stored.id, content).await?, false),
        None => {
            let row = organization::ActiveModel { id: Set(OrganizationId(op.new_id())), ..content };
            (organization::Entity::insert(row).exec_with_returning(op.db()).await?, true)
        }
    };
    let added = add_identifiers(op, model.id, &given.identifiers, &known).await?;
    if !same || added {
        let action = if created { "organization.add" } else { "organization.update" };
        op.record(Entry::done(action).on("Organization", model.id.0, model.version));
    }
    Ok((model, created))
}

async fn identifiers(
    op: &Op<Write>,
    given: &[(String, String)],
) -> Result<Vec<organization_identifier::Model>> {
    let (systems, values): (Vec<String>, Vec<String>) = given.iter().cloned().unzip();
    let pairs = Expr::cust_with_values(
        "(system, value) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
        [systems, values],
    );
    Ok(organization_identifier::Entity::find().filter(pairs).all(op.db()).await?)
}

async fn update(
    op: &Op<Write>,
    id: OrganizationId,
    content: organization::ActiveModel,
) -> Result<organization::Model> {
    let update = organization::Entity::update_many().set(content).filter(organization::Column::Id.eq(id));
    update.exec_with_returning(op.db()).await?.pop().ok_or_else(|| Failure::NotFound.into())
}

/// Adds the identifiers that are not stored yet; `true` when there were any.
async fn add_identifiers(
    op: &Op<Write>,
    owner: OrganizationId,
    given: &[(String, String)],
    known: &[organization_identifier::Model],
) -> Result<bool> {
    let stored =
        |system: &str, value: &str| known.iter().any(|row| row.system == system && row.value == value);
    let new: BTreeSet<&(String, String)> =
        given.iter().filter(|(system, value)| !stored(system, value)).collect();
    let rows = new.iter().map(|(system, value)| organization_identifier::ActiveModel {
        system: Set(system.clone()),
        value: Set(value.clone()),
        organization_id: Set(owner),
    });
    let inserted = organization_identifier::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    if usize::try_from(inserted).is_ok_and(|inserted| inserted == new.len()) {
        return Ok(inserted > 0);
    }
    // Another import took one of them meanwhile; a retry finds its organisation.
    Err(Violation::at(
        ViolationCode::AlreadyExists,
        &["identifiers"],
        "Another import took this in just now.",
    )
    .into())
}
