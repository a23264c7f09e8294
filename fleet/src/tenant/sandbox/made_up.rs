//! Values for a sandbox, made from nothing but a number: what they take the place of is never opened.

use praxis_entity::value::{
    AllergyClinical, AppointmentNote, ConditionClinical, Contact, EncounterClinical, EncounterText,
    FamilyHistoryClinical, Identifiers, Identity, ImmunizationClinical, MedicationClinical,
    ObservationResult, PhiClass, ProcedureClinical, RecordNumber, RelatedPersonDetails,
    SocialHistoryClinical,
};
use praxis_platform::vault::{DataKey, Place};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::tenant::LifeError;

const GIVEN: [&str; 12] =
    ["Alba", "Boris", "Clio", "Dario", "Edda", "Falk", "Gita", "Hugo", "Ines", "Jano", "Kaja", "Lars"];
const FAMILY: [&str; 11] =
    ["Almond", "Birch", "Cedar", "Damson", "Elder", "Fennel", "Ginkgo", "Hazel", "Ivory", "Juniper", "Larch"];

/// A sealed value for a column, made from a number; nothing where the column is not known here.
pub(super) fn sealed(
    table: &str,
    column: &str,
    number: u64,
    key: &DataKey,
    place: &Place,
) -> Result<Vec<u8>, LifeError> {
    match (table, column) {
        ("patient", "record_number") => {
            seal::<RecordNumber>(key, place, json!({ "mrn": format!("D{number:07}") }))
        }
        ("patient", "identity") => seal::<Identity>(key, place, identity(number)),
        ("patient", "contact") => seal::<Contact>(key, place, contact(number)),
        ("patient", "identifiers") => seal::<Identifiers>(key, place, json!({})),
        ("related_person", _) => seal::<RelatedPersonDetails>(key, place, related(number)),
        ("appointment", _) => seal::<AppointmentNote>(key, place, json!({ "reason": "made up" })),
        ("encounter", _) => {
            seal::<EncounterClinical>(key, place, json!({ "reasons": [{ "text": "made up" }] }))
        }
        ("encounter_note", _) => seal::<EncounterText>(key, place, json!({ "text": "made up" })),
        ("observation", _) => seal::<ObservationResult>(key, place, observation(number)),
        ("condition", _) => seal::<ConditionClinical>(key, place, coded("Made-up condition")),
        ("allergy", _) => seal::<AllergyClinical>(key, place, coded("Made-up substance")),
        ("medication_statement", _) => seal::<MedicationClinical>(key, place, coded("Made-up medication")),
        ("immunization", _) => {
            seal::<ImmunizationClinical>(key, place, json!({ "vaccine": { "text": "Made-up vaccine" } }))
        }
        ("procedure", _) => seal::<ProcedureClinical>(key, place, coded("Made-up procedure")),
        ("family_history", _) => {
            let relative = json!({ "relationship": { "text": "Relative" } });
            seal::<FamilyHistoryClinical>(key, place, relative)
        }
        ("social_history", _) => seal::<SocialHistoryClinical>(key, place, coded("Made-up habit")),
        _ => Err(LifeError::Malformed("a sealed column that no made-up value is known for")),
    }
}

fn seal<T: PhiClass + DeserializeOwned>(
    key: &DataKey,
    place: &Place,
    value: Value,
) -> Result<Vec<u8>, LifeError> {
    let value: T = serde_json::from_value(value).map_err(|_| LifeError::Malformed("made-up value"))?;
    Ok(key.seal(place, &value)?.as_bytes().to_vec())
}

fn pick(among: &[&'static str], number: u64) -> &'static str {
    let at = usize::try_from(number).unwrap_or(0) % among.len().max(1);
    among.get(at).copied().unwrap_or("Sam")
}

fn name(number: u64) -> Value {
    json!({ "given": [pick(&GIVEN, number)], "family": format!("{}-{number}", pick(&FAMILY, number)) })
}

fn identity(number: u64) -> Value {
    let born = format!("{}-{:02}-{:02}", 1930 + number * 7 % 90, 1 + number % 12, 1 + number * 5 % 28);
    json!({ "names": [name(number)], "birth_date": born })
}

/// Names and numbers that are set aside for made-up people: nobody is reached by them.
fn contact(number: u64) -> Value {
    json!({
        "points": [
            { "system": "EMAIL", "value": format!("patient-{number}@example.org") },
            { "system": "PHONE", "value": format!("+44770090{:04}", number % 1000) },
        ],
        "addresses": [{ "lines": [format!("{number} Sandbox Street")], "city": "Exampleton" }],
    })
}

fn related(number: u64) -> Value {
    json!({ "relationship": { "text": "Relative" }, "name": name(number + 1) })
}

fn observation(number: u64) -> Value {
    let value = format!("{}.{}", 60 + number % 40, number % 10);
    json!({
        "code": { "text": "Made-up measurement" },
        "value": { "quantity": { "value": value, "unit": "unit" } },
    })
}

fn coded(text: &str) -> Value {
    json!({ "code": { "text": text } })
}

#[cfg(test)]
mod tests {
    use praxis_entity::sealed_columns::SEALED;
    use uuid::Uuid;

    use super::*;
    use crate::tenant::sandbox::carry::CARRIED;

    #[test]
    fn there_is_a_made_up_value_for_every_sealed_column_that_is_carried() {
        let subject = Uuid::from_u128(2);
        let key = DataKey::generate(Uuid::from_u128(1), subject, 1).unwrap();
        let mut columns = 0;
        for table in SEALED.iter().filter(|table| CARRIED.contains(&table.name)) {
            let place = Place { tenant: Uuid::from_u128(1), table: table.bound, row: subject, subject };
            for (column, class) in table.columns {
                for number in [0, 1, 17, 4_711] {
                    let sealed = sealed(table.name, column, number, &key, &place).unwrap();
                    key.check(&place, class, &sealed).unwrap();
                }
                columns += 1;
            }
        }
        assert!(columns >= 16, "{columns}");
    }
}
