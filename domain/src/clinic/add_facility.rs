//! Adding a branch.

use praxis_entity::{facility, ids::FacilityId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::text;
use crate::{Result, Violation, ViolationCode, error::Violations};

/// A new branch.
#[derive(Debug, Clone)]
pub struct AddFacility {
    /// Short code, unique in the clinic: letters, digits, hyphens.
    pub code: String,
    /// Name.
    pub name: String,
    /// IANA zone of its wall clock.
    pub time_zone: String,
    /// Telephone.
    pub phone: Option<String>,
    /// Postal address, line by line.
    pub address_lines: Vec<String>,
}

/// Adds a branch.
pub async fn add_facility(op: &Op<Write>, new: AddFacility) -> Result<facility::Model> {
    op.actor().require_everywhere(Permission::FACILITY_MANAGE)?;
    let mut found = Violations::default();
    let code = text::line(&mut found, &["code"], &new.code, 20);
    if !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        found.add(
            ViolationCode::Invalid,
            &["code"],
            "A code consists of letters, digits, hyphens and underscores.",
        );
    }
    let name = text::line(&mut found, &["name"], &new.name, 200);
    if new.time_zone.parse::<chrono_tz::Tz>().is_err() {
        found.add(ViolationCode::Invalid, &["timeZone"], "This is not a time zone of the IANA database.");
    }
    let phone = text::optional_line(&mut found, &["phone"], new.phone.as_deref(), 40);
    let address_lines = text::lines(&mut found, "addressLines", &new.address_lines, 8, 200);
    found.check()?;

    let row = facility::ActiveModel {
        id: Set(FacilityId(op.new_id())),
        code: Set(code),
        name: Set(name),
        time_zone: Set(new.time_zone),
        phone: Set(phone),
        address_lines: Set(address_lines),
        ..Default::default()
    };
    let added = facility::Entity::insert_many([row])
        .on_conflict(OnConflict::column(facility::Column::Code).do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(ViolationCode::AlreadyExists, &["code"], "Another branch has this code.")
        })?;
    op.record(Entry::done("facility.add").on("Facility", added.id.0, added.version));
    Ok(added)
}
