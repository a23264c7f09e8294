//! What follows once somebody has proved who they are, however they did: the one way to a session.
//!
//! Password, mailed link, other identity provider, passkey: all come here, and nothing else can
//! open a session. Whoever has a second factor has to show it first. Whoever has none gets a
//! session; if a role of theirs asks for one, [`super::Authenticator`] lets that session do nothing
//! but enrol.

use praxis_entity::user_account;
use serde_json::Value;

use super::{Method, SessionKind, SignedIn, open::open};
use crate::{
    Failure, Op, Write,
    audit::Entry,
    factor::{
        Challenge, Enrolled, Purpose,
        webauthn::{self, Known},
    },
};

/// What signing in came to.
pub enum SignIn {
    /// There is a session.
    Opened(SignedIn),
    /// A second factor has to be shown.
    SecondFactor(Asked),
}

/// A second factor that is to be shown.
pub struct Asked {
    /// What the answer has to carry.
    pub challenge: Challenge,
    /// What can be shown.
    pub methods: Vec<Method>,
    /// What a browser asks passkeys, if there are any for this host.
    pub passkey: Option<Value>,
}

/// Decides, and opens the session if it may be. The operation is the system's.
pub async fn proceed(
    op: &Op<Write>,
    user: &user_account::Model,
    methods: &[Method],
    kind: SessionKind,
) -> Result<SignIn, Failure> {
    let shown = methods.iter().any(|method| method.is_second_factor());
    let enrolled = Enrolled::of(op.db(), user.id).await?;
    if shown || !enrolled.any() {
        return Ok(SignIn::Opened(open(op, user, methods, kind).await?));
    }
    let purpose =
        Purpose::SecondFactor { user: user.id, version: user.version, methods: methods.to_vec(), kind };
    op.record(Entry::done("login.first-factor").on("User", user.id.0, user.version));
    Ok(SignIn::SecondFactor(ask(op, &enrolled, purpose).await?))
}

/// Asks for one of the factors.
pub(super) async fn ask<M>(op: &Op<M>, enrolled: &Enrolled, purpose: Purpose) -> Result<Asked, Failure> {
    Ok(asked(op, enrolled, Challenge::issue(op, purpose).await?))
}

/// What can be shown to answer a challenge.
pub(super) fn asked<M>(op: &Op<M>, enrolled: &Enrolled, challenge: Challenge) -> Asked {
    let site = op.site();
    let host = site.as_ref().map_or("", |site| site.host());
    let known: Vec<_> = enrolled.passkeys_at(host).map(Known::from).collect();
    let passkey = site
        .as_ref()
        .filter(|_| !known.is_empty())
        .map(|site| webauthn::request_options(challenge.text(), site, &known));
    Asked { methods: enrolled.methods(host), challenge, passkey }
}
