//! Taking a person into care.

use praxis_entity::{
    ids::PatientId,
    patient::{self, AdministrativeSex, PatientStatus},
    patient_facility,
    value::{CodeableConcept, Contact, HumanName, Identifiers, Identity, Moment, PartialDate, RecordNumber},
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry, vault::TenantKey};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, Statement, sea_query::OnConflict};

use super::{
    duplicates::likely_duplicates,
    record::Record,
    rules::Rules,
    token::{self, Kind},
};
use crate::{
    Detail, Result, Violation, ViolationCode,
    event::{Event, happened},
};

/// A person to be taken into care.
#[derive(Debug, Clone)]
pub struct RegisterPatient {
    /// Names; the first is the one to use.
    pub names: Vec<HumanName>,
    /// Birth date, as precise as it is known.
    pub birth_date: PartialDate,
    /// Sex for administration.
    pub administrative_sex: AdministrativeSex,
    /// The clinic's own number; the next free one when blank.
    pub mrn: Option<String>,
    /// Where the person is reached.
    pub contact: Contact,
    /// Numbers authorities gave.
    pub identifiers: Identifiers,
    /// Patients who were looked at and are somebody else.
    pub accept_duplicates: Vec<PatientId>,
    /// When the person died, if so.
    pub deceased: Option<Moment>,
    /// Marital status.
    pub marital_status: Option<CodeableConcept>,
    /// Languages, preferred first.
    pub languages: Vec<CodeableConcept>,
    /// Race categories.
    pub races: Vec<CodeableConcept>,
    /// Ethnicity categories.
    pub ethnicities: Vec<CodeableConcept>,
    /// Sex recorded at birth.
    pub birth_sex: Option<String>,
    /// ACTIVE, INACTIVE or DECEASED; ACTIVE or DECEASED by `deceased` when absent.
    pub status: Option<PatientStatus>,
}

impl RegisterPatient {
    /// A person with a name and a birth date, and nothing else known.
    pub fn named(name: HumanName, birth_date: PartialDate) -> Self {
        Self {
            names: vec![name],
            birth_date,
            administrative_sex: AdministrativeSex::Unknown,
            mrn: None,
            contact: Contact::default(),
            identifiers: Identifiers::default(),
            accept_duplicates: Vec::new(),
            deceased: None,
            marital_status: None,
            languages: Vec::new(),
            races: Vec::new(),
            ethnicities: Vec::new(),
            birth_sex: None,
            status: None,
        }
    }
}

/// A person taken into care.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The new record.
    pub patient: patient::Model,
    /// Who resembles this person, and was accepted as somebody else.
    pub duplicate_candidates: Vec<PatientId>,
}

/// Takes a person into care, unless they may be a patient already.
pub async fn register(op: &Op<Write>, new: RegisterPatient) -> Result<Registered> {
    op.require(Permission::PATIENT_CREATE)?;
    let accepted = new.accept_duplicates.clone();
    let draft = Draft::check(new, Rules::entered(op))?;
    let key = op.tenant_key().await?;
    // Drawing the number first makes registrations wait for each other, so that of two of the same
    // person at the same time the second sees the first.
    let (record, row) = draft.numbered(op, &key).await?;
    let duplicates = likely_duplicates(op, &token::tokens_of(&key, &record)).await?;
    if duplicates.iter().any(|candidate| !accepted.contains(candidate)) {
        let violation =
            Violation::at(ViolationCode::AlreadyExists, &[], "This person may be registered already.");
        return Err(violation.with(Detail::Duplicates(duplicates)).into());
    }
    let patient = store(op, &key, &record, row, "patient.register").await?;
    happened(op, Event::PatientRegistered { patient: patient.id }).await?;
    Ok(Registered { patient, duplicate_candidates: duplicates })
}

/// Takes over a person from another system, which answers for who is who.
pub async fn import(op: &Op<Write>, new: RegisterPatient) -> Result<patient::Model> {
    op.require(Permission::DATA_IMPORT)?;
    let draft = Draft::check(new, Rules::imported(op))?;
    let key = op.tenant_key().await?;
    let (record, row) = draft.numbered(op, &key).await?;
    let patient = store(op, &key, &record, row, "patient.import").await?;
    happened(op, Event::PatientImported { patient: patient.id }).await?;
    Ok(patient)
}

/// What is known before the record has a number.
struct Draft {
    mrn: Option<String>,
    identity: Identity,
    contact: Contact,
    identifiers: Identifiers,
    row: patient::ActiveModel,
}

