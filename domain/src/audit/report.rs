//! Reading the log: who did what, to whom, when; filtered, and sorted by any of it.

use praxis_entity::{audit_entry, ids::PatientId};
use praxis_platform::{Op, Read, access::Permission};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Order, QueryFilter,
    QuerySelect, QueryTrait,
    sea_query::{Expr, Query, SelectStatement},
};
use uuid::Uuid;

use crate::{PageRequest, Result, Slice, TimeRange, page};

/// Which entries. What is given side by side must all hold.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// When.
    pub at: TimeRange,
    /// Done by one of these users or clients.
    pub actors: Option<Vec<Uuid>>,
    /// About one of these patients.
    pub patients: Option<Vec<PatientId>>,
    /// One of these actions.
    pub actions: Option<Vec<String>>,
    /// On one of these kinds of object.
    pub object_types: Option<Vec<String>>,
    /// On this object.
    pub object: Option<Uuid>,
    /// Ended in one of these ways.
    pub outcomes: Option<Vec<String>>,
    /// Concerning one of these sensitivity classes.
    pub classes: Option<Vec<String>>,
    /// One of these operations.
    pub operations: Option<Vec<String>>,
    /// In this session.
    pub session: Option<Uuid>,
    /// Under emergency access, or not.
    pub break_glass: Option<bool>,
}

impl AuditFilter {
    /// Whether an index picks its entries, which the newest of the log need not be among.
    const fn is_narrow(&self) -> bool {
        let until = self.at.lt.is_some() || self.at.lte.is_some() || self.at.eq.is_some();
        until || self.actors.is_some() || self.patients.is_some() || self.object.is_some()
    }

    fn condition(&self) -> Condition {
        use audit_entry::Column;
        let uuids = |column: Column, values: &Option<Vec<Uuid>>| {
            values.as_ref().map(|values| Condition::all().add(page::any_of(column, values.clone())))
        };
        let texts = |column: Column, values: &Option<Vec<String>>| {
            values.as_ref().map(|values| Condition::all().add(column.is_in(values.clone())))
        };
        let overlaps = |expression: Option<Expr>| expression.map(|found| Condition::all().add(found));
        let patients = self.patients.as_ref().map(|patients| {
            let ids: Vec<Uuid> = patients.iter().map(|patient| patient.0).collect();
            Expr::cust_with_values("patients && $1", [ids])
        });
        let classes =
            self.classes.as_ref().map(|classes| Expr::cust_with_values("classes && $1", [classes.clone()]));
        let break_glass = self.break_glass.map(|under| {
            let column = Column::BreakGlassId;
            Condition::all().add(if under { column.is_not_null() } else { column.is_null() })
        });
        [
            Some(self.at.condition(Column::At)),
            uuids(Column::ActorId, &self.actors),
            overlaps(patients),
            texts(Column::Action, &self.actions),
            texts(Column::ObjectType, &self.object_types),
            self.object.map(|object| Condition::all().add(Column::ObjectId.eq(object))),
            texts(Column::Outcome, &self.outcomes),
            overlaps(classes),
            texts(Column::OperationName, &self.operations),
            self.session.map(|session| Condition::all().add(Column::SessionId.eq(session))),
            break_glass,
        ]
        .into_iter()
        .flatten()
        .fold(Condition::all(), Condition::add)
    }
}

/// What entries are sorted by; entries with the same value by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditSort {
    /// When.
    #[default]
    At,
    /// User or client.
    Actor,
    /// Kind of actor.
    ActorKind,
    /// Roles held.
    Roles,
    /// Session.
    Session,
    /// Branch.
    Facility,
    /// Action.
    Action,
    /// Kind of object.
    ObjectType,
    /// Object.
    Object,
    /// Version of the object.
    ObjectVersion,
    /// Patients.
    Patients,
    /// Sensitivity classes.
    Classes,
    /// Purpose of use.
    Purpose,
    /// Operation.
    Operation,
    /// Address it came from.
    Source,
    /// How it ended.
    Outcome,
    /// What stood in the way.
    Reason,
    /// How often.
    Times,
    /// Emergency access.
    BreakGlass,
}

