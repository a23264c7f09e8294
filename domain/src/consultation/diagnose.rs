//! Diagnoses of a visit: which there are now, by code, rank and use.

use std::collections::{BTreeSet, HashMap};

use praxis_entity::{
    condition::{self, ClinicalStatus, ConditionCategory, VerificationStatus},
    encounter,
    encounter_diagnosis::{self, Column, DiagnosisStatus, DiagnosisUse},
    ids::{ConditionId, DiagnosisId},
    value::{CodeableConcept, Coding, ConditionClinical},
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
    literal::Literal,
    vault::IndexField,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};

use crate::{
    Error, Result, Violation, ViolationCode, clinic,
    error::Violations,
    history::{self, RecordCondition},
    page::any_of,
    rights,
    rows::refused,
};

/// Code system of ICD-10-CM.
const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const MOST: usize = 30;

/// A diagnosis to be made.
#[derive(Debug, Clone)]
pub struct NewDiagnosis {
    /// ICD-10-CM code, for example `E11.9`.
    pub code: String,
    /// The text that the clinician saw or wrote.
    pub text: Option<String>,
    /// 1 for the one that the visit is mainly about.
    pub rank: i32,
    /// What it is for.
    pub purpose: DiagnosisUse,
    /// The problem on the patient's list that it is, if it is there already.
    pub condition: Option<ConditionId>,
}

/// Whether a code has the shape of ICD-10-CM: `E11.9`, `U07.1`, `Z3A.20`.
fn has_shape(code: &str) -> bool {
    let (category, rest) =
        code.split_once('.').map_or((code, None), |(category, rest)| (category, Some(rest)));
    let digit_or_letter = |letter: u8| letter.is_ascii_digit() || letter.is_ascii_uppercase();
    let category = match category.as_bytes() {
        [letter, first, second] => {
            letter.is_ascii_uppercase()
                && first.is_ascii_digit()
                && matches!(second, b'0'..=b'9' | b'A' | b'B')
        }
        _ => false,
    };
    category && rest.is_none_or(|rest| (1..=4).contains(&rest.len()) && rest.bytes().all(digit_or_letter))
}

/// Checks each on its own, and that no rank and no code is there twice.
pub(super) fn judged(found: &mut Violations, all: Vec<NewDiagnosis>) -> Vec<NewDiagnosis> {
    if all.len() > MOST {
        found.add(ViolationCode::TooLong, &["diagnoses"], format!("There are more than {MOST} diagnoses."));
        return Vec::new();
    }
    let (mut ranks, mut codes) = (BTreeSet::new(), BTreeSet::new());
    let judge = |(at, mut new): (usize, NewDiagnosis)| {
        let at = at.to_string();
        let code = new.code.trim().to_ascii_uppercase();
        if !has_shape(&code) {
            let message = "This does not have the shape of an ICD-10-CM code, such as E11.9.";
            found.add(ViolationCode::Invalid, &["diagnoses", &at, "code"], message);
        }
        if !(1..=50).contains(&new.rank) {
            found.add(
                ViolationCode::OutOfRange,
                &["diagnoses", &at, "rank"],
                "A rank lies between 1 and 50.",
            );
        }
        if !ranks.insert(new.rank) {
            let message = "Another diagnosis of this visit has this rank.";
            found.add(ViolationCode::AlreadyExists, &["diagnoses", &at, "rank"], message);
        }
        if !codes.insert(code.clone()) {
            let message = "This code is among the diagnoses of this visit already.";
            found.add(ViolationCode::AlreadyExists, &["diagnoses", &at, "code"], message);
        }
        let path = ["diagnoses", at.as_str(), "text"];
        new.text = clinic::text::optional_line(found, &path, new.text.as_deref(), 500);
        NewDiagnosis { code, ..new }
    };
    all.into_iter().enumerate().map(judge).collect()
}

