//! Whether a patient may be written to, by text message or mail, at the number or address they have now.
//!
//! The consent holds for that number only: whoever gets it after them agreed to nothing.

use std::collections::HashMap;

use praxis_entity::{
    channel_consent::{ActiveModel, Column, Entity, Model},
    ids::PatientId,
    notification::Channel,
    patient, suppression,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
    vault::IndexField,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};

use super::judge::reached;
use crate::{Result, Violation, ViolationCode, page::any_of, rights};

/// What a patient said of a channel.
#[derive(Debug, Clone, Copy)]
pub struct SetConsent {
    /// Who.
    pub patient: PatientId,
    /// By which way; EMAIL or SMS.
    pub channel: Channel,
    /// Whether they may be written to.
    pub allowed: bool,
}

/// Records that a patient may be written to at their present number or address, or may not any more.
pub async fn set_consent(op: &Op<Write>, new: SetConsent) -> Result<PatientId> {
    let SetConsent { patient: id, channel, allowed } = new;
    let (update, seen) = (Permission::PATIENT_UPDATE, Permission::PATIENT_READ);
    op.require(update)?;
    let found = patient::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let Some(patient) = found else { return Err(Violation::unknown("patientId").into()) };
    rights::require(op, update, seen, id, &Row::of(id.0), "patientId").await?;
    let field = match channel {
        Channel::Email => IndexField::Email,
        Channel::Sms => IndexField::Phone,
        Channel::InApp | Channel::Push => {
            let message = "Patients are written to by EMAIL or SMS.";
            return Err(Violation::at(ViolationCode::Invalid, &["channel"], message).into());
        }
    };
    withdraw(op, id, channel).await?;
    if allowed {
        let key = op.data_key(id.0).await?;
        let contact = op.open_unseen(&key, &op.place("patient", id.0, id.0), &patient.contact).await?;
        let token = match reached(&contact, channel) {
            Some(point) => op.token(field, &point.value).await?,
            None => None,
        };
        let Some(token) = token else {
            let message = "There is no number or address to write to.";
            return Err(Violation::at(ViolationCode::NotFound, &["channel"], message).into());
        };
        // Whoever agrees anew takes an earlier STOP back; a number that does not exist still does not.
        suppression::Entity::update_many()
            .col_expr(suppression::Column::LiftedAt, Expr::value(op.now()))
            .filter(suppression::Column::Channel.eq(channel))
            .filter(suppression::Column::ContactToken.eq(token.clone()))
            .filter(suppression::Column::Reason.eq("STOP"))
            .filter(suppression::Column::LiftedAt.is_null())
            .exec(op.db())
            .await?;
        let row = ActiveModel {
            id: Set(op.new_id()),
            patient_id: Set(id),
            channel: Set(channel),
            contact_token: Set(token),
            given_at: Set(op.now()),
            recorded_by: Set(op.actor().user),
            withdrawn_at: Set(None),
            withdrawn_by: Set(None),
        };
        Entity::insert(row).exec_without_returning(op.db()).await?;
    }
    let action = if allowed { "channel-consent.give" } else { "channel-consent.withdraw" };
    op.record(Entry::done(action).on("Patient", id.0, patient.version).of(id.0).because(channel.to_value()));
    Ok(id)
}

async fn withdraw(op: &Op<Write>, patient: PatientId, channel: Channel) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::WithdrawnAt, Expr::value(op.now()))
        .col_expr(Column::WithdrawnBy, Expr::value(op.actor().user.map(|user| user.0)))
        .filter(Column::PatientId.eq(patient))
        .filter(Column::Channel.eq(channel))
        .filter(Column::WithdrawnAt.is_null())
        .exec(op.db())
        .await?;
    Ok(())
}

/// The consents that patients gave and did not take back.
pub async fn consents_of<M>(op: &Op<M>, patients: &[PatientId]) -> Result<HashMap<PatientId, Vec<Model>>> {
    op.require(Permission::PATIENT_CONTACT_READ)?;
    let rows = Entity::find()
        .filter(any_of(Column::PatientId, patients.iter().map(|id| id.0).collect()))
        .filter(Column::WithdrawnAt.is_null());
    let mut of: HashMap<PatientId, Vec<Model>> = HashMap::new();
    for row in rows.all(op.db()).await? {
        of.entry(row.patient_id).or_default().push(row);
    }
    Ok(of)
}
