//! What of a patient decides about access, as columns of the statement that finds the patient.
//!
//! Whoever reads a patient needs both, so one statement brings both; what may be done is then judged here, not there.

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{FacilityId, UserId},
    patient,
};
use sea_orm::{
    ActiveEnum, DbErr, FromQueryResult, QueryResult, Value,
    sea_query::{Expr, SelectStatement},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Actor, Directive, Facts, RecordClass, Sensitivity, Whom};

const KNOWN_AT: &str = "ARRAY(SELECT facility_id FROM patient_facility WHERE patient_id = patient.id)";
const CARE_TEAM: &str = "EXISTS (SELECT FROM care_team_member t WHERE t.patient_id = patient.id
    AND (t.user_id = $2 OR t.practitioner_id = $3) AND t.starts_at <= $1 AND (t.ends_at IS NULL OR t.ends_at > $1))";
const LABELS: &str = "(SELECT jsonb_agg(jsonb_build_array(object_id, level)) FROM sensitivity_label
    WHERE patient_id = patient.id AND level <> 'N')";
const DIRECTIVES: &str =
    "(SELECT jsonb_agg(to_jsonb(d)) FROM (SELECT decision, class, scope, facility_id, role_code, user_id
    FROM consent_directive WHERE patient_id = patient.id AND revoked_at IS NULL
    AND starts_at <= $1 AND (ends_at IS NULL OR ends_at > $1)) AS d)";

/// Has a query of patients bring along what decides about them for the actor.
pub(crate) fn bring(found: &mut SelectStatement, actor: &Actor, now: DateTime<Utc>) {
    let (user, practitioner) = (actor.user.map(|user| user.0), actor.practitioner.map(|it| it.0));
    let now = || Value::from(now);
    for (name, column, values) in [
        ("known_at", KNOWN_AT, vec![]),
        ("care_team", CARE_TEAM, vec![now(), user.into(), practitioner.into()]),
        ("labels", LABELS, vec![]),
        ("directives", DIRECTIVES, vec![now()]),
    ] {
        // A text without values is written as it is; one with values is looked through for where they go, each time.
        let column =
            if values.is_empty() { Expr::cust(column) } else { Expr::cust_with_values(column, values) };
        found.expr_as(column, name);
    }
}

impl FromQueryResult for Facts {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let known_at: Vec<Uuid> = row.try_get(prefix, "known_at")?;
        let status: String = row.try_get(prefix, "status")?;
        let labels: Option<Vec<(Uuid, String)>> = json(row, prefix, "labels")?;
        let directives: Option<Vec<Stored>> = json(row, prefix, "directives")?;
        Ok(Self {
            known_at: known_at.into_iter().map(FacilityId).collect(),
            care_team: row.try_get(prefix, "care_team")?,
            in_care: status == patient::PatientStatus::Active.to_value(),
            directives: directives.unwrap_or_default().into_iter().filter_map(Stored::directive).collect(),
            labels: labels
                .unwrap_or_default()
                .into_iter()
                .map(|(object, level)| (object, Sensitivity::parse(&level)))
                .collect(),
        })
    }
}

/// A directive as it is stored.
#[derive(Deserialize)]
struct Stored {
    decision: String,
    class: String,
    scope: String,
    facility_id: Option<Uuid>,
    role_code: Option<String>,
    user_id: Option<Uuid>,
}

impl Stored {
    fn directive(self) -> Option<Directive> {
        let permit = self.decision == "PERMIT";
        // What this version does not know, of whom or of what, is denied whole and permitted not at all.
        let whom = match (self.scope.as_str(), self.facility_id, self.user_id, self.role_code) {
            ("FACILITY", Some(facility), ..) => Whom::Facility(FacilityId(facility)),
            ("USER", _, Some(user), _) => Whom::User(UserId(user)),
            ("ROLE", _, _, Some(role)) => Whom::Role(role),
            ("ANYONE", ..) => Whom::Anyone,
            _ if permit => return None,
            _ => Whom::Anyone,
        };
        let class = RecordClass::parse(&self.class).or((!permit).then_some(RecordClass::All))?;
        Some(Directive { permit, class, whom })
    }
}

fn json<T: serde::de::DeserializeOwned>(
    row: &QueryResult,
    prefix: &str,
    column: &str,
) -> Result<Option<T>, DbErr> {
    let found: Option<serde_json::Value> = row.try_get(prefix, column)?;
    found.map(serde_json::from_value).transpose().map_err(|error| DbErr::Type(format!("{column}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(decision: &str, class: &str, scope: &str) -> Option<Directive> {
        let (decision, class, scope) = (decision.to_owned(), class.to_owned(), scope.to_owned());
        Stored { decision, class, scope, facility_id: None, role_code: None, user_id: None }.directive()
    }

    #[test]
    fn what_is_not_known_is_denied_whole_and_permitted_not_at_all() {
        let all = Directive { permit: false, class: RecordClass::All, whom: Whom::Anyone };
        assert_eq!(stored("DENY", "A_LATER_CLASS", "ANYONE"), Some(all.clone()));
        assert_eq!(stored("DENY", "ALL", "A_LATER_SCOPE"), Some(all));
        assert_eq!(stored("PERMIT", "A_LATER_CLASS", "ANYONE"), None);
        assert_eq!(stored("PERMIT", "ALL", "A_LATER_SCOPE"), None);
        assert!(stored("PERMIT", "ALL", "ANYONE").is_some_and(|known| known.permit));
    }
}