/// Makes these the diagnoses of the visit: what is the same stays, the rest is withdrawn, what is new is made. A
/// condition that was made in this visit and stands for no diagnosis any more was recorded in error.
pub(super) async fn replace(
    op: &Op<Write>,
    encounter: &encounter::Model,
    wanted: Vec<NewDiagnosis>,
) -> Result<()> {
    let recorded = Recorded::of(op, encounter).await?;
    let mut fresh = Vec::new();
    let mut kept = BTreeSet::new();
    for (at, new) in wanted.into_iter().enumerate() {
        let form = coding(&new.code).search_form();
        let token = op.token(IndexField::Code, &form).await?.ok_or(Failure::KeyUnavailable)?;
        let known = recorded.said_before(&new, &token);
        match known.filter(|row| row.rank == new.rank && row.purpose == new.purpose) {
            Some(row) => {
                kept.insert(row.id);
            }
            None => fresh.push((at, known.map(|row| row.condition_id), new, token)),
        }
    }
    let gone: Vec<_> = recorded.rows.iter().filter(|row| !kept.contains(&row.id)).collect();
    if !gone.is_empty() {
        encounter_diagnosis::Entity::update_many()
            .col_expr(Column::Status, Expr::value(DiagnosisStatus::Withdrawn))
            .filter(any_of(Column::Id, gone.iter().map(|row| row.id.0).collect()))
            .exec(op.db())
            .await?;
    }
    for (at, known, new, token) in fresh {
        let condition = match (new.condition, known) {
            (Some(id), _) => listed(op, encounter, id, &token, at).await?,
            (None, Some(id)) => id,
            (None, None) => made(op, encounter, &new).await?,
        };
        let row = encounter_diagnosis::ActiveModel {
            id: Set(DiagnosisId(op.new_id())),
            encounter_id: Set(encounter.id),
            patient_id: Set(encounter.patient_id),
            condition_id: Set(condition),
            status: Set(DiagnosisStatus::Recorded),
            rank: Set(new.rank),
            purpose: Set(new.purpose),
            code_token: Set(token),
            ..Default::default()
        };
        encounter_diagnosis::Entity::insert(row).exec_without_returning(op.db()).await.map_err(explain)?;
    }
    history::withdraw(op, encounter, gone.iter().map(|row| row.condition_id)).await
}

/// The diagnoses of a visit as they are, with what their conditions say.
struct Recorded {
    rows: Vec<encounter_diagnosis::Model>,
    texts: HashMap<ConditionId, Option<String>>,
}

impl Recorded {
    async fn of(op: &Op<Write>, encounter: &encounter::Model) -> Result<Self> {
        let rows = encounter_diagnosis::Entity::find()
            .filter(Column::EncounterId.eq(encounter.id))
            .filter(Column::Status.is(DiagnosisStatus::Recorded))
            .all(op.db())
            .await?;
        if rows.is_empty() {
            return Ok(Self { rows, texts: HashMap::new() });
        }
        let ids = rows.iter().map(|row| row.condition_id.0).collect();
        let conditions =
            condition::Entity::find().filter(any_of(condition::Column::Id, ids)).all(op.db()).await?;
        let patient = encounter.patient_id.0;
        let key = op.data_key(patient).await?;
        let mut texts = HashMap::new();
        for condition in conditions {
            let place = op.place("condition", condition.id.0, patient);
            let clinical = op.open_unseen(&key, &place, &condition.clinical).await?;
            texts.insert(condition.id, clinical.code.text);
        }
        Ok(Self { rows, texts })
    }

    /// The diagnosis that says this already: the same code, and the same problem or the same words.
    fn said_before(&self, new: &NewDiagnosis, token: &[u8]) -> Option<&encounter_diagnosis::Model> {
        let says_so = |row: &&encounter_diagnosis::Model| match new.condition {
            Some(condition) => row.condition_id == condition,
            None => new
                .text
                .as_ref()
                .is_none_or(|text| self.texts.get(&row.condition_id).and_then(Option::as_ref) == Some(text)),
        };
        self.rows.iter().filter(|row| row.code_token == token).find(says_so)
    }
}

