//! Reading operations and programs.

use praxis_entity::{
    api_client, api_client_secret,
    ids::ApiClientId,
    registered_operation::{self, Column, OperationStatus},
};
use praxis_platform::{Op, access::Permission, literal::Literal};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of};

/// The operation that may be called by this id, or by the SHA-256 of its text.
///
/// The clinic's own come first, then those of all clinics. Asks for no permission: an operation that
/// runs asks for what its fields ask for.
pub async fn find<M>(op: &Op<M>, id: &str) -> Result<Option<registered_operation::Model>> {
    match find_in(op.db(), id).await? {
        Some(found) => Ok(Some(found)),
        None => find_in(op.control(), id).await,
    }
}

async fn find_in(db: &impl ConnectionTrait, id: &str) -> Result<Option<registered_operation::Model>> {
    let named = Condition::any().add(Column::DocumentId.eq(id)).add(Column::Sha256.eq(id));
    let active = registered_operation::Entity::find()
        .filter(named)
        .filter(Column::Status.is(OperationStatus::Active))
        .order_by_asc(Column::Id);
    Ok(active.one(db).await?)
}

/// All operations of the clinic's own, by name; those that can't be called as well.
pub async fn operations<M>(op: &Op<M>) -> Result<Vec<registered_operation::Model>> {
    op.require(Permission::OPERATION_READ)?;
    let all = registered_operation::Entity::find();
    Ok(all.order_by_asc(Column::Name).order_by_asc(Column::DocumentId).all(op.db()).await?)
}

/// All programs, by name.
pub async fn clients<M>(op: &Op<M>) -> Result<Vec<api_client::Model>> {
    op.require(Permission::OPERATION_READ)?;
    Ok(api_client::Entity::find().order_by_asc(api_client::Column::Name).all(op.db()).await?)
}

/// The secrets of programs, without what they are.
pub async fn client_secrets<M>(op: &Op<M>, clients: &[ApiClientId]) -> Result<Vec<api_client_secret::Model>> {
    op.require(Permission::OPERATION_READ)?;
    let of = any_of(api_client_secret::Column::ClientId, clients.iter().map(|id| id.0).collect());
    let secrets = api_client_secret::Entity::find().filter(of);
    Ok(secrets.order_by_asc(api_client_secret::Column::CreatedAt).all(op.db()).await?)
}