impl AuditSort {
    /// What the database compares before the id: never null, so that a page can go on from any row. Ids are made in the order
    /// of time, and have an index.
    fn key(self) -> Option<&'static str> {
        Some(match self {
            Self::At => return None,
            Self::Actor => "COALESCE(actor_id::text, '')",
            Self::ActorKind => "actor_kind",
            Self::Roles => "array_to_string(roles, ' ')",
            Self::Session => "COALESCE(session_id::text, '')",
            Self::Facility => "COALESCE(facility_id::text, '')",
            Self::Action => "action",
            Self::ObjectType => "COALESCE(object_type, '')",
            Self::Object => "COALESCE(object_id::text, '')",
            Self::ObjectVersion => "COALESCE(object_version, 0)",
            Self::Patients => "array_to_string(patients, ' ')",
            Self::Classes => "array_to_string(classes, ' ')",
            Self::Purpose => "purpose",
            Self::Operation => "COALESCE(operation_name, '')",
            Self::Source => "COALESCE(source_address, '')",
            Self::Outcome => "outcome",
            Self::Reason => "COALESCE(reason, '')",
            Self::Times => "times",
            Self::BreakGlass => "COALESCE(break_glass_id::text, '')",
        })
    }
}

/// How entries are sorted.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditOrder {
    /// By what.
    pub by: AuditSort,
    /// From the smallest on; newest first otherwise.
    pub ascending: bool,
}

/// Entries that are looked for. What picks few of them is asked first: the planner does not know how many are wanted, and would
/// rather walk the whole log in order until it found a page of them. It does not look past an OFFSET.
fn found(filter: &AuditFilter) -> SelectStatement {
    let mut found = audit_entry::Entity::find().filter(filter.condition());
    if filter.is_narrow() {
        QuerySelect::query(&mut found).offset(0);
    }
    found.into_query()
}

/// One page of the log.
pub async fn entries(
    op: &Op<Read>,
    filter: &AuditFilter,
    order: AuditOrder,
    page: &PageRequest,
) -> Result<Slice<audit_entry::Model>> {
    op.require(Permission::AUDIT_READ)?;
    let ascending = order.ascending != page.backward;
    let direction = if ascending { Order::Asc } else { Order::Desc };
    let mut query = Query::select();
    query.expr(Expr::cust("audit_entry.*")).from_subquery(found(filter), audit_entry::Entity);
    for (position, forward) in [(page.after, true), (page.before, false)] {
        let Some(position) = position else { continue };
        let sign = if order.ascending == forward { ">" } else { "<" };
        // The row that a cursor names says itself where it stands.
        let beyond = match order.by.key() {
            Some(key) => format!("({key}, id) {sign} (SELECT {key}, id FROM audit_entry WHERE id = $1)"),
            None => format!("id {sign} $1"),
        };
        query.and_where(Expr::cust_with_values(beyond, [position.id]));
    }
    if let Some(key) = order.by.key() {
        query.order_by_expr(Expr::cust(key), direction.clone());
    }
    query.order_by(audit_entry::Column::Id, direction);
    query.limit(u64::from(Ord::min(page.size, page::MAX_PAGE)) + 1);
    let rows = op.db().query_all(&query).await?;
    let rows = rows.iter().map(|row| audit_entry::Model::from_query_result(row, ""));
    Ok(Slice::cut(rows.collect::<std::result::Result<_, DbErr>>()?, page))
}

/// How many entries there are, at most `max`.
pub async fn count(op: &Op<Read>, filter: &AuditFilter, max: u64) -> Result<i64> {
    op.require(Permission::AUDIT_READ)?;
    let mut capped = Query::select();
    capped.expr(Expr::cust("1")).from_subquery(found(filter), audit_entry::Entity).limit(max);
    if filter.is_narrow() {
        // Whoever sorts needs all of them: then the planner does not look for the first few in the whole log.
        capped.order_by(audit_entry::Column::Id, Order::Asc);
    }
    let mut counted = Query::select();
    counted.expr_as(Expr::cust("count(*)"), "n").from_subquery(capped, "capped");
    let row = op.db().query_one(&counted).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}
