//! How much the clinic has of what it is limited in. The database counts, and refuses what is too much.

use praxis_entity::quota;
use praxis_platform::{Op, access::Permission, quota::Quota};
use sea_orm::EntityTrait;

use crate::Result;

/// How much there is of something, and may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How much there is.
    pub used: i64,
    /// How much there may be; as much as there is when absent.
    pub most: Option<i64>,
}

/// How many accounts can sign in, and how many bytes the documents are.
pub async fn usage<M>(op: &Op<M>) -> Result<(Usage, Usage)> {
    op.require(Permission::SETTINGS_READ)?;
    Ok((of(op, Quota::Seats).await?, of(op, Quota::Storage).await?))
}

/// How much there is of one thing, for other rules.
pub(crate) async fn of<M>(op: &Op<M>, quota: Quota) -> Result<Usage> {
    let row = quota::Entity::find_by_id(quota.code()).one(op.db()).await?;
    Ok(row.map(|row| Usage { used: row.used, most: row.most }).unwrap_or_default())
}
