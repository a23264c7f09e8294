//! Signing in by e-mail and password.

use praxis_entity::user_account;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::{Method, SignIn, proceed, verify_password};
use crate::{
    Failure, OpFactory,
    audit::{Entry, Outcome},
};

/// How the client carries the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionKind {
    /// In the `Authorization` header.
    Bearer,
    /// In a `__Host-` cookie.
    Cookie,
}

impl SessionKind {
    /// The stored form.
    pub fn code(self) -> &'static str {
        match self {
            Self::Bearer => "BEARER",
            Self::Cookie => "COOKIE",
        }
    }
}

/// E-mail and password do not belong to an active user. Says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("e-mail or password is wrong")]
pub struct LoginRefused;

/// Signs a user in. The factory must be the system's: nobody has signed in yet.
pub async fn login(
    system: &OpFactory,
    email: &str,
    password: &str,
    kind: SessionKind,
) -> Result<Result<SignIn, LoginRefused>, Failure> {
    let email = email.trim().to_lowercase();
    let lookup = system.read();
    let user =
        user_account::Entity::find().filter(user_account::Column::Email.eq(email)).one(lookup.db()).await?;
    // Give the connection back: checking the password takes long and needs none.
    lookup.release().await;
    let right = verify_password(password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
    let Some(user) = user.filter(|user| right && user.active) else {
        lookup.record(Entry::done("login").ended(Outcome::Denied)).await?;
        return Ok(Err(LoginRefused));
    };
    let op = system.write_always().await?;
    match proceed(&op, &user, &[Method::Password], kind).await {
        Ok(sign_in) => {
            op.commit().await?;
            Ok(Ok(sign_in))
        }
        // The password was changed, or the account disabled, while it was being checked.
        Err(Failure::Unauthenticated) => {
            op.rollback().await?;
            lookup.record(Entry::done("login").ended(Outcome::Denied)).await?;
            Ok(Err(LoginRefused))
        }
        Err(failure) => Err(failure),
    }
}
