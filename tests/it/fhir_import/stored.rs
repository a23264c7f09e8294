//! What an import left in the database, opened.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use praxis_domain::history::chapter::Chapter;
use praxis_entity::{
    allergy, clinical_document, condition, document_version, encounter, fhir_resource,
    ids::{PractitionerId, TypedId},
    immunization, import_source, medication_statement, observation, organization, organization_identifier,
    patient, practitioner, practitioner_identifier, procedure,
    value::{
        ConditionClinical, Contact, DocumentBody, EncounterClinical, Identifiers, Identity,
        ObservationResult, RecordNumber,
    },
};
use praxis_platform::{Op, OpFactory, Read, vault::DataKey};
use sea_orm::{ActiveEnum, EntityTrait, PaginatorTrait};
use serde_json::Value;
use uuid::Uuid;

pub(super) struct OpenPatient {
    pub(super) row: patient::Model,
    pub(super) number: RecordNumber,
    pub(super) identity: Identity,
    pub(super) contact: Contact,
    pub(super) identifiers: Identifiers,
}

/// What is kept of a resource beside its row, or whole.
pub(super) struct Kept {
    pub(super) mapped: Option<Uuid>,
    pub(super) patient: Option<Uuid>,
    pub(super) json: Value,
}

/// What a chapter of a history states.
pub(super) struct Said {
    pub(super) patient: Uuid,
    pub(super) encounter: Option<Uuid>,
    pub(super) status: String,
    pub(super) clinical: Value,
}

pub(super) struct Stored {
    pub(super) rows: BTreeMap<String, u64>,
    pub(super) kept: HashMap<(String, String), Kept>,
    pub(super) patients: HashMap<Uuid, OpenPatient>,
    pub(super) encounters: HashMap<Uuid, (encounter::Model, EncounterClinical)>,
    pub(super) conditions: HashMap<Uuid, (condition::Model, ConditionClinical)>,
    pub(super) observations: HashMap<Uuid, (observation::Model, ObservationResult)>,
    pub(super) said: HashMap<Uuid, Said>,
    pub(super) documents: HashMap<Uuid, (clinical_document::Model, DocumentBody)>,
    /// By NPI.
    pub(super) practitioners: HashMap<String, PractitionerId>,
}

