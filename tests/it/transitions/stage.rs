//! What the machines act on: patients, clinicians, and the objects that no single mutation makes.

use anyhow::Result;
use chrono::{Days, NaiveDate, SecondsFormat, TimeDelta};
use praxis_entity::{
    encounter::EncounterStatus,
    ids::{AnyId, ApiClientId, NotificationId, SecurityAlertId},
};
use praxis_platform::clock::Clock;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::walk::Walker;
use crate::{rules, tasks};

impl Walker<'_> {
    /// Names that stay for all objects of a walker.
    pub(super) async fn furnish(&mut self) -> Result<()> {
        let now = self.server.clock.now();
        let at = |by: TimeDelta| (now + by).to_rfc3339_opts(SecondsFormat::Secs, true);
        self.names.extend([
            ("past", at(-TimeDelta::hours(1))),
            ("soon", at(TimeDelta::minutes(30))),
            ("later", at(TimeDelta::days(7))),
            ("latest", at(TimeDelta::days(30))),
            ("schema", self.schema.clone()),
        ]);
        let me = self.first.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
        self.names.insert("me", text(&me));
        let there = self.owner.ask("{ facilities { id } }", json!({})).await["facilities"].clone();
        let facility = match there.as_array().unwrap().first() {
            Some(facility) => text(&facility["id"]),
            None => self.owner.facility("MAIN").await,
        };
        self.names.insert("facility", facility);
        match self.machine.machine {
            "clinical_document" => {
                let section = json!({ "code": "51848-0", "title": "Assessment", "required": true });
                let template = json!({ "title": "Walked", "type": "34748-4", "sections": [section] });
                let made = self.made("documentTemplateAdd", "documentTemplate", template).await;
                self.names.insert("template", made);
            }
            "workflow_instance" => {
                let step = json!({ "key": "one", "task": "ONE", "role": "nurse" });
                let workflow = json!({ "code": "walked", "name": "Walked", "steps": [step] });
                let id = self.made("workflowDefine", "workflowDefinition", workflow).await;
                self.made("workflowActivate", "workflowDefinition", json!({ "id": id, "ifVersion": 1 }))
                    .await;
            }
            "alert" => rules::low_oxygen_in_use(self.server, "CRITICAL").await,
            _ => {}
        }
        Ok(())
    }

    /// Somebody new whom the next object is about, and by whom it is seen.
    pub(super) async fn introduce(&mut self) {
        let (name, born) = self.somebody();
        // Without telephone and e-mail, which families share.
        let person = json!({ "name": { "given": ["Ada"], "family": name }, "birthDate": born });
        let patient = self.made("patientCreate", "patient", person).await;
        let practitioner = self.owner.clinician("Osei").await;
        let (name, born) = self.somebody();
        self.names.extend([
            ("patient", patient),
            ("practitioner", practitioner),
            ("name", name),
            ("born", born),
        ]);
        if self.machine.machine == "waitlist_entry" {
            // An offer is a time that is held for whoever waits.
            let visit = self.input(
                r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "$later" }"#,
            );
            let held = self.made("appointmentHold", "appointment", json!({ "visit": visit })).await;
            self.names.insert("held", uuid(&held).to_string());
        }
    }

    /// An object that the system makes, or several mutations; its id.
    pub(super) async fn stage(&self) -> Result<String> {
        let mut sql = self.server.installation.admin().await?;
        let (id, schema) = (self.server.clock.new_id(), &self.schema);
        let mut insert = async |into: &str| sql.execute(AssertSqlSafe(into.to_owned())).await;
        Ok(match self.machine.machine {
            "observation" => {
                let visit =
                    self.made("encounterCreate", "encounter", self.input(r#"{ "patientId": "$patient" }"#));
                let visit = visit.await;
                self.made("encounterCheckIn", "encounter", json!({ "id": visit, "ifVersion": 1 })).await;
                let vitals = json!({ "id": visit, "heartRate": { "value": "72", "unit": "/min" } });
                let select = "vitalSigns { observations { id } }";
                let taken = self.owner.run("vitalsRecord", select, vitals).await;
                text(&taken["vitalSigns"]["observations"][0]["id"])
            }
            "alert" => {
                let patient = &self.names["patient"];
                let visit = tasks::visit(self.server, patient, EncounterStatus::InProgress).await;
                rules::measure(self.server, patient, visit, &[("59408-5", "80", "%")]).await;
                rules::ask(self.server, patient, visit, id).await;
                let query = format!(
                    r#"{{ alerts(filter: {{ encounter: {{ eq: "{visit}" }} }}) {{ nodes {{ id }} }} }}"#
                );
                text(&self.owner.ask(&query, json!({})).await["alerts"]["nodes"][0]["id"])
            }
            "api_client" => {
                insert(&format!(
                    "INSERT INTO {schema}.api_client (id, name, permissions, operations, rate_points, rate_restore)
                     VALUES ('{id}', '{id}', '{{}}', '{{}}', 1, 1)"
                ))
                .await?;
                ApiClientId(id).to_string()
            }
            "security_alert" => {
                insert(&format!(
                    "INSERT INTO {schema}.security_alert (id, kind, status, seen, threshold, window_minutes, dedupe_key)
                     SELECT '{id}', min(kind), 'OPEN', 1, 1, 1, '{id}' FROM {schema}.alert_rule"
                ))
                .await?;
                SecurityAlertId(id).to_string()
            }
            "notification" => {
                let me = uuid(&self.names["me"]);
                insert(&format!(
                    "INSERT INTO {schema}.notification (id, topic, subject_kind, subject_id, user_id, channel, dedupe_key, scheduled_for, next_attempt_at)
                     VALUES ('{id}', 'TASK_ASSIGNED', 'TASK', '{id}', '{me}', 'EMAIL', '{id}', now(), now())"
                ))
                .await?;
                NotificationId(id).to_string()
            }
            machine => unreachable!("nobody knows how a {machine} is made"),
        })
    }

    /// Runs a mutation as the clinic's owner; the id of what it made or changed.
    async fn made(&self, mutation: &str, path: &str, input: Value) -> String {
        let select = format!("{path} {{ id }} userErrors {{ code message }}");
        let made = self.owner.run(mutation, &select, input).await;
        assert_eq!(made["userErrors"], json!([]), "{mutation}");
        text(&made[path]["id"])
    }

    /// A name and a birthday that nobody has.
    fn somebody(&mut self) -> (String, String) {
        self.count += 1;
        let letters = self.count.to_string();
        let letters = letters.bytes().map(|digit| char::from(digit - b'0' + b'a'));
        let born = NaiveDate::default() - Days::new(self.count);
        (format!("{}walker", letters.collect::<String>()), born.to_string())
    }
}

/// A text of an answer.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The row that an id stands for.
pub(super) fn uuid(id: &str) -> Uuid {
    id.parse::<AnyId>().unwrap().uuid()
}
