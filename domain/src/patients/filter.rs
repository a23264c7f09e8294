//! Which patients a list holds.

use praxis_entity::{
    patient::{self, PatientStatus},
    value::PartialDate,
};
use praxis_platform::{
    Failure, Op,
    access::{Permission, Table},
    literal::Literal,
    vault::TenantKey,
};
use sea_orm::{Condition, sea_query::Expr};

use super::{phone, token::Kind};
use crate::range::{MAX_FILTER_DEPTH, TimeRange, without};

/// Which patients are wanted; lists mean any of their values.
#[derive(Debug, Clone, Default)]
pub struct PatientFilter {
    /// All of these, too.
    pub and: Vec<PatientFilter>,
    /// Any of these, too.
    pub or: Vec<PatientFilter>,
    /// Not this.
    pub not: Option<Box<PatientFilter>>,
    /// Record number.
    pub mrn: Option<Vec<String>>,
    /// E-mail address.
    pub email: Option<Vec<String>>,
    /// Telephone number.
    pub phone: Option<Vec<String>>,
    /// Birth date, exactly as precise as it is known.
    pub birth_date: Option<Vec<PartialDate>>,
    /// Where the record stands. MERGED and ERASED records appear only when asked for.
    pub status: Option<PatientStatus>,
    /// Last change.
    pub updated_at: TimeRange,
}

/// Records that were neither merged into another nor erased.
pub(super) fn in_use() -> Expr {
    patient::Column::Status.is_none_of(&[PatientStatus::Merged, PatientStatus::Erased])
}

impl PatientFilter {
    /// The filter as SQL; refused where it asks for what the actor may not read.
    pub(super) async fn condition<M>(&self, op: &Op<M>) -> Result<Condition, Failure> {
        let condition = self.compile(op, &*op.tenant_key().await?, MAX_FILTER_DEPTH)?;
        Ok(if self.asks_for_status() { condition } else { condition.add(in_use()) })
    }

    fn compile<M>(&self, op: &Op<M>, key: &TenantKey, depth: usize) -> Result<Condition, Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Failure::BadInput("the filter is nested too deeply".to_owned()));
        };
        let mut all =
            Condition::all().add_option(self.status.map(|status| patient::Column::Status.is(status)));
        // Whoever could filter by a value could find it out by trying: so the patients of whom the actor may not
        // read it match nothing.
        let contact = |field| op.readable(field, Permission::PATIENT_CONTACT_READ, Table::Patient);
        if let Some(numbers) = &self.mrn {
            let open = op.readable("Patient.mrn", Permission::PATIENT_READ, Table::Patient)?;
            all = all.add(open.add(Kind::Mrn.condition(key, numbers)));
        }
        if let Some(addresses) = &self.email {
            all = all.add(contact("Patient.email")?.add(Kind::Email.condition(key, addresses)));
        }
        if let Some(numbers) = &self.phone {
            let open = contact("Patient.phone")?;
            let region = phone::region(&op.tenant().locale);
            let forms: Vec<String> = numbers.iter().flat_map(|number| phone::forms(region, number)).collect();
            all = all.add(open.add(Kind::Phone.condition(key, &forms)));
        }
        if let Some(dates) = &self.birth_date {
            let demographics = Permission::PATIENT_DEMOGRAPHICS_READ;
            let open = op.readable("Patient.birthDate", demographics, Table::Patient)?;
            let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
            all = all.add(open.add(Kind::BirthDate.condition(key, &dates)));
        }
        if self.updated_at != TimeRange::default() {
            all = all.add(self.updated_at.condition(patient::Column::UpdatedAt));
        }
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

    fn asks_for_status(&self) -> bool {
        self.status.is_some()
            || self.and.iter().chain(&self.or).chain(self.not.as_deref()).any(Self::asks_for_status)
    }
}
