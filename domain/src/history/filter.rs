//! Which conditions a list holds.

use praxis_entity::condition::{ClinicalStatus, Column, ConditionCategory, VerificationStatus};
use praxis_platform::{
    Failure, Op,
    access::{Permission, Table},
};
use sea_orm::Condition;

use crate::{TimeRange, coded::carries, range::one_of};

/// Which conditions are wanted; lists mean any of their values.
#[derive(Debug, Clone, Default)]
pub struct ConditionFilter {
    /// Problem list item or diagnosis of one visit.
    pub category: Option<Vec<ConditionCategory>>,
    /// Whether it is present.
    pub clinical_status: Option<Vec<ClinicalStatus>>,
    /// How sure it is.
    pub verification_status: Option<Vec<VerificationStatus>>,
    /// What it is, as `system|code`.
    pub code: Option<Vec<String>>,
    /// When it became known.
    pub recorded_at: TimeRange,
}

impl ConditionFilter {
    pub(super) async fn condition<M>(&self, op: &Op<M>) -> Result<Condition, Failure> {
        let code = match self.code.as_deref() {
            Some(codes) => {
                let open = op.readable("Condition.code", Permission::CONDITION_READ, Table::Condition)?;
                Some(open.add_option(carries(&*op.tenant_key().await?, Column::CodeTokens, Some(codes))))
            }
            None => None,
        };
        Ok(Condition::all()
            .add_option(one_of(Column::Category, self.category.as_deref()))
            .add_option(one_of(Column::ClinicalStatus, self.clinical_status.as_deref()))
            .add_option(one_of(Column::VerificationStatus, self.verification_status.as_deref()))
            .add_option(code)
            .add(self.recorded_at.condition(Column::RecordedAt)))
    }
}
