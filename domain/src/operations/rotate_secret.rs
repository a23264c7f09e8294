//! Giving a program another secret, while the one it has goes on for a while.

use chrono::TimeDelta;
use praxis_entity::{
    api_client::{self, ApiClientStatus},
    api_client_secret::{self, Column},
    ids::ApiClientId,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry, client::ClientSecret};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::create_client::add_secret;
use crate::{Result, Violation, ViolationCode, transitions::step_here};

/// The longest that two secrets count side by side.
pub const MAX_OVERLAP_HOURS: i32 = 24 * 14;

/// Makes another secret. Those that are there end after the overlap; without one they end now, and
/// so do all tokens.
pub async fn rotate_secret(
    op: &Op<Write>,
    client: ApiClientId,
    overlap_hours: i32,
) -> Result<(api_client::Model, ClientSecret)> {
    op.require(Permission::OPERATION_MANAGE)?;
    op.require_step_up()?;
    if !(0..=MAX_OVERLAP_HOURS).contains(&overlap_hours) {
        let message = format!("The overlap has 0 to {MAX_OVERLAP_HOURS} hours.");
        return Err(Violation::at(ViolationCode::OutOfRange, &["overlapHours"], message).into());
    }
    let (stored, _) = ready(op, client, "apiClientRotateSecret").await?;
    let end = op.now() + TimeDelta::hours(overlap_hours.into());
    api_client_secret::Entity::delete_many()
        .filter(Column::ClientId.eq(client))
        .filter(Column::ExpiresAt.lte(op.now()))
        .exec(op.db())
        .await?;
    // What was to end sooner still does.
    api_client_secret::Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(end))
        .filter(Column::ClientId.eq(client))
        .filter(Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(end)))
        .exec(op.db())
        .await?;
    let tokens_after = if overlap_hours == 0 { op.now() } else { stored.tokens_after };
    let secret = add_secret(op, client).await?;
    let change = api_client::Entity::update_many()
        .col_expr(api_client::Column::TokensAfter, Expr::value(tokens_after))
        .filter(api_client::Column::Id.eq(client));
    let changed = change.exec_with_returning(op.db()).await?.pop();
    let changed = changed.ok_or_else(|| Violation::unknown("id"))?;
    op.record(Entry::done("client.rotate-secret").on("ApiClient", client.0, changed.version));
    Ok((changed, secret))
}

/// The program, locked, and where an action leads from where it stands.
pub(super) async fn ready(
    op: &Op<Write>,
    client: ApiClientId,
    action: &str,
) -> Result<(api_client::Model, ApiClientStatus)> {
    let stored = api_client::Entity::find_by_id(client).lock_exclusive().one(op.db()).await?;
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    let to = step_here(op, "api_client", action, &stored.status).await?;
    Ok((stored, to))
}
