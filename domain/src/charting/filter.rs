//! Which observations a list holds.

use praxis_entity::observation::{Column, ObservationCategory, ObservationStatus};
use praxis_platform::{
    Failure, Op,
    access::{Permission, Table},
    literal::Literal,
};
use sea_orm::Condition;

use crate::{TimeRange, coded::carries, range::one_of};

/// Which observations are wanted; lists mean any of their values.
#[derive(Debug, Clone, Default)]
pub struct ObservationFilter {
    /// Kind.
    pub category: Option<Vec<ObservationCategory>>,
    /// How final; without a choice, all but what was recorded by mistake.
    pub status: Option<Vec<ObservationStatus>>,
    /// What was measured, as `system|code`; parts of composed observations count, too.
    pub code: Option<Vec<String>>,
    /// When it was true.
    pub effective_at: TimeRange,
}

impl ObservationFilter {
    pub(super) async fn condition<M>(&self, op: &Op<M>) -> Result<Condition, Failure> {
        let code = match self.code.as_deref() {
            Some(codes) => {
                let open =
                    op.readable("Observation.code", Permission::OBSERVATION_READ, Table::Observation)?;
                Some(open.add_option(carries(&*op.tenant_key().await?, Column::CodeTokens, Some(codes))))
            }
            None => None,
        };
        let status = one_of(Column::Status, self.status.as_deref());
        let counts = status.is_none().then(|| Column::Status.is_not(ObservationStatus::EnteredInError));
        Ok(Condition::all()
            .add_option(one_of(Column::Category, self.category.as_deref()))
            .add_option(status)
            .add_option(counts)
            .add_option(code)
            .add(self.effective_at.condition(Column::EffectiveAt)))
    }
}
