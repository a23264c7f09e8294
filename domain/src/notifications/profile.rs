//! How a user or a patient is spoken to: language, zone, and the hours in which they are left in peace.

use std::collections::HashMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use praxis_entity::{
    ids::PatientId,
    notification_profile::{ActiveModel, Column, Entity, Model},
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait, QueryFilter,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Result, ViolationCode, clinic::text, error::Violations, page::any_of, rights};

/// How somebody is spoken to; what is absent is the clinic's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// From when until when they are left in peace.
    pub quiet: Option<(NaiveTime, NaiveTime)>,
}

impl From<Model> for Profile {
    fn from(row: Model) -> Self {
        let quiet = row.quiet_from.zip(row.quiet_until);
        Self { locale: row.locale, time_zone: row.time_zone, quiet }
    }
}

/// A profile to be set as a whole.
#[derive(Debug, Clone)]
pub struct SetProfile {
    /// Whose; the actor's own when absent.
    pub patient: Option<PatientId>,
    /// What it is to be.
    pub profile: Profile,
}

/// Sets how the actor, or a patient, is spoken to.
pub async fn set_profile(op: &Op<Write>, new: SetProfile) -> Result<Profile> {
    let recipient = match new.patient {
        Some(id) => {
            let (update, seen) = (Permission::PATIENT_UPDATE, Permission::PATIENT_READ);
            rights::require(op, update, seen, id, &Row::of(id.0), "patientId").await?;
            id.0
        }
        None => op.actor().user.ok_or(Failure::Unauthenticated)?.0,
    };
    let mut found = Violations::default();
    let locale = text::optional_line(&mut found, &["locale"], new.profile.locale.as_deref(), 35);
    let zone = new.profile.time_zone.filter(|zone| !zone.is_empty());
    if zone.as_deref().is_some_and(|zone| zone.parse::<Tz>().is_err()) {
        found.add(ViolationCode::Invalid, &["timeZone"], "This is not an IANA time zone.");
    }
    if new.profile.quiet.is_some_and(|(from, until)| from == until) {
        found.add(ViolationCode::Invalid, &["quietUntil"], "Quiet hours have to end.");
    }
    found.check()?;
    let (from, until) = new.profile.quiet.unzip();
    let row = ActiveModel {
        recipient_id: Set(recipient),
        version: NotSet,
        created_at: NotSet,
        updated_at: NotSet,
        locale: Set(locale),
        time_zone: Set(zone),
        quiet_from: Set(from),
        quiet_until: Set(until),
    };
    let replace = OnConflict::column(Column::RecipientId)
        .update_columns([Column::Locale, Column::TimeZone, Column::QuietFrom, Column::QuietUntil])
        .to_owned();
    let stored = Entity::insert(row).on_conflict(replace).exec_with_returning(op.db()).await?;
    let entry = Entry::done("notification-profile.set").on("NotificationProfile", recipient, stored.version);
    op.record(match new.patient {
        Some(patient) => entry.of(patient.0),
        None => entry,
    });
    Ok(stored.into())
}

/// How the actor is spoken to.
pub async fn own_profile<M>(op: &Op<M>) -> Result<Profile> {
    let Some(user) = op.actor().user else { return Ok(Profile::default()) };
    Ok(Entity::find_by_id(user.0).one(op.db()).await?.map(Into::into).unwrap_or_default())
}

/// How patients are spoken to.
pub async fn profiles_of<M>(op: &Op<M>, patients: &[PatientId]) -> Result<HashMap<PatientId, Profile>> {
    op.require(Permission::PATIENT_CONTACT_READ)?;
    let ids: Vec<Uuid> = patients.iter().map(|id| id.0).collect();
    let rows = Entity::find().filter(any_of(Column::RecipientId, ids)).all(op.db()).await?;
    Ok(rows.into_iter().map(|row| (PatientId(row.recipient_id), row.into())).collect())
}
