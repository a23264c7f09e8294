//! What a user can show, and whether they must.

use praxis_entity::{ids::UserId, passkey, recovery_code, totp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Statement,
};

use crate::{Failure, session::Method, tenancy::TenantDb};

/// The factors of a user that count.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolled {
    /// The authenticator app, once confirmed.
    pub totp: Option<totp::Model>,
    /// Passkeys, oldest first; those under suspicion too.
    pub passkeys: Vec<passkey::Model>,
    /// Recovery codes that were not used.
    pub recovery_codes: u64,
}

impl Enrolled {
    /// Reads them.
    pub async fn of(db: &TenantDb, user: UserId) -> Result<Self, Failure> {
        let totp =
            totp::Entity::find_by_id(user).filter(totp::Column::ConfirmedAt.is_not_null()).one(db).await?;
        let passkeys = passkey::Entity::find()
            .filter(passkey::Column::UserId.eq(user))
            .order_by_asc(passkey::Column::Id)
            .all(db)
            .await?;
        let recovery_codes = recovery_code::Entity::find()
            .filter(recovery_code::Column::UserId.eq(user))
            .filter(recovery_code::Column::UsedAt.is_null())
            .count(db)
            .await?;
        Ok(Self { totp, passkeys, recovery_codes })
    }

    /// Whether there is a factor at all. Recovery codes alone are none: they stand in for one.
    pub fn any(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }

    /// The passkeys that a browser can use at a host.
    pub fn passkeys_at<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a passkey::Model> {
        self.passkeys.iter().filter(move |passkey| passkey.host == host && passkey.cloned_at.is_none())
    }

    /// What can be shown at a host.
    pub fn methods(&self, host: &str) -> Vec<Method> {
        let has = [
            (Method::Passkey, self.passkeys_at(host).next().is_some()),
            (Method::Totp, self.totp.is_some()),
            (Method::RecoveryCode, self.any() && self.recovery_codes > 0),
        ];
        has.into_iter().filter_map(|(method, has)| has.then_some(method)).collect()
    }
}

/// Whether a role that the user holds, wherever, asks for a second factor.
pub async fn is_required(db: &TenantDb, user: UserId) -> Result<bool, Failure> {
    let held = "SELECT 1 FROM membership m JOIN role r ON r.id = m.role_id \
         WHERE m.user_id = $1 AND r.second_factor_required AND NOT r.retired LIMIT 1";
    let held = Statement::from_sql_and_values(db.get_database_backend(), held, [user.0.into()]);
    Ok(db.query_one_raw(held).await?.is_some())
}
