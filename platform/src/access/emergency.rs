//! Emergency access, as the evaluator sees it.
//!
//! It is asked of the database with every request of somebody who may declare it, never remembered:
//! what was declared counts at once on every server, and what has ended counts nowhere.

use chrono::{DateTime, Utc};
use praxis_entity::ids::{BreakGlassId, PatientId, UserId};
use sea_orm::{DbBackend, FromQueryResult, Statement};
use serde::Deserialize;
use uuid::Uuid;

use super::{Override, Permission as P, PermissionSet, class::CLINICAL};
use crate::{Failure, tenancy::TenantDb};

/// All that an emergency can open: to read, nothing else.
pub const OPENABLE: PermissionSet = opened("IDENTITY")
    .union(opened("CONTACT"))
    .union(opened("IDENTIFIERS"))
    .union(opened("VISITS"))
    .union(opened("CLINICAL"));

/// What a class opens: to read it, and the way to it.
const fn opened(class: &str) -> PermissionSet {
    let there = PermissionSet::of(&[P::PATIENT_READ]);
    let class = match class.as_bytes() {
        b"IDENTITY" => PermissionSet::of(&[P::PATIENT_NAME_READ, P::PATIENT_DEMOGRAPHICS_READ]),
        b"CONTACT" => PermissionSet::of(&[P::PATIENT_CONTACT_READ]),
        b"IDENTIFIERS" => PermissionSet::of(&[P::PATIENT_IDENTIFIERS_READ]),
        b"VISITS" => PermissionSet::of(&[P::APPOINTMENT_READ, P::APPOINTMENT_REASON_READ, P::ENCOUNTER_READ]),
        b"CLINICAL" => CLINICAL.union(PermissionSet::of(&[P::ENCOUNTER_READ, P::DOCUMENT_READ])),
        _ => return PermissionSet::NONE,
    };
    there.union(class)
}

/// What is open to a user now: by the database's own time and by the service's.
pub async fn load_overrides(
    db: &TenantDb,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Override>, Failure> {
    let find = "SELECT id, patient_id, classes, expires_at FROM break_glass_open WHERE user_id = $1 AND expires_at > $2";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, find, [user.0.into(), now.into()]);
    Ok(Open::find_by_statement(statement).all(db).await?.into_iter().map(over).collect())
}

/// An emergency access that is open.
#[derive(FromQueryResult, Deserialize)]
pub(super) struct Open {
    id: Uuid,
    patient_id: Uuid,
    classes: Vec<String>,
    expires_at: DateTime<Utc>,
}

pub(super) fn over(open: Open) -> Override {
    let sets = open.classes.iter().map(|class| opened(class));
    Override {
        id: BreakGlassId(open.id),
        patient: PatientId(open.patient_id),
        permissions: sets.fold(PermissionSet::NONE, PermissionSet::union),
        expires_at: open.expires_at,
    }
}
