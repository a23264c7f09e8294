//! Challenges: what somebody has to answer within five minutes, once.
//!
//! A challenge is sealed and carries everything there is to know about it, so that asking for one
//! stores nothing and strangers can fill nothing. What is stored is the keyed hash of one that was
//! answered, until it would have expired: that makes it good for one answer. The same text is the
//! challenge that a passkey signs.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    ids::{SessionId, UserId},
    spent_challenge,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Op, Write,
    session::{Method, SessionKind},
    vault::{IndexField, crypto},
};

const LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// More than any challenge takes.
const MAX_LENGTH: usize = 2048;

/// What a challenge is for; an answer to one is never an answer to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To show a second factor after a first one.
    SecondFactor {
        /// Who.
        user: UserId,
        /// Of their account: a changed password or a disabled account ends it.
        version: i32,
        /// What they showed before.
        methods: Vec<Method>,
        /// What kind of session is to follow.
        kind: SessionKind,
    },
    /// To sign in with a passkey alone.
    PasskeySignIn,
    /// To show a second factor once more in a session.
    StepUp {
        /// Which session.
        session: SessionId,
    },
    /// To make a passkey.
    NewPasskey {
        /// In which session.
        session: SessionId,
    },
}

/// A challenge that is still to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What it is for.
    pub purpose: Purpose,
    text: String,
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    purpose: Purpose,
    expires_at: DateTime<Utc>,
    nonce: [u8; 16],
}

impl Challenge {
    /// Makes one.
    pub async fn issue<M>(op: &Op<M>, purpose: Purpose) -> Result<Self, Failure> {
        let expires_at = op.now() + LIFETIME;
        let content = Content { purpose, expires_at, nonce: crypto::random()? };
        let bytes = serde_json::to_vec(&content).map_err(|error| Failure::Internal(error.to_string()))?;
        let text = op.tenant_key().await?.seal_cursor(&place(), &bytes)?;
        Ok(Self { purpose: content.purpose, text, expires_at })
    }

    /// Reads one back; `None` if it is not one of this clinic's, or has expired.
    pub async fn open<M>(op: &Op<M>, text: &str) -> Result<Option<Self>, Failure> {
        if text.len() > MAX_LENGTH {
            return Ok(None);
        }
        let key = op.tenant_key().await?;
        let Ok(bytes) = key.open_cursor(&place(), text) else { return Ok(None) };
        let Ok(Content { purpose, expires_at, .. }) = serde_json::from_slice(&bytes) else { return Ok(None) };
        let open = Self { purpose, text: text.to_owned(), expires_at };
        Ok(Some(open).filter(|open| op.now() < open.expires_at))
    }

    /// The text that is sent, and that a passkey signs.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// When it expires.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Uses it up; false if somebody did before. Whoever comes second waits for the first.
    pub async fn spend(&self, op: &Op<Write>) -> Result<bool, Failure> {
        spent_challenge::Entity::delete_many()
            .filter(spent_challenge::Column::ExpiresAt.lt(op.now()))
            .exec(op.db())
            .await?;
        let row = spent_challenge::ActiveModel {
            hash: Set(self.hash(op).await?),
            expires_at: Set(self.expires_at),
        };
        let written = spent_challenge::Entity::insert(row)
            .on_conflict(OnConflict::column(spent_challenge::Column::Hash).do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
        Ok(written == 1)
    }

    /// Takes that back, for another answer after a wrong one.
    pub async fn give_back(&self, op: &Op<Write>) -> Result<(), Failure> {
        spent_challenge::Entity::delete_by_id(self.hash(op).await?).exec(op.db()).await?;
        Ok(())
    }

    async fn hash(&self, op: &Op<Write>) -> Result<Vec<u8>, Failure> {
        op.token(IndexField::Challenge, &self.text).await?.ok_or(Failure::KeyUnavailable)
    }
}

fn place() -> [u8; crypto::KEY_LEN] {
    crypto::sha256(b"praxis challenge")
}
