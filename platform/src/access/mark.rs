//! The mark of all that says who may do what at a clinic: another one after each change.
//!
//! What was learnt of somebody under a mark holds while the mark does. So nobody has to be told when it changes, and nothing
//! is believed for a while: whoever remembers compares, in the statement that writes down what was done.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, QueryResult, Statement};
use uuid::Uuid;

use crate::{Failure, tenancy::TenantDb};

/// Says that nothing changed of what people at a clinic may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccessMark(Uuid);

impl AccessMark {
    /// The mark that holds now, for a statement that reads under it: all of one statement is of one moment.
    pub(crate) const NOW: &'static str = "(SELECT mark FROM access_mark)";

    /// As it is stored.
    pub(crate) fn value(self) -> Uuid {
        self.0
    }

    /// Whether it still holds.
    pub async fn holds_at(self, db: &TenantDb) -> Result<bool, Failure> {
        let ask = "SELECT EXISTS (SELECT FROM access_mark WHERE mark = $1) AS holds";
        let ask = Statement::from_sql_and_values(DbBackend::Postgres, ask, [self.0.into()]);
        Ok(db.query_one_raw(ask).await?.map(|row| row.try_get("", "holds")).transpose()?.unwrap_or(false))
    }
}

impl FromQueryResult for AccessMark {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(row.try_get(prefix, "mark")?))
    }
}
