//! Making a program that may call the API.

use std::collections::BTreeSet;

use chrono::DateTime;
use praxis_entity::{
    api_client::{self, ApiClientStatus},
    api_client_secret,
    ids::ApiClientId,
};
use praxis_platform::{
    Op, Write,
    access::Permission,
    audit::Entry,
    client::{ClientSecret, new_secret},
};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::read::find;
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations};

/// Points a program may spend at once, unless said otherwise.
pub const DEFAULT_POINTS: i32 = 10_000;
/// Points a program gets back each second, unless said otherwise.
pub const DEFAULT_RESTORE: i32 = 500;
/// More operations than any one program calls.
const MAX_OPERATIONS: usize = 1_000;

/// A new program.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Whose program it is and what it does.
    pub name: String,
    /// Codes of what it may do.
    pub permissions: Vec<String>,
    /// Ids of the operations it may call.
    pub operations: Vec<String>,
    /// Points it may spend at once.
    pub rate_points: Option<i32>,
    /// Points it gets back each second.
    pub rate_restore: Option<i32>,
}

/// Makes a program. It may never do more than who makes it.
pub async fn create_client(op: &Op<Write>, new: NewClient) -> Result<(api_client::Model, ClientSecret)> {
    op.require(Permission::OPERATION_MANAGE)?;
    op.require_step_up()?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], &new.name, 100);
    for code in &new.permissions {
        match Permission::parse(code) {
            None => found.add(ViolationCode::NotFound, &["permissions"], "There is no such permission."),
            // A program holds it everywhere and always, and so must who makes it.
            Some(permission) if op.actor().require_everywhere(permission).is_err() => {
                let message = format!("You may not give {permission}: you do not hold it everywhere.");
                found.add(ViolationCode::OutOfRange, &["permissions"], message);
            }
            Some(_) => {}
        }
    }
    let operations: BTreeSet<String> = new.operations.into_iter().collect();
    if operations.len() > MAX_OPERATIONS {
        found.add(ViolationCode::TooLong, &["operations"], "There are too many operations.");
    } else {
        for id in &operations {
            if find(op, id).await?.is_none_or(|operation| operation.document_id != *id) {
                found.add(ViolationCode::NotFound, &["operations"], "There is no such registered operation.");
            }
        }
    }
    let rate_points = new.rate_points.unwrap_or(DEFAULT_POINTS);
    let rate_restore = new.rate_restore.unwrap_or(DEFAULT_RESTORE);
    for (field, value) in [("ratePoints", rate_points), ("rateRestore", rate_restore)] {
        if value < 1 {
            found.add(ViolationCode::OutOfRange, &[field], "It has to be at least 1.");
        }
    }
    found.check()?;

    let permissions: BTreeSet<String> = new.permissions.into_iter().collect();
    let row = api_client::ActiveModel {
        id: Set(ApiClientId(op.new_id())),
        name: Set(name),
        permissions: Set(permissions.into_iter().collect()),
        operations: Set(operations.into_iter().collect()),
        rate_points: Set(rate_points),
        rate_restore: Set(rate_restore),
        tokens_after: Set(DateTime::UNIX_EPOCH),
        created_by: Set(op.actor().user),
        status: Set(ApiClientStatus::Active),
        ..Default::default()
    };
    let created = api_client::Entity::insert_many([row])
        .on_conflict(OnConflict::column(api_client::Column::Name).do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(ViolationCode::AlreadyExists, &["name"], "Another program has this name.")
        })?;
    let secret = add_secret(op, created.id).await?;
    op.record(Entry::done("client.create").on("ApiClient", created.id.0, created.version));
    Ok((created, secret))
}

/// Adds a secret; only its keyed hash is kept.
pub(super) async fn add_secret(op: &Op<Write>, client: ApiClientId) -> Result<ClientSecret> {
    let (secret, hash) = new_secret(op).await?;
    let row = api_client_secret::ActiveModel {
        id: Set(op.new_id()),
        client_id: Set(client),
        secret_hash: Set(hash),
        created_at: Set(op.now()),
        expires_at: Set(None),
    };
    api_client_secret::Entity::insert(row).exec_without_returning(op.db()).await?;
    Ok(secret)
}