impl Draft {
    fn check(new: RegisterPatient, mut rules: Rules) -> Result<Self> {
        let mrn = new.mrn.filter(|mrn| !mrn.trim().is_empty()).map(|mut mrn| {
            rules.mrn(&mut mrn);
            mrn
        });
        let (mut names, mut contact, mut identifiers) = (new.names, new.contact, new.identifiers);
        rules.names(&mut names);
        rules.birth_date(&["birthDate"], new.birth_date);
        rules.contact(&mut contact);
        rules.all_identifiers(&mut identifiers);
        let (mut languages, mut races, mut ethnicities) = (new.languages, new.races, new.ethnicities);
        let mut marital_status = new.marital_status;
        for (path, concepts) in
            [("languages", &mut languages), ("races", &mut races), ("ethnicities", &mut ethnicities)]
        {
            concepts.iter_mut().for_each(|concept| rules.concept(&[path], concept));
        }
        marital_status.iter_mut().for_each(|concept| rules.concept(&["maritalStatus"], concept));
        if let Some(died) = &new.deceased {
            rules.death(&["deceased"], died, new.birth_date);
        }
        let alive = if new.deceased.is_some() { PatientStatus::Deceased } else { PatientStatus::Active };
        let status = new.status.unwrap_or(alive);
        // Another system may know that somebody died, and not when.
        let consistent = new.deceased.is_none() || status == PatientStatus::Deceased;
        if matches!(status, PatientStatus::Merged | PatientStatus::Erased) || !consistent {
            rules.found.add(ViolationCode::Invalid, &["status"], "A new record can't have this status.");
        }
        rules.found.check()?;
        Ok(Self {
            mrn,
            identity: Identity {
                names,
                birth_date: new.birth_date,
                deceased: new.deceased,
                marital_status,
                languages,
                races,
                ethnicities,
                birth_sex: new.birth_sex,
            },
            contact,
            identifiers,
            row: patient::ActiveModel {
                status: Set(status),
                administrative_sex: Set(new.administrative_sex),
                ..Default::default()
            },
        })
    }

    async fn numbered(self, op: &Op<Write>, key: &TenantKey) -> Result<(Record, patient::ActiveModel)> {
        let mrn = match self.mrn {
            Some(mrn) => mrn,
            None => next_mrn(op, key).await?,
        };
        let Self { identity, contact, identifiers, row, .. } = self;
        Ok((Record { number: RecordNumber { mrn }, identity, contact, identifiers }, row))
    }
}

async fn store(
    op: &Op<Write>,
    tenant_key: &TenantKey,
    record: &Record,
    mut row: patient::ActiveModel,
    action: &'static str,
) -> Result<patient::Model> {
    let id = PatientId(op.new_id());
    let key = op.create_data_key(id.0).await?;
    row.id = Set(id);
    let classes = record.seal_changes(op, &key, None, &mut row, id)?;
    let patient = patient::Entity::insert(row).exec_with_returning(op.db()).await?;
    token::insert_tokens(op, id, token::tokens_of(tenant_key, record)).await?;
    known_here(op, id).await?;
    op.record(Entry { classes, ..Entry::done(action).on("Patient", id.0, patient.version).of(id.0) });
    Ok(patient)
}

/// A patient is known at the branch that registered them: the one the actor acts for, or else those where their
/// roles let them register. Whoever may register everywhere registers for no branch in particular.
async fn known_here(op: &Op<Write>, id: PatientId) -> Result<()> {
    let actor = op.actor();
    let everywhere = actor.require_everywhere(Permission::PATIENT_CREATE).is_ok();
    let places = actor.places().filter(|place| match actor.facility {
        Some(_) => true,
        None => !everywhere && actor.may_at(Permission::PATIENT_CREATE, *place),
    });
    let rows: Vec<_> = places
        .map(|facility_id| patient_facility::ActiveModel {
            patient_id: Set(id),
            facility_id: Set(facility_id),
            since: Set(op.now()),
        })
        .collect();
    if !rows.is_empty() {
        patient_facility::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
    }
    Ok(())
}

/// The next record number that nobody was given by hand.
async fn next_mrn(op: &Op<Write>, key: &TenantKey) -> Result<String> {
    loop {
        let drawn = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "INSERT INTO counter AS c (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = c.n + 1 RETURNING n",
            ["mrn".into()],
        );
        let row =
            op.db().query_one_raw(drawn).await?.ok_or_else(|| Failure::Internal("no counter".to_owned()))?;
        let mrn = format!("M{:07}", row.try_get::<i64>("", "n")?);
        let taken = match Kind::Mrn.token(key, &mrn) {
            Some(token) => token::is_taken(op, Kind::Mrn, token).await?,
            None => false,
        };
        if !taken {
            return Ok(mrn);
        }
    }
}
