//! Nothing in the schema can be done or asked without an entry: found by running all of it once.

use anyhow::Result;
use serde_json::{Value, json};

use super::Clinic;

/// The query by which tools learn a schema.
const INTROSPECTION: &str = include_str!("../../../graphql/src/limits/introspection.graphql");

/// A literal for an argument or field of this name: the least that its scalars accept.
fn literal(types: &[Value], of: &str, ty: &Value) -> String {
    let name = ty["name"].as_str().unwrap_or_default();
    match ty["kind"].as_str().unwrap() {
        "NON_NULL" => literal(types, of, &ty["ofType"]),
        "LIST" => format!("[{}]", literal(types, of, &ty["ofType"])),
        "ENUM" => named(types, name)["enumValues"][0]["name"].as_str().unwrap().to_owned(),
        "INPUT_OBJECT" => {
            let fields = named(types, name)["inputFields"].as_array().unwrap();
            let required: Vec<_> = fields.iter().filter(|field| is_required(field)).collect();
            // Where nothing is required, one of them may be.
            let given = if required.is_empty() { fields.iter().take(1).collect() } else { required };
            let given: Vec<_> = given
                .iter()
                .map(|field| {
                    format!(
                        "{}: {}",
                        field["name"].as_str().unwrap(),
                        literal(types, field["name"].as_str().unwrap(), &field["type"])
                    )
                })
                .collect();
            format!("{{ {} }}", given.join(", "))
        }
        _ => match name {
            "Int" => "1".to_owned(),
            "Float" => "1.5".to_owned(),
            "Boolean" => "true".to_owned(),
            "ID" => {
                let kind = match of {
                    "practitionerId" => "pra",
                    "facilityId" => "fac",
                    _ => "pat",
                };
                format!("\"{kind}_01jd3k5n8re6ktp1rb6z9q4x2m\"")
            }
            "DateTime" => "\"2027-01-04T09:00:00Z\"".to_owned(),
            "Date" => "\"2027-01-04\"".to_owned(),
            "PartialDate" => "\"1990\"".to_owned(),
            "LocalTime" => "\"09:00\"".to_owned(),
            "TimeZone" => "\"Europe/London\"".to_owned(),
            "Decimal" => "\"1.5\"".to_owned(),
            "EmailAddress" => "\"ada@example.org\"".to_owned(),
            "PhoneNumber" => "\"+442079460123\"".to_owned(),
            "PasskeyRegistration" => {
                "{ rawId: \"eA\", type: \"public-key\", response: { clientDataJSON: \"eA\", attestationObject: \"eA\" } }".to_owned()
            }
            "URL" | "Url" => "\"https://example.org\"".to_owned(),
            _ => "\"x\"".to_owned(),
        },
    }
}

fn named<'a>(types: &'a [Value], name: &str) -> &'a Value {
    types.iter().find(|ty| ty["name"] == name).unwrap()
}

fn is_required(input: &Value) -> bool {
    input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null()
}

fn is_composite(ty: &Value) -> bool {
    match ty["kind"].as_str().unwrap() {
        "NON_NULL" | "LIST" => is_composite(&ty["ofType"]),
        kind => matches!(kind, "OBJECT" | "INTERFACE" | "UNION"),
    }
}

#[tokio::test]
async fn every_operation_of_the_schema_run_once_leaves_an_entry() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let schema = {
        let owner = clinic.server.person("northside", "owner").await;
        owner.ask(INTROSPECTION, json!({})).await["__schema"].clone()
    };
    let types = schema["types"].as_array().unwrap();
    let mut missing = Vec::new();
    let mut tried = 0;
    for (kind, root) in [("query", "queryType"), ("mutation", "mutationType")] {
        let root = named(types, schema[root]["name"].as_str().unwrap());
        for field in root["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let arguments: Vec<_> =
                field["args"].as_array().unwrap().iter().filter(|arg| is_required(arg)).collect();
            let arguments: Vec<_> = arguments
                .iter()
                .map(|arg| {
                    format!(
                        "{}: {}",
                        arg["name"].as_str().unwrap(),
                        literal(types, arg["name"].as_str().unwrap(), &arg["type"])
                    )
                })
                .collect();
            let arguments =
                if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            let key =
                if kind == "mutation" { format!(" @idempotent(key: \"{name}\")") } else { String::new() };
            let select = if is_composite(&field["type"]) { " { __typename }" } else { "" };
            let operation = format!("{kind} Walk_{name} {{ {name}{arguments}{key}{select} }}");
            // Somebody new each time: one of the operations may end their session.
            let owner = clinic.server.person("northside", "owner").await;
            let (mut operation, mut answer) =
                (operation.clone(), owner.send(&operation, json!({}), &[]).await);
            // Which kind of id an argument takes, the answer says.
            for _ in 0..4 {
                let told = answer.text.split_once("This is not an id that begins with ");
                let Some(kind) = told.and_then(|(_, kind)| kind.get(..4)) else { break };
                operation = operation.replacen("pat_01jd", &format!("{kind}01jd"), 1);
                answer = owner.send(&operation, json!({}), &[]).await;
            }
            let find = format!("SELECT count(*) FROM audit_entry WHERE operation_name = 'Walk_{name}'");
            if clinic.number(&find).await? == 0 {
                missing.push(format!("{operation}: {}", answer.text));
            }
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    assert!(missing.is_empty(), "{missing:#?}");
    clinic.seal().await?;
    assert_eq!(clinic.first_bad(&[]), None);
    Ok(())
}

#[tokio::test]
async fn what_is_denied_or_fails_is_written_down_and_strangers_can_not_fill_the_log() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let (denied, refused) = {
        let desk = clinic.server.person("northside", "receptionist").await;
        let denied = desk.send("query Spy { auditEntries { nodes { id } } }", json!({}), &[]).await;
        let refused = desk
            .run(
                "patientCreate",
                "userErrors { code }",
                json!({ "name": { "given": [], "family": "" }, "birthDate": "1990" }),
            )
            .await;
        (denied, refused)
    };
    assert_eq!(denied.code(), "FORBIDDEN");
    assert_ne!(refused["userErrors"], json!([]));
    let select = "SELECT count(*) FROM audit_entry WHERE operation_name = 'Spy' AND outcome = 'DENIED' AND reason = 'FORBIDDEN' AND action = 'Query.auditEntries' AND actor_id IS NOT NULL";
    assert_eq!(clinic.number(select).await?, 1);
    let select = "SELECT count(*) FROM audit_entry WHERE action = 'Mutation.patientCreate' AND outcome = 'FAILED' AND reason <> ''";
    assert_eq!(clinic.number(select).await?, 1);

    let before = clinic.number("SELECT count(*) FROM audit_entry").await?;
    for _ in 0..50 {
        let answer = clinic
            .server
            .post(
                "northside.praxis.test",
                "/graphql",
                &[],
                json!({ "query": "{ patients { nodes { id } } }" }),
            )
            .await;
        assert_eq!(answer.code(), "UNAUTHENTICATED");
    }
    assert_eq!(clinic.number("SELECT count(*) FROM audit_entry").await?, before);
    let tenant = clinic.server.app.directory.by_slug("northside").unwrap().id;
    let waiting = clinic.server.app.platform.backlog.take().remove(&tenant).unwrap();
    praxis_domain::audit::keep(&clinic.system(), &waiting).await?;
    let times = "SELECT times::bigint FROM audit_entry WHERE action = 'graphql' AND outcome = 'DENIED'";
    assert_eq!(clinic.number(times).await?, 50);
    Ok(())
}
