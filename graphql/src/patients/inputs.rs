//! What is asked about patients and told of them.

use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};
use praxis_domain::{TimeRange, patients};
use praxis_entity::value as stored;

use super::types::{AdministrativeSex, PatientStatus};
use crate::{
    error::{ApiError, Code},
    ids,
    scalar::{DateTime, EmailAddress, PartialDate, PhoneNumber},
    value::{Address, CodeableConceptInput, ContactPointInput, HumanNameInput, IdentifierInput},
};

/// How deep filters may nest.
const MAX_FILTER_DEPTH: usize = 5;

/// Equality on a sealed field: all that a blind index can do.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ExactFilter {
    /// Equal to this.
    eq: Option<String>,
    /// Equal to one of these.
    #[graphql(name = "in")]
    any: Option<Vec<String>>,
}

impl ExactFilter {
    pub(crate) fn values(self) -> Option<Vec<String>> {
        match (self.eq, self.any) {
            (None, None) => None,
            (Some(eq), None) => Some(vec![eq]),
            (None, Some(any)) => Some(any),
            (Some(eq), Some(any)) => Some(any.into_iter().filter(|value| *value == eq).collect()),
        }
    }
}

/// A range of time; all that are given must hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct DateTimeFilter {
    /// Exactly then.
    eq: Option<DateTime>,
    /// Later than this.
    gt: Option<DateTime>,
    /// Then or later.
    gte: Option<DateTime>,
    /// Earlier than this.
    lt: Option<DateTime>,
    /// Then or earlier.
    lte: Option<DateTime>,
}

impl From<DateTimeFilter> for TimeRange {
    fn from(filter: DateTimeFilter) -> Self {
        let at = |moment: Option<DateTime>| moment.map(|moment| moment.0);
        Self {
            eq: at(filter.eq),
            gt: at(filter.gt),
            gte: at(filter.gte),
            lt: at(filter.lt),
            lte: at(filter.lte),
        }
    }
}

/// One of some ids.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct IdFilter {
    /// This one.
    eq: Option<ID>,
    /// One of these.
    #[graphql(name = "in")]
    any: Option<Vec<ID>>,
}

impl IdFilter {
    pub(crate) fn ids<I: praxis_entity::ids::TypedId + std::str::FromStr>(
        self,
    ) -> Result<Option<Vec<I>>, ApiError> {
        let eq = self.eq.as_ref().map(ids::parse).transpose()?;
        let any = self.any.as_deref().map(ids::parse_all).transpose()?;
        Ok(match (eq, any) {
            (None, None) => None,
            (Some(eq), None) => Some(vec![eq]),
            (None, Some(any)) => Some(any),
            (Some(eq), Some(any)) => Some(any.into_iter().filter(|id| *id == eq).collect()),
        })
    }
}

/// How to find one patient.
#[derive(OneofObject, Debug, Clone)]
pub(crate) enum PatientLookup {
    /// By id.
    Id(ID),
    /// By medical record number.
    Mrn(String),
    /// By national number.
    NationalId(String),
}

impl TryFrom<PatientLookup> for patients::Lookup {
    type Error = ApiError;

    fn try_from(lookup: PatientLookup) -> Result<Self, ApiError> {
        Ok(match lookup {
            PatientLookup::Id(id) => Self::Id(ids::parse(&id)?),
            PatientLookup::Mrn(mrn) => Self::Mrn(mrn),
            PatientLookup::NationalId(number) => Self::NationalId(number),
        })
    }
}

/// Which patients. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct PatientFilter {
    /// All of these hold.
    and: Option<Vec<PatientFilter>>,
    /// One of these holds.
    or: Option<Vec<PatientFilter>>,
    /// This does not hold.
    not: Option<Box<PatientFilter>>,
    /// Medical record number.
    mrn: Option<ExactFilter>,
    /// E-mail address.
    email: Option<ExactFilter>,
    /// Telephone number.
    phone: Option<ExactFilter>,
    /// Birth date, `YYYY-MM-DD`.
    birth_date: Option<PartialDate>,
    /// Where the record stands.
    status: Option<PatientStatus>,
    /// When it last changed.
    updated_at: Option<DateTimeFilter>,
}

impl PatientFilter {
    fn convert(self, depth: usize) -> Result<patients::PatientFilter, ApiError> {
        if depth == 0 {
            return Err(too_deep());
        }
        let all = |filters: Option<Vec<Self>>| {
            filters
                .unwrap_or_default()
                .into_iter()
                .map(|filter| filter.convert(depth - 1))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(patients::PatientFilter {
            and: all(self.and)?,
            or: all(self.or)?,
            not: self.not.map(|filter| filter.convert(depth - 1).map(Box::new)).transpose()?,
            mrn: self.mrn.and_then(ExactFilter::values),
            email: self.email.and_then(ExactFilter::values),
            phone: self.phone.and_then(ExactFilter::values),
            birth_date: self.birth_date.map(|date| vec![date.0]),
            status: self.status.map(Into::into),
            updated_at: self.updated_at.unwrap_or_default().into(),
        })
    }
}

impl TryFrom<PatientFilter> for patients::PatientFilter {
    type Error = ApiError;

