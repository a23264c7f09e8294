//! Alerts, read in batches.

use praxis_entity::{
    alert::{self, AlertStatus, Column},
    ids::{AlertId, EncounterId, PatientId},
    rule::AlertSeverity,
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
    literal::Literal,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    PageRequest, Result, Slice, StatusSet,
    page::{self, Ordering, any_of},
    range::one_of,
};

const NEWEST_FIRST: Ordering<Column> = Ordering { column: None, id: Column::Id, descending: true };

/// Which alerts are wanted; all parts that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// In which status.
    pub status: StatusSet<AlertStatus>,
    /// How grave.
    pub severity: Option<Vec<AlertSeverity>>,
    /// Of one of these patients.
    pub patient: Option<Vec<PatientId>>,
    /// Of one of these visits.
    pub encounter: Option<Vec<EncounterId>>,
}

impl AlertFilter {
    fn condition<M>(&self, op: &Op<M>) -> Result<Condition> {
        op.require(Permission::ALERT_READ)?;
        if self.patient.is_some() {
            op.require(Permission::PATIENT_READ)?;
        }
        if self.encounter.is_some() {
            op.require(Permission::ENCOUNTER_READ)?;
        }
        let patients = self.patient.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        let encounters = self.encounter.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        Ok(Condition::all()
            .add(self.status.condition(Column::Status))
            .add_option(one_of(Column::Severity, self.severity.as_deref()))
            .add_option(patients.map(|ids| any_of(Column::PatientId, ids)))
            .add_option(encounters.map(|ids| any_of(Column::EncounterId, ids)))
            .add(op.permitted(Permission::ALERT_READ, Table::Alert)))
    }
}

/// The alerts with these ids.
pub async fn by_ids<M>(op: &Op<M>, ids: &[AlertId]) -> Result<Vec<alert::Model>> {
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    let seen = AlertFilter::default().condition(op)?;
    Ok(alert::Entity::find().filter(wanted).filter(seen).all(op.db()).await?)
}

/// A page of alerts, the newest first.
pub async fn list<M>(op: &Op<M>, filter: &AlertFilter, page: &PageRequest) -> Result<Slice<alert::Model>> {
    Ok(page::list::<alert::Entity>(op.db(), filter.condition(op)?, &NEWEST_FIRST, page).await?)
}

/// How many alerts there are, at most `max`.
pub async fn count<M>(op: &Op<M>, filter: &AlertFilter, max: u64) -> Result<i64> {
    Ok(page::count::<alert::Entity>(op.db(), filter.condition(op)?, max).await?)
}

/// What nobody has replied to at a visit, whoever asks, beyond what is only good to know: it keeps the visit from
/// being closed.
pub async fn unacknowledged<M>(op: &Op<M>, encounters: &[EncounterId]) -> Result<Vec<alert::Model>> {
    let open = alert::Entity::find()
        .filter(any_of(Column::EncounterId, encounters.iter().map(|id| id.0).collect()))
        .filter(Column::Status.is(AlertStatus::Open))
        .filter(Column::Severity.ne(AlertSeverity::Info));
    Ok(open.order_by_asc(Column::Id).all(op.db()).await?)
}
