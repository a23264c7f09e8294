//! How an operation ended stands in the log as the caller was told it, whichever part refused.

use anyhow::Result;
use serde_json::{Value, json};

use super::Clinic;

impl Clinic {
    /// What the log says of the operation with this name: what, how it ended, why.
    async fn said_of(&mut self, operation: &str) -> Result<Vec<String>> {
        let select = format!(
            "SELECT concat_ws(' ', action, outcome, reason) FROM {}.audit_entry WHERE operation_name = $1 ORDER BY 1",
            self.schema
        );
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).bind(operation);
        Ok(rows.fetch_all(&mut self.admin).await?)
    }
}

#[tokio::test]
async fn each_refusal_and_failure_is_named_by_its_field_and_none_is_a_reading() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let steps: [(&str, &str, &str, &str, &[&str]); 8] = [
        // An id of another kind fails before any rule is asked.
        (
            "nurse",
            "WrongId",
            "mutation WrongId { patientUpdate(input: { id: \"app_01jd3k5n8re6ktp1rb6z9q4x2m\", ifVersion: 1 }) { userErrors { code } } }",
            "BAD_USER_INPUT",
            &["Mutation.patientUpdate FAILED BAD_USER_INPUT"],
        ),
        // A nurse may look for patients, and not by what a nurse may not read: that is for the domain to say.
        (
            "nurse",
            "ByNumber",
            "query ByNumber { them: patient(by: { nationalId: \"943 476 5919\" }) { id } }",
            "FORBIDDEN",
            &["Query.patient DENIED FORBIDDEN"],
        ),
        // The resolver says it, under another name and in a fragment.
        (
            "receptionist",
            "Hidden",
            "query Hidden { ...Rest } fragment Rest on Query { log: auditEntries { nodes { id } } facilities { code } }",
            "FORBIDDEN",
            &["Query.auditEntries DENIED FORBIDDEN"],
        ),
        // One is read, the other refused.
        (
            "nurse",
            "Half",
            "query Half { patient(by: { id: \"PATIENT\" }) { name { full } } other: patient(by: { nationalId: \"943 476 5919\" }) { id } }",
            "FORBIDDEN",
            &["Query.patient DENIED FORBIDDEN", "disclose OK"],
        ),
        // Deep in the answer.
        (
            "nurse",
            "Deep",
            "query Deep { patient(by: { id: \"PATIENT\" }) { visits: appointments(first: 1, after: \"x\") { nodes { id } } } }",
            "BAD_USER_INPUT",
            &["Patient.appointments FAILED BAD_USER_INPUT"],
        ),
        // Without the permission.
        (
            "nurse",
            "Denied",
            "mutation Denied { roleCreate(input: { code: \"x\", name: \"X\", description: \"X\", permissions: [\"*\"] }) { role { id } } }",
            "FORBIDDEN",
            &["Mutation.roleCreate DENIED FORBIDDEN"],
        ),
        // Without a fresh second factor.
        (
            "nurse",
            "StepUp",
            "mutation StepUp { breakGlassDeclare(input: { patientId: \"PATIENT\", category: THREAT_TO_LIFE, classes: [CLINICAL], reason: \"Unconscious after a fall, allergies unknown\" }) { breakGlass { id } } }",
            "STEP_UP_REQUIRED",
            &["Mutation.breakGlassDeclare DENIED STEP_UP_REQUIRED"],
        ),
        // Nothing is wrong, and nothing of a patient is in it.
        ("nurse", "Plain", "query Plain { facilities { code } }", "", &["read OK"]),
    ];
    let patient = {
        let desk = clinic.server.person("northside", "receptionist").await;
        desk.register("Ada", "Quill", "1990-01-02").await
    };
    for (role, operation, query, code, expected) in steps {
        {
            let person = clinic.server.person("northside", role).await;
            let answer = person.send(&query.replace("PATIENT", &patient), json!({}), &[]).await;
            assert_eq!(answer.code(), code, "{operation}: {}", answer.text);
        }
        assert_eq!(clinic.said_of(operation).await?, expected, "{operation}");
    }
    Ok(())
}

#[tokio::test]
async fn asking_by_what_the_clinic_closed_is_a_denied_attempt() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    {
        let owner = clinic.server.proven("northside", "owner").await;
        let input = json!({ "type": "Patient", "field": "phone", "permission": "audit:read", "reason": "House rule." });
        let set = owner.run("fieldPolicySet", "userErrors { code }", input).await;
        assert_eq!(set["userErrors"], json!([]));
        // What a server remembers of policies it forgets within two seconds.
        tokio::time::sleep(std::time::Duration::from_millis(2_050)).await;
        let nurse = clinic.server.person("northside", "nurse").await;
        let probe = "query Probe($filter: PatientFilter!) { patients(filter: $filter) { totalCount } }";
        let filter = json!({ "filter": { "phone": { "eq": "+442079460123" } } });
        assert_eq!(nurse.send(probe, filter, &[]).await.code(), "FORBIDDEN");
        // A field that is kept back in silence is what the role always sees, and no attempt.
        let seen = nurse.ask("query Seen { patients { nodes { mrn phone } } }", json!({})).await;
        assert_eq!(seen["patients"]["nodes"], json!([]));
    }
    assert_eq!(clinic.said_of("Probe").await?, ["Patient.phone DENIED FORBIDDEN"]);
    assert_eq!(clinic.said_of("Seen").await?, ["read OK"]);
    Ok(())
}

#[tokio::test]
async fn what_is_refused_in_every_row_of_a_list_is_one_entry() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    {
        let desk = clinic.server.person("northside", "receptionist").await;
        for (given, family, born) in
            [("Ada", "Quill", "1990-01-02"), ("Bea", "Rook", "1961-03-04"), ("Cy", "Stone", "1975-05-06")]
        {
            desk.register(given, family, born).await;
        }
        // A client that asks for an error where something is kept back is told, and so is the log.
        let nurse = clinic.server.person("northside", "nurse").await;
        let query = "query Rows { patients { nodes { nationalId } } }";
        let answer = nurse.send(query, json!({}), &[("praxis-redaction", "error")]).await;
        assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(3), "{}", answer.text);
        assert_ne!(answer.body["data"], Value::Null);
    }
    assert_eq!(clinic.said_of("Rows").await?, ["Patient.nationalId DENIED FORBIDDEN"]);
    Ok(())
}
