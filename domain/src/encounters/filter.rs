//! Which visits a list holds.

use praxis_entity::encounter::{Column, EncounterClass, EncounterStatus};
use praxis_platform::{
    Failure, Op,
    access::{Permission, Table},
    vault::TenantKey,
};
use sea_orm::Condition;

use crate::{
    StatusSet, TimeRange,
    coded::carries,
    range::{MAX_FILTER_DEPTH, one_of, without},
};

/// Which visits are wanted; lists mean any of their values.
#[derive(Debug, Clone, Default)]
pub struct EncounterFilter {
    /// All of these, too.
    pub and: Vec<EncounterFilter>,
    /// Any of these, too.
    pub or: Vec<EncounterFilter>,
    /// Not this.
    pub not: Option<Box<EncounterFilter>>,
    /// Where it stands.
    pub status: StatusSet<EncounterStatus>,
    /// Setting.
    pub class: Option<Vec<EncounterClass>>,
    /// When the row was made.
    pub created_at: TimeRange,
    /// Start.
    pub started_at: TimeRange,
    /// Code of its type or reason, as `system|code`.
    pub code: Option<Vec<String>>,
}

impl EncounterFilter {
    /// The filter as SQL; refused where it asks for what the actor may not read.
    pub(super) async fn condition<M>(&self, op: &Op<M>) -> Result<Condition, Failure> {
        self.compile(op, &*op.tenant_key().await?, MAX_FILTER_DEPTH)
    }

    fn compile<M>(&self, op: &Op<M>, key: &TenantKey, depth: usize) -> Result<Condition, Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Failure::BadInput("the filter is nested too deeply".to_owned()));
        };
        // A visit whose content is closed to the actor matches no code: else trying would find it out.
        let code = match self.code.as_deref() {
            Some(codes) => {
                let clinical = Permission::ENCOUNTER_CLINICAL_READ;
                let reasons = op.readable("Encounter.reasons", clinical, Table::Encounter)?;
                let open = reasons.add(op.readable("Encounter.types", clinical, Table::Encounter)?);
                Some(open.add_option(carries(key, Column::CodeTokens, Some(codes))))
            }
            None => None,
        };
        let mut all = Condition::all()
            .add(self.status.condition(Column::Status))
            .add_option(one_of(Column::Class, self.class.as_deref()))
            .add(self.created_at.condition(Column::CreatedAt))
            .add(self.started_at.condition(Column::StartedAt))
            .add_option(code);
        for part in &self.and {
            all = all.add(part.compile(op, key, depth)?);
        }
        if !self.or.is_empty() {
            let mut any = Condition::any();
            for part in &self.or {
                any = any.add(part.compile(op, key, depth)?);
            }
            all = all.add(any);
        }
        if let Some(part) = &self.not {
            all = all.add(without(part.compile(op, key, depth)?));
        }
        Ok(all)
    }
}
