//! Retiring a program, for good.

use praxis_entity::{api_client, api_client_secret, ids::ApiClientId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::rotate_secret::ready;
use crate::{Result, Violation};

/// Retires a program: its secrets are thrown away and its tokens are taken nowhere.
pub async fn retire_client(op: &Op<Write>, client: ApiClientId) -> Result<api_client::Model> {
    op.require(Permission::OPERATION_MANAGE)?;
    op.require_step_up()?;
    let (_, to) = ready(op, client, "apiClientRetire").await?;
    api_client_secret::Entity::delete_many()
        .filter(api_client_secret::Column::ClientId.eq(client))
        .exec(op.db())
        .await?;
    let change = api_client::Entity::update_many()
        .col_expr(api_client::Column::Status, Expr::value(to))
        .filter(api_client::Column::Id.eq(client));
    let retired = change.exec_with_returning(op.db()).await?.pop();
    let retired = retired.ok_or_else(|| Violation::unknown("id"))?;
    op.record(Entry::done("client.retire").on("ApiClient", client.0, retired.version));
    Ok(retired)
}