impl Stored {
    pub(super) async fn load(clinic: &OpFactory) -> Result<Self> {
        let op = clinic.read();
        let db = op.db();
        let mut rows = BTreeMap::new();
        rows.insert("Patient".to_owned(), patient::Entity::find().count(db).await?);
        rows.insert("Encounter".to_owned(), encounter::Entity::find().count(db).await?);
        rows.insert("Condition".to_owned(), condition::Entity::find().count(db).await?);
        rows.insert("Observation".to_owned(), observation::Entity::find().count(db).await?);
        rows.insert("Organization".to_owned(), organization::Entity::find().count(db).await?);
        rows.insert("Practitioner".to_owned(), practitioner::Entity::find().count(db).await?);
        assert!(organization_identifier::Entity::find().count(db).await? >= rows["Organization"]);
        let all = patient::Entity::find().all(db).await?;
        let mut subjects: Vec<Uuid> = all.iter().map(|row| row.id.0).collect();
        subjects.push(op.tenant().uuid());
        let keys = op.data_keys(&subjects).await?;
        let mut patients = HashMap::new();
        for row in all {
            let (key, place) = (&keys[&row.id.0], op.place("patient", row.id.0, row.id.0));
            let open = OpenPatient {
                number: op.open_unseen(key, &place, &row.record_number).await?,
                identity: op.open_unseen(key, &place, &row.identity).await?,
                contact: op.open_unseen(key, &place, &row.contact).await?,
                identifiers: op.open_unseen(key, &place, &row.identifiers).await?,
                row,
            };
            patients.insert(open.row.id.0, open);
        }
        let mut encounters = HashMap::new();
        for row in encounter::Entity::find().all(db).await? {
            let place = op.place("encounter", row.id.0, row.patient_id.0);
            let sealed = row.clinical.as_ref().context("nothing sealed")?;
            let clinical = op.open_unseen(&keys[&row.patient_id.0], &place, sealed).await?;
            encounters.insert(row.id.0, (row, clinical));
        }
        let mut conditions = HashMap::new();
        for row in condition::Entity::find().all(db).await? {
            let place = op.place("condition", row.id.0, row.patient_id.0);
            let clinical = op.open_unseen(&keys[&row.patient_id.0], &place, &row.clinical).await?;
            conditions.insert(row.id.0, (row, clinical));
        }
        let mut observations = HashMap::new();
        for row in observation::Entity::find().all(db).await? {
            let place = op.place("observation", row.id.0, row.patient_id.0);
            let result = op.open_unseen(&keys[&row.patient_id.0], &place, &row.result).await?;
            observations.insert(row.id.0, (row, result));
        }
        let mut said = HashMap::new();
        let opened = (op.clone(), &keys);
        rows.insert("AllergyIntolerance".to_owned(), chapter::<allergy::Entity>(&opened, &mut said).await?);
        let medications = chapter::<medication_statement::Entity>(&opened, &mut said).await?;
        rows.insert("MedicationRequest".to_owned(), medications);
        rows.insert("Immunization".to_owned(), chapter::<immunization::Entity>(&opened, &mut said).await?);
        rows.insert("Procedure".to_owned(), chapter::<procedure::Entity>(&opened, &mut said).await?);
        let mut bodies = HashMap::new();
        for row in document_version::Entity::find().all(db).await? {
            let place = op.place("document_version", row.id.0, row.patient_id.0);
            let body = op.open_unseen(&keys[&row.patient_id.0], &place, &row.body).await?;
            bodies.insert(row.document_id, body);
        }
        let mut documents = HashMap::new();
        for row in clinical_document::Entity::find().all(db).await? {
            let body = bodies.remove(&row.id).context("no version")?;
            documents.insert(row.id.0, (row, body));
        }
        rows.insert("DocumentReference".to_owned(), documents.len() as u64);
        let mut kept = HashMap::new();
        for row in fhir_resource::Entity::find().all(db).await? {
            let subject = row.patient_id.map_or(op.tenant().uuid(), |patient| patient.0);
            let body = op
                .open_unseen(&keys[&subject], &op.place("fhir_resource", row.id.0, subject), &row.body)
                .await?;
            let json: Value = serde_json::from_str(&body.json)?;
            let id = json["id"].as_str().unwrap_or_default().to_owned();
            let one = Kept { mapped: row.mapped_id, patient: row.patient_id.map(|patient| patient.0), json };
            assert!(kept.insert((row.resource_type, id), one).is_none(), "kept twice");
        }
        assert_eq!(import_source::Entity::find().count(db).await?, kept.len() as u64);
        let practitioners = practitioner_identifier::Entity::find().all(db).await?;
        let practitioners = practitioners.into_iter().map(|row| (row.value, row.practitioner_id)).collect();
        op.release().await;
        Ok(Self {
            rows,
            kept,
            patients,
            encounters,
            conditions,
            observations,
            said,
            documents,
            practitioners,
        })
    }

    pub(super) fn kept(&self, resource: &Value) -> &Kept {
        let name = |key: &str| resource[key].as_str().unwrap().to_owned();
        &self.kept[&(name("resourceType"), name("id"))]
    }

    pub(super) fn mapped(&self, resource: &Value) -> Uuid {
        self.kept(resource).mapped.unwrap()
    }

    /// The row that a reference of the form `urn:uuid:…` or `Type/…` points to.
    pub(super) fn target(&self, kind: &str, reference: &Value) -> Uuid {
        let reference = reference["reference"].as_str().unwrap();
        let id = reference.rsplit([':', '/']).next().unwrap();
        self.kept[&(kind.to_owned(), id.to_owned())].mapped.unwrap()
    }

    pub(super) fn encounter(&self, resource: &Value) -> &encounter::Model {
        &self.encounters[&self.mapped(resource)].0
    }
}

async fn chapter<C: Chapter>(
    (op, keys): &(Op<Read>, &HashMap<Uuid, Arc<DataKey>>),
    into: &mut HashMap<Uuid, Said>,
) -> Result<u64> {
    let rows = C::find().all(op.db()).await?;
    let count = rows.len() as u64;
    for row in rows {
        let head = C::head(&row);
        let place = op.place(C::MACHINE, head.id, head.patient.0);
        let clinical = op.open_unseen(&keys[&head.patient.0], &place, C::sealed(&row)).await?;
        let said = Said {
            patient: head.patient.0,
            encounter: head.encounter.map(|encounter| encounter.uuid()),
            status: C::status(&row).to_value(),
            clinical: serde_json::to_value(clinical)?,
        };
        into.insert(head.id, said);
    }
    Ok(count)
}
