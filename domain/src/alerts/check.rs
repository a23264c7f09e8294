//! What several verbs ask of an alert before they change it, and how they do.

use praxis_entity::{
    alert::{self, Column},
    ids::AlertId,
    value::{AlertWords, Sealed},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Detail, Result, Violation, ViolationCode, clinic::text, error::Violations, rights, transitions};

/// The longest reply.
const LONGEST_TEXT: usize = 2_000;

/// A reply in words; an empty one counts as absent.
pub(super) fn words(found: &mut Violations, name: &str, given: Option<&str>) -> Option<String> {
    text::optional_line(found, &[name], given, LONGEST_TEXT)
}

/// The alert at the version that the caller has seen, if its status allows the action and the caller may reply.
pub(super) async fn ready(
    op: &Op<Write>,
    (id, if_version): (AlertId, i32),
    action: &str,
) -> Result<alert::Model> {
    op.require(Permission::ALERT_RESPOND)?;
    let stored = alert::Entity::find_by_id(id).one(op.db()).await?;
    let stored =
        stored.ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such alert."))?;
    let (respond, seen, row) = (Permission::ALERT_RESPOND, Permission::ALERT_READ, Row::from(&stored));
    rights::require(op, respond, seen, stored.patient_id, &row, "id").await?;
    if stored.version != if_version {
        return Err(outdated(stored.version).into());
    }
    let _: alert::AlertStatus =
        transitions::step(op, "alert", action, &stored.status, (stored.patient_id, &row)).await?;
    Ok(stored)
}

/// Changes the alert if it still is at the version that was seen.
pub(super) async fn change(
    op: &Op<Write>,
    stored: &alert::Model,
    change: alert::ActiveModel,
    action: &'static str,
) -> Result<alert::Model> {
    let update = alert::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(stored.id))
        .filter(Column::Version.eq(stored.version));
    let Some(changed) = update.exec_with_returning(op.db()).await?.pop() else {
        let now = alert::Entity::find_by_id(stored.id).one(op.db()).await?;
        return Err(outdated(now.map_or(stored.version, |now| now.version)).into());
    };
    record(op, action, &changed);
    Ok(changed)
}

/// Notes what was done to an alert.
pub(super) fn record(op: &Op<Write>, action: &'static str, alert: &alert::Model) {
    op.record(Entry::done(action).on("Alert", alert.id.0, alert.version).of(alert.patient_id.0));
}

/// A reply, sealed under the patient's key.
pub(super) async fn sealed(
    op: &Op<Write>,
    alert: &alert::Model,
    words: AlertWords,
) -> Result<Option<Sealed<AlertWords>>> {
    if words == AlertWords::default() {
        return Ok(None);
    }
    let key = op.data_key(alert.patient_id.0).await?;
    let place = op.place("alert", alert.id.0, alert.patient_id.0);
    Ok(Some(op.seal(&key, &place, &words)?))
}

fn outdated(current: i32) -> Violation {
    let message = "Somebody else replied meanwhile.";
    Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message).with(Detail::Version { current })
}
