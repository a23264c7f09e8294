//! A clinic never loses its last owner: somebody who can manage users and roles everywhere and always.

use praxis_entity::user_account;
use praxis_platform::{
    Op, Write,
    access::{EVERYTHING, Permission},
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{Result, Violation, ViolationCode};

const OWNERS: &str = "active AND id IN (
    SELECT m.user_id FROM membership m
    JOIN role r ON r.id = m.role_id AND NOT r.retired
    JOIN role_permission p ON p.role_id = r.id AND p.condition = ''
    WHERE m.facility_id IS NULL GROUP BY m.user_id
    HAVING bool_or(p.permission = $2) OR count(DISTINCT p.permission) FILTER (WHERE p.permission = ANY($1)) = cardinality($1))";

/// The owners, whose rows are locked: of two changes at the same time the second sees what the first left.
async fn owners(op: &Op<Write>) -> Result<usize> {
    let needed = vec![Permission::USER_MANAGE.code().to_owned(), Permission::ROLE_MANAGE.code().to_owned()];
    let values = [sea_orm::Value::from(needed), sea_orm::Value::from(EVERYTHING)];
    let owners = user_account::Entity::find()
        .filter(Expr::cust_with_values(OWNERS, values))
        .order_by_asc(user_account::Column::Id)
        .lock_exclusive()
        .all(op.db())
        .await?;
    Ok(owners.len())
}

/// To be called before anything is taken away.
pub(super) async fn lock(op: &Op<Write>) -> Result<()> {
    owners(op).await.map(drop)
}

/// Refuses what left nobody to manage the clinic.
pub(super) async fn remain(op: &Op<Write>, path: &str) -> Result<()> {
    if owners(op).await? == 0 {
        let message = "Nobody could manage this clinic any more. Make somebody else an owner first.";
        return Err(Violation::at(ViolationCode::Locked, &[path], message).into());
    }
    Ok(())
}
