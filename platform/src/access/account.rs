//! Everything that an account is judged by, as columns of the statement that finds its session.
//!
//! Whoever is not remembered costs one statement by that and not four, which is most of a request at a clinic that nobody
//! asked for a second.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use serde::de::DeserializeOwned;

use super::{
    AccessMark, FieldPolicies, Override,
    emergency::{self, Open},
    grant::{HELD, Held},
    policy::{self, Bound},
};

/// What is known of an account, beside itself.
pub(crate) struct Account {
    /// What its memberships permit: a row for each branch, role and condition.
    pub(crate) held: Vec<Held>,
    /// What the clinic asks for in addition, of everybody.
    pub(crate) policies: FieldPolicies,
    /// What was open to it in an emergency when the database was asked.
    pub(crate) overrides: Vec<Override>,
    /// Under which all of this holds.
    pub(crate) mark: AccessMark,
}

impl Account {
    /// The columns, each with its name. They stand in a query of `session`.
    pub(crate) fn columns() -> [(&'static str, String); 4] {
        let rows = |of: &str| format!("(SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM ({of}) AS r)");
        let open = "SELECT id, patient_id, classes, expires_at FROM break_glass_open WHERE user_id = session.user_id";
        [
            ("held", rows(&HELD.replace("$1", "session.user_id"))),
            ("policies", rows("SELECT type_name, field_name, permission, condition FROM field_policy")),
            ("open", rows(open)),
            ("mark", AccessMark::NOW.to_owned()),
        ]
    }
}

impl FromQueryResult for Account {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let policies: Vec<Bound> = rows(row, prefix, "policies")?;
        let open: Vec<Open> = rows(row, prefix, "open")?;
        Ok(Self {
            held: rows(row, prefix, "held")?,
            policies: policies.into_iter().map(policy::extra).collect(),
            overrides: open.into_iter().map(emergency::over).collect(),
            mark: AccessMark::from_query_result(row, prefix)?,
        })
    }
}

fn rows<T: DeserializeOwned>(row: &QueryResult, prefix: &str, column: &str) -> Result<Vec<T>, DbErr> {
    let json = row.try_get(prefix, column)?;
    serde_json::from_value(json).map_err(|error| DbErr::Type(format!("{column}: {error}")))
}
