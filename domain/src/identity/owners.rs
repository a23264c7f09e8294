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

/// The owners that a clinic had before something was taken away.
#[must_use = "whether any of them is left has to be asked afterwards"]
pub(crate) struct Owners(usize);

/// How many owners there are. Their rows are locked: of two changes at the same time the second sees what the first
/// left. To be called before anything is taken away.
pub(crate) async fn lock(op: &Op<Write>) -> Result<Owners> {
    let needed = vec![Permission::USER_MANAGE.code().to_owned(), Permission::ROLE_MANAGE.code().to_owned()];
    let values = [sea_orm::Value::from(needed), sea_orm::Value::from(EVERYTHING)];
    let owners = user_account::Entity::find()
        .filter(Expr::cust_with_values(OWNERS, values))
        .order_by_asc(user_account::Column::Id)
        .lock_exclusive()
        .all(op.db())
        .await?;
    Ok(Owners(owners.len()))
}

impl Owners {
    /// Refuses what left nobody to manage the clinic. A clinic that had no owner can't lose one.
    pub(crate) async fn remain(self, op: &Op<Write>, path: &str) -> Result<()> {
        let Self(before) = self;
        let Self(left) = lock(op).await?;
        if before > 0 && left == 0 {
            let message = "Nobody could manage this clinic any more. Make somebody else an owner first.";
            return Err(Violation::at(ViolationCode::Locked, &[path], message).into());
        }
        Ok(())
    }
}
