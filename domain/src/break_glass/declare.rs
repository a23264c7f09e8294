//! Declaring an emergency.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use praxis_entity::{
    break_glass::{self, BreakGlassCategory, BreakGlassStatus},
    ids::{BreakGlassId, PatientId},
    patient,
    value::BreakGlassStatement,
};
use praxis_platform::{
    Failure, Op, Write,
    access::Permission,
    audit::Entry,
    error::sqlstate,
    mail::{NewMail, enqueue_to_holders},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, sea_query::OnConflict};

use super::REVIEWED_WITHIN;
use crate::{Result, Violation, ViolationCode, error::Violations};

/// The longest time box, in minutes.
pub const LONGEST_MINUTES: u32 = 240;
/// The fewest characters that say why.
pub const SHORTEST_REASON: usize = 20;
const LONGEST_REASON: usize = 2_000;
/// What the database says while a review of the same person is overdue.
const OVERDUE: &str = "PX014";

/// An emergency.
#[derive(Debug, Clone)]
pub struct DeclareBreakGlass {
    /// Whose record is needed.
    pub patient: PatientId,
    /// What kind of emergency.
    pub category: BreakGlassCategory,
    /// Why, in words.
    pub reason: String,
    /// Codes of the classes that are needed.
    pub classes: Vec<&'static str>,
    /// For how long.
    pub minutes: u32,
}

/// Opens classes of one patient's record to the actor, for a while.
///
/// Whether the actor could see the patient before makes no difference: an emergency is when they could
/// not. A patient who does not exist is told as such; ids can't be guessed.
pub async fn declare(op: &Op<Write>, new: DeclareBreakGlass) -> Result<break_glass::Model> {
    op.require(Permission::BREAK_GLASS_USE)?;
    op.require_step_up()?;
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let reason = checked(&new)?;
    if patient::Entity::find_by_id(new.patient).one(op.db()).await?.is_none() {
        return Err(Violation::unknown("patientId").into());
    }
    // What ran out and was not noted yet would stand in the way of a new one.
    super::due::expire(op, break_glass::Column::UserId.eq(user)).await?;
    let key = op.data_key(new.patient.0).await?;
    let (id, now) = (BreakGlassId(op.new_id()), op.now());
    let place = op.place("break_glass", id.0, new.patient.0);
    let classes: BTreeSet<_> = new.classes.iter().map(|&class| class.to_owned()).collect();
    let row = break_glass::ActiveModel {
        id: Set(id),
        user_id: Set(user),
        patient_id: Set(new.patient),
        category: Set(new.category),
        classes: Set(classes.into_iter().collect()),
        statement: Set(op.seal(&key, &place, &BreakGlassStatement { reason })?),
        status: Set(BreakGlassStatus::Active),
        declared_at: Set(now),
        expires_at: Set(now + TimeDelta::minutes(i64::from(new.minutes))),
        review_due_at: Set(now + REVIEWED_WITHIN),
        ..Default::default()
    };
    let declared = break_glass::Entity::insert_many([row])
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await
        .map_err(refused)?
        .pop()
        .ok_or_else(already_open)?;
    tell(op, &declared).await?;
    let entry = Entry::done("break-glass.declare").on("BreakGlass", id.0, declared.version);
    op.record(Entry { break_glass: Some(id), ..entry.of(new.patient.0) });
    Ok(declared)
}

fn checked(new: &DeclareBreakGlass) -> Result<String> {
    let mut found = Violations::default();
    let reason = new.reason.trim();
    let length = reason.chars().count();
    // Twenty blanks, or one letter twenty times, say nothing.
    let letters: BTreeSet<char> = reason.chars().filter(|letter| letter.is_alphanumeric()).collect();
    if length < SHORTEST_REASON || letters.len() < 5 {
        let message = format!("Say why in {SHORTEST_REASON} characters or more.");
        found.add(ViolationCode::Invalid, &["reason"], message);
    }
    if length > LONGEST_REASON {
        found.add(ViolationCode::TooLong, &["reason"], "The text is longer than 2000 characters.");
    }
    if reason.contains('\0') {
        found.add(ViolationCode::Invalid, &["reason"], "The text holds control characters.");
    }
    if new.classes.is_empty() {
        found.add(ViolationCode::Required, &["classes"], "Say which classes are needed.");
    }
    if !(1..=LONGEST_MINUTES).contains(&new.minutes) {
        let message = format!("The record is open for 1 to {LONGEST_MINUTES} minutes.");
        found.add(ViolationCode::OutOfRange, &["minutes"], message);
    }
    found.check()?;
    Ok(reason.to_owned())
}

fn refused(error: DbErr) -> crate::Error {
    if sqlstate(&error).as_deref() == Some(OVERDUE) {
        let message = "A review of an earlier declaration is overdue; until it is done there is no other.";
        return Violation::at(ViolationCode::ReviewOverdue, &[], message).into();
    }
    error.into()
}

fn already_open() -> Violation {
    let message = "This record is open to you already; what is open is not prolonged.";
    Violation::at(ViolationCode::AlreadyExists, &["patientId"], message)
}

/// Tells the reviewers at once; not of whom, which is no matter for a mail.
async fn tell(op: &Op<Write>, declared: &break_glass::Model) -> Result<()> {
    let facts = serde_json::json!({
        "declaration": declared.id.to_string(),
        "person": op.actor().display_name,
        "expiresAt": declared.expires_at,
        "reviewDueAt": declared.review_due_at,
    });
    let mail = NewMail {
        to: String::new(),
        template: "break_glass_declared",
        locale: None,
        facts: facts.as_object().cloned().unwrap_or_default(),
        dedupe_key: Some(format!("break_glass_declared:{}", declared.id)),
    };
    enqueue_to_holders(op, Permission::BREAK_GLASS_REVIEW, &mail).await?;
    Ok(())
}
