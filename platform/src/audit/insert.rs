//! How entries get into the table: any number of them by one statement.
//!
//! They are given as lines (`docs/audit.md`), the very text that was authenticated. The statement has one text for any number,
//! and another under a mark, so that a connection keeps two of them prepared per clinic. The columns' types are spelled out,
//! for the table's own row type is another one in each tenant's schema.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{Failure, access::AccessMark};

const INSERT: &str = "\
    INSERT INTO audit_entry (id, at, actor_id, actor_kind, roles, session_id, facility_id, action, object_type, object_id, \
        object_version, patients, classes, purpose, operation_hash, request_id, source_address, outcome, on_behalf_of, \
        operation_name, reason, times, break_glass_id, change_hash, mac) \
    SELECT id, at, actor, actor_kind, roles, session, facility, action, object_type, object, \
        object_version, patients, classes, purpose, operation_hash, request, source, outcome, on_behalf_of, \
        operation, reason, times, break_glass, decode(change, 'hex'), decode(mac, 'hex') \
    FROM json_to_recordset($1::json) AS line (id uuid, at timestamptz, actor uuid, actor_kind text, roles text[], \
        session uuid, facility uuid, action text, object_type text, object uuid, object_version integer, patients uuid[], \
        classes text[], purpose text, operation_hash text, request uuid, source text, outcome text, on_behalf_of uuid, \
        operation text, reason text, times integer, break_glass uuid, change text, mac text)";

/// Only for those who were remembered under a mark. Clinics have one since version 36, and logs of older ones are written too.
const UNDER_MARK: &str = " WHERE EXISTS (SELECT FROM access_mark WHERE mark = $2)";

/// Writes lines, separated by commas, as entries. Under a mark only if it still holds: false, and nothing written, where it
/// does not.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    lines: &str,
    mark: Option<AccessMark>,
) -> Result<bool, Failure> {
    let lines = format!("[{lines}]").into();
    let (insert, values) = match mark {
        None => (INSERT.to_owned(), vec![lines]),
        Some(mark) => ([INSERT, UNDER_MARK].concat(), vec![lines, mark.value().into()]),
    };
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, insert, values);
    Ok(db.execute_raw(insert).await?.rows_affected() > 0)
}