/// The problem on the patient's list, if it is one and carries the code; it stays as it is until the diagnosis is made.
async fn listed(
    op: &Op<Write>,
    encounter: &encounter::Model,
    id: ConditionId,
    token: &[u8],
    at: usize,
) -> Result<ConditionId> {
    let path = ["diagnoses", &at.to_string(), "conditionId"];
    let unknown = || Violation::at(ViolationCode::NotFound, &path, "This does not exist.");
    let found = condition::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or_else(unknown)?;
    let rights = rights::on(op, found.patient_id, &Row::from(&found)).await?;
    if found.patient_id != encounter.patient_id || !rights.may(Permission::CONDITION_READ) {
        return Err(unknown().into());
    }
    if found.verification_status == VerificationStatus::EnteredInError {
        let message = "This problem was recorded in error.";
        return Err(Violation::at(ViolationCode::Invalid, &path, message).into());
    }
    if !found.code_tokens.iter().any(|known| known == token) {
        let message = "This problem is not coded with the code of the diagnosis.";
        return Err(Violation::at(ViolationCode::Invalid, &path, message).into());
    }
    Ok(id)
}

async fn made(op: &Op<Write>, encounter: &encounter::Model, new: &NewDiagnosis) -> Result<ConditionId> {
    let code = CodeableConcept { text: new.text.clone(), codings: vec![coding(&new.code)] };
    let condition = RecordCondition {
        patient: encounter.patient_id,
        encounter: Some(encounter.id),
        recorder: op.actor().practitioner,
        category: ConditionCategory::EncounterDiagnosis,
        clinical_status: Some(ClinicalStatus::Active),
        verification_status: VerificationStatus::Confirmed,
        recorded_at: Some(op.now()),
        abated_at: None,
        clinical: ConditionClinical {
            code,
            severity: None,
            body_sites: Vec::new(),
            onset: None,
            abatement: None,
            recorded: None,
            notes: Vec::new(),
        },
    };
    let stored = history::diagnose(op, condition).await?;
    Ok(stored.id)
}

fn coding(code: &str) -> Coding {
    Coding { system: ICD_10_CM.to_owned(), code: code.to_owned(), display: None, version: None }
}

fn explain(error: sea_orm::DbErr) -> Error {
    refused(error, |constraint| match constraint {
        "encounter_diagnosis_rank_unique" => {
            let message = "Another diagnosis of this visit has this rank.";
            Some(Violation::at(ViolationCode::AlreadyExists, &["diagnoses"], message))
        }
        "encounter_diagnosis_code_unique" => {
            let message = "This code is among the diagnoses of this visit already.";
            Some(Violation::at(ViolationCode::AlreadyExists, &["diagnoses"], message))
        }
        "encounter_diagnosis_condition_fk" => Some(Violation::unknown("diagnoses")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_code_is_that_of_icd_10_cm() {
        for code in ["E11.9", "U07.1", "Z3A.20", "I10", "M80.051A", "C7A.00", "S72.001A", "D3B"] {
            let shaped = has_shape(code);
            assert_eq!(shaped, code != "M80.051A" || "051A".len() == 4, "{code}");
        }
        for code in ["", "e11.9", "E1", "11.9", "E11.", "E11.12345", "E11.9 ", "EE1.9", "E11,9", "E1C.9"] {
            assert!(!has_shape(code), "{code}");
        }
    }

    #[test]
    fn no_rank_and_no_code_is_there_twice() {
        let new = |code: &str, rank: i32| NewDiagnosis {
            code: code.to_owned(),
            text: None,
            rank,
            purpose: DiagnosisUse::Discharge,
            condition: None,
        };
        let mut found = Violations::default();
        judged(&mut found, vec![new("E11.9", 1), new("I10", 1), new("e11.9", 2)]);
        let Err(Error::Violated(wrong)) = found.check() else { panic!("two are there twice") };
        let paths: Vec<_> = wrong.iter().map(|one| one.path.join(".")).collect();
        assert_eq!(paths, ["diagnoses.1.rank", "diagnoses.2.code"]);
    }
}
