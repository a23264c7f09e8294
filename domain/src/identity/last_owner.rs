//! A clinic never loses its last owner: somebody who can manage users and roles everywhere.

use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{Result, Violation, ViolationCode};

const OWNERS: &str = "active AND id IN (
    SELECT m.user_id FROM membership m
    JOIN role r ON r.id = m.role_id AND NOT r.retired
    JOIN role_permission p ON p.role_id = r.id AND p.permission = ANY($1)
    WHERE m.facility_id IS NULL GROUP BY m.user_id HAVING count(DISTINCT p.permission) = cardinality($1))";

/// Refuses where nobody but this user could manage the clinic.
///
/// The owners' rows are locked: of two owners who shut each other out at the same time one is refused.
pub(crate) async fn is_not(op: &Op<Write>, user: UserId) -> Result<()> {
    let needed = vec![Permission::USER_MANAGE.code().to_owned(), Permission::ROLE_MANAGE.code().to_owned()];
    let owners = user_account::Entity::find()
        .filter(Expr::cust_with_values(OWNERS, [needed]))
        .order_by_asc(user_account::Column::Id)
        .lock_exclusive()
        .all(op.db())
        .await?;
    if owners.iter().any(|owner| owner.id == user) && owners.len() == 1 {
        let message = "Nobody else could manage this clinic. Make somebody else an owner first.";
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    }
    Ok(())
}
