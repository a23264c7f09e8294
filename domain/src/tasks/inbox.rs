//! How much there is to do for whoever asks: one statement.

use praxis_entity::task::{self, Column};
use praxis_platform::{Op, access::Permission};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait,
    sea_query::{Alias, Expr, Query},
};

use super::{
    Inbox,
    filter::{is_open, of_inbox},
    read::seen,
};
use crate::Result;

/// How many open tasks the viewer may see, by what they are to the viewer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Asked of the viewer, or taken on by them.
    pub mine: i64,
    /// Of the viewer's roles, and taken on by nobody.
    pub my_roles: i64,
    /// Taken on by nobody.
    pub unclaimed: i64,
    /// The viewer's own, and late.
    pub overdue: i64,
}

/// Counts what is open for the viewer.
pub async fn counts<M>(op: &Op<M>) -> Result<TaskCounts> {
    op.require(Permission::TASK_READ)?;
    let (mine, late) = (of_inbox(op, Inbox::Mine), Column::DueAt.lt(op.now()));
    // What others took on is none of the viewer's: it need not be judged.
    let unclaimed = of_inbox(op, Inbox::Unclaimed);
    let concerning = Condition::any().add(mine.clone()).add(unclaimed.clone());
    let mut select = Query::select();
    select
        .expr_as(how_many(mine.clone()), Alias::new("mine"))
        .expr_as(how_many(of_inbox(op, Inbox::MyRoles)), Alias::new("my_roles"))
        .expr_as(how_many(unclaimed), Alias::new("unclaimed"))
        .expr_as(how_many(mine.add(late)), Alias::new("overdue"))
        .from(task::Entity)
        .cond_where(is_open().add(concerning).add(seen(op)));
    let Some(row) = op.db().query_one(&select).await? else { return Ok(TaskCounts::default()) };
    Ok(TaskCounts {
        mine: row.try_get("", "mine")?,
        my_roles: row.try_get("", "my_roles")?,
        unclaimed: row.try_get("", "unclaimed")?,
        overdue: row.try_get("", "overdue")?,
    })
}

fn how_many(condition: Condition) -> Expr {
    Expr::cust_with_expr("count(*) FILTER (WHERE $1)", condition)
}