    fn try_from(filter: PatientFilter) -> Result<Self, ApiError> {
        filter.convert(MAX_FILTER_DEPTH)
    }
}

/// The refusal of a filter that nests too deeply.
pub(crate) fn too_deep() -> ApiError {
    ApiError::new(Code::BadUserInput, format!("A filter nests {MAX_FILTER_DEPTH} levels at the most."))
}

/// A new patient.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct PatientCreateInput {
    /// Name.
    pub(crate) name: HumanNameInput,
    /// Birth date, as precise as it is known.
    pub(crate) birth_date: PartialDate,
    /// Sex for administrative purposes.
    #[graphql(default_with = "AdministrativeSex::Unknown")]
    pub(crate) administrative_sex: AdministrativeSex,
    /// E-mail address.
    pub(crate) email: Option<EmailAddress>,
    /// Telephone number.
    pub(crate) phone: Option<PhoneNumber>,
    /// Medical record number; the next one of the clinic when absent.
    pub(crate) mrn: Option<String>,
    /// National number.
    pub(crate) national_id: Option<String>,
    /// Other numbers that authorities gave.
    pub(crate) identifiers: Option<Vec<IdentifierInput>>,
    /// Further ways to reach the patient.
    pub(crate) contact_points: Option<Vec<ContactPointInput>>,
    /// Postal addresses.
    pub(crate) addresses: Option<Vec<Address>>,
    /// Skip the duplicate check for these candidates, after somebody looked at them.
    pub(crate) accept_duplicates: Option<Vec<ID>>,
}

impl TryFrom<PatientCreateInput> for patients::RegisterPatient {
    type Error = ApiError;

    fn try_from(input: PatientCreateInput) -> Result<Self, ApiError> {
        let point =
            |system, value: String| stored::ContactPoint { system, value, usage: None, preferred: true };
        // Only one of a channel is preferred: the one in the field of its own.
        let others = input.contact_points.unwrap_or_default().into_iter().map(|point| {
            let mut point = stored::ContactPoint::from(point);
            point.preferred &= match point.system {
                stored::ContactSystem::Phone => input.phone.is_none(),
                stored::ContactSystem::Email => input.email.is_none(),
                stored::ContactSystem::Other => true,
            };
            point
        });
        let others: Vec<_> = others.collect();
        let phone = input.phone.map(|phone| point(stored::ContactSystem::Phone, phone.0));
        let email = input.email.map(|email| point(stored::ContactSystem::Email, email.0));
        Ok(Self {
            administrative_sex: input.administrative_sex.into(),
            mrn: input.mrn,
            contact: stored::Contact {
                // Last, so that the others keep the places that errors name.
                points: others.into_iter().chain(phone).chain(email).collect(),
                addresses: input.addresses.unwrap_or_default().into_iter().map(Into::into).collect(),
            },
            identifiers: stored::Identifiers {
                national_id: input.national_id,
                others: input.identifiers.unwrap_or_default().into_iter().map(Into::into).collect(),
            },
            accept_duplicates: ids::parse_all(&input.accept_duplicates.unwrap_or_default())?,
            ..Self::named(input.name.into(), input.birth_date.0)
        })
    }
}

/// A change of a patient: absent is unchanged, null is cleared.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct PatientUpdateInput {
    /// The patient.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// The name to use.
    pub(crate) name: Option<HumanNameInput>,
    /// Birth date.
    pub(crate) birth_date: Option<PartialDate>,
    /// Sex for administrative purposes.
    pub(crate) administrative_sex: Option<AdministrativeSex>,
    /// E-mail address.
    pub(crate) email: MaybeUndefined<EmailAddress>,
    /// Telephone number.
    pub(crate) phone: MaybeUndefined<PhoneNumber>,
    /// National number.
    pub(crate) national_id: MaybeUndefined<String>,
    /// All other numbers; replaces those that are stored.
    pub(crate) identifiers: Option<Vec<IdentifierInput>>,
    /// All ways to reach the patient; replaces those that are stored.
    pub(crate) contact_points: Option<Vec<ContactPointInput>>,
    /// All postal addresses; replaces those that are stored.
    pub(crate) addresses: Option<Vec<Address>>,
}

fn patch<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

impl From<PatientUpdateInput> for patients::AmendPatient {
    fn from(input: PatientUpdateInput) -> Self {
        Self {
            name: input.name.map(Into::into),
            birth_date: input.birth_date.map(|date| date.0),
            administrative_sex: input.administrative_sex.map(Into::into),
            email: patch(input.email).map(|email| email.map(|email| email.0)),
            phone: patch(input.phone).map(|phone| phone.map(|phone| phone.0)),
            national_id: patch(input.national_id),
            addresses: input.addresses.map(|addresses| addresses.into_iter().map(Into::into).collect()),
            contact_points: input.contact_points.map(|points| points.into_iter().map(Into::into).collect()),
            identifiers: input
                .identifiers
                .map(|identifiers| identifiers.into_iter().map(Into::into).collect()),
        }
    }
}

/// A patient and the version that was read.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct PatientDeactivateInput {
    /// The patient.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A patient and the version that was read.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct PatientReactivateInput {
    /// The patient.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A patient's death.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct PatientRecordDeathInput {
    /// The patient.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// When the patient died.
    pub(crate) deceased_at: DateTime,
}

/// A person around a patient.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RelatedPersonAddInput {
    /// The patient.
    pub(crate) patient_id: ID,
    /// What they are to the patient.
    pub(crate) relationship: CodeableConceptInput,
    /// Name.
    pub(crate) name: HumanNameInput,
    /// How they are reached.
    pub(crate) contact_points: Option<Vec<ContactPointInput>>,
    /// True for a legal guardian.
    #[graphql(default)]
    pub(crate) guardian: bool,
    /// True for whom to call in an emergency.
    #[graphql(default)]
    pub(crate) emergency_contact: bool,
}

/// A related person who no longer is one.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RelatedPersonEndInput {
    /// The related person.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}
