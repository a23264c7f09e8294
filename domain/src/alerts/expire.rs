//! An alert whose time runs out.

use praxis_entity::{
    alert::{self, AlertStatus, Column},
    ids::AlertId,
};
use praxis_platform::{Op, Write, literal::Literal};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::check;
use crate::{
    Result,
    event::{self, Event},
};

/// Notes that the time of an alert ran out, if nobody has dealt with it.
pub async fn expire(op: &Op<Write>, id: AlertId) -> Result<()> {
    let expired = alert::Entity::update_many()
        .col_expr(Column::Status, Expr::value(AlertStatus::Expired.to_value()))
        .col_expr(Column::ClosedAt, Expr::value(op.now()))
        .filter(Column::Id.eq(id))
        .filter(Column::ExpiresAt.lte(op.now()))
        .filter(Column::Status.is_one_of(&[AlertStatus::Open, AlertStatus::Acknowledged]))
        .exec_with_returning(op.db())
        .await?;
    for row in &expired {
        check::record(op, "alert.expire", row);
        let (patient, encounter) = (row.patient_id, row.encounter_id);
        event::happened(op, Event::AlertExpired { alert: id, patient, encounter }).await?;
    }
    Ok(())
}
