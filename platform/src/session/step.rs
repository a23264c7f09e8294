//! What has to happen between proving who one is and having a session.
//!
//! Every way in (password, another identity provider, a mailed link, a passkey) ends in
//! [`proceed`], so that whatever a clinic asks for is asked for everywhere.

use praxis_entity::user_account;

use super::{Method, SessionKind, SignedIn, open};
use crate::{Failure, Op, Write};

/// What comes next for somebody who proved something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing more: the session is opened.
    Open,
}

/// What signing in came to.
pub enum SignIn {
    /// There is a session.
    Opened(SignedIn),
}

/// What is still asked of a user who proved who they are by these methods.
pub async fn next_step(
    _op: &Op<Write>,
    _user: &user_account::Model,
    _proven: &[Method],
) -> Result<Step, Failure> {
    Ok(Step::Open)
}

/// Goes on with a user who proved who they are; the operation is the system's.
pub async fn proceed(
    op: &Op<Write>,
    user: &user_account::Model,
    proven: &[Method],
    kind: SessionKind,
) -> Result<SignIn, Failure> {
    match next_step(op, user, proven).await? {
        Step::Open => Ok(SignIn::Opened(open(op, user, proven, kind).await?)),
    }
}
