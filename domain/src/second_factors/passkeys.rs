//! Passkeys: made, named, removed.

use praxis_entity::{ids::PasskeyId, passkey};
use praxis_platform::{
    Failure, Op, Write,
    audit::Entry,
    factor::{
        Challenge, Purpose, notice,
        webauthn::{self, Known, Person, Registration, Site},
    },
    session::stepped_up,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use serde_json::Value;

use super::{
    own::Own,
    totp::{first_codes, forget_codes},
};
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations, identity::ways};

/// Nobody carries more authenticators than this.
const MOST: usize = 20;

/// What a browser is asked to make a passkey.
pub struct PasskeyCreation {
    /// What the passkey is to sign. It is sealed, and good for one session and for five minutes.
    pub challenge: String,
    /// All of it, as browsers take it.
    pub options: Value,
}

/// A passkey that was made, and recovery codes for whoever had none.
pub struct NewPasskey {
    /// The passkey.
    pub passkey: passkey::Model,
    /// Told once.
    pub recovery_codes: Vec<String>,
}

/// What a browser is asked to make a passkey. Nothing counts before the answer.
pub async fn passkey_register_start(op: &Op<Write>) -> Result<PasskeyCreation> {
    let own = Own::fresh(op).await?;
    let purpose = Purpose::NewPasskey { session: own.session };
    let asked = ask(op, &own, &Challenge::issue(op, purpose).await?)?;
    op.record(Entry::done("passkey.start").on("User", own.user.id.0, own.user.version));
    Ok(asked)
}

/// The same for a retry: with the challenge of the first time, or with another one once that is over.
pub async fn passkey_register_again(op: &Op<Write>, challenge: &str) -> Result<PasskeyCreation> {
    let own = Own::fresh(op).await?;
    let purpose = Purpose::NewPasskey { session: own.session };
    match Challenge::open(op, challenge).await?.filter(|first| first.purpose == purpose) {
        Some(first) => ask(op, &own, &first),
        None => ask(op, &own, &Challenge::issue(op, purpose).await?),
    }
}

fn ask(op: &Op<Write>, own: &Own, challenge: &Challenge) -> Result<PasskeyCreation> {
    let site = site(op)?;
    room_for_more(own)?;
    let known: Vec<_> = own.enrolled.passkeys_at(site.host()).map(Known::from).collect();
    let person = Person {
        handle: own.user.id.0.as_bytes(),
        email: &own.user.email,
        display_name: &own.user.display_name,
    };
    let clinic = &op.tenant().display_name;
    let options = webauthn::creation_options(challenge.text(), &site, clinic, person, &known);
    Ok(PasskeyCreation { challenge: challenge.text().to_owned(), options })
}

/// Takes the browser's answer, which has to be to a challenge of this session.
pub async fn passkey_register_finish(op: &Op<Write>, name: &str, credential: Value) -> Result<NewPasskey> {
    let own = Own::fresh(op).await?;
    let site = site(op)?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], name, 64);
    found.check()?;
    room_for_more(&own)?;
    let answer = Registration::read(credential).map_err(|_| refused())?;
    let text = answer.challenge().ok_or_else(refused)?;
    let challenge = Challenge::open(op, &text).await?.ok_or_else(refused)?;
    if challenge.purpose != (Purpose::NewPasskey { session: own.session }) {
        return Err(refused().into());
    }
    let new = webauthn::register(&answer, challenge.text(), &site).map_err(|reason| {
        tracing::info!(tenant = %op.tenant().id, error = %reason, "a new passkey was refused");
        refused()
    })?;
    if !challenge.spend(op).await? {
        return Err(refused().into());
    }
    let row = passkey::ActiveModel {
        id: Set(PasskeyId(op.new_id())),
        user_id: Set(own.user.id),
        name: Set(name),
        host: Set(site.host().to_owned()),
        credential_id: Set(new.credential_id),
        public_key: Set(new.public_key),
        sign_count: Set(new.sign_count.into()),
        backup_eligible: Set(new.backup_eligible),
        transports: Set(new.transports),
        created_at: Set(op.now()),
        last_used_at: Set(None),
        cloned_at: Set(None),
    };
    let passkey = passkey::Entity::insert_many([row])
        .on_conflict(OnConflict::column(passkey::Column::CredentialId).do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            let message = "This passkey is registered already.";
            Violation::at(ViolationCode::AlreadyExists, &["credential"], message)
        })?;
    stepped_up(op, own.session).await?;
    op.record(Entry::done("passkey.register").on("Passkey", passkey.id.0, 1));
    notice::changed(op, &own.user, "a passkey was added").await?;
    Ok(NewPasskey { passkey, recovery_codes: first_codes(op, &own).await? })
}

/// Gives a passkey of one's own another name.
pub async fn passkey_rename(op: &Op<Write>, id: PasskeyId, name: &str) -> Result<passkey::Model> {
    let own = Own::fresh(op).await?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], name, 64);
    found.check()?;
    let renamed = passkey::Entity::update_many()
        .set(passkey::ActiveModel { name: Set(name), ..Default::default() })
        .filter(passkey::Column::Id.eq(id))
        .filter(passkey::Column::UserId.eq(own.user.id))
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| Violation::unknown("id"))?;
    op.record(Entry::done("passkey.rename").on("Passkey", id.0, 1));
    Ok(renamed)
}

/// Removes a passkey of one's own.
pub async fn passkey_remove(op: &Op<Write>, id: PasskeyId) -> Result<()> {
    let own = Own::fresh(op).await?;
    if own.enrolled.passkeys.iter().all(|passkey| passkey.id != id) {
        return Err(Violation::unknown("id").into());
    }
    let left = own.enrolled.totp.is_some() || own.enrolled.passkeys.len() > 1;
    own.may_lose(op, left).await?;
    passkey::Entity::delete_by_id(id).exec(op.db()).await?;
    ways::remain(op, &own.user, "id").await?;
    forget_codes(op, own.user.id, left).await?;
    op.record(Entry::done("passkey.remove").on("Passkey", id.0, 1));
    Ok(notice::changed(op, &own.user, "a passkey was removed").await?)
}

/// Passkeys of one's own by id, for a retry to find them again.
pub async fn own_passkey(op: &Op<Write>, id: PasskeyId) -> Result<Option<passkey::Model>> {
    let Some(user) = op.actor().user else { return Ok(None) };
    let find = passkey::Entity::find_by_id(id).filter(passkey::Column::UserId.eq(user));
    Ok(find.one(op.db()).await?)
}

fn room_for_more(own: &Own) -> Result<()> {
    if own.enrolled.passkeys.len() < MOST {
        return Ok(());
    }
    let message = format!("There are {MOST} passkeys already: remove one first.");
    Err(Violation::at(ViolationCode::OutOfRange, &[], message).into())
}

fn site(op: &Op<Write>) -> Result<Site> {
    Ok(op.site().ok_or_else(|| Failure::Internal("a request without a host".to_owned()))?)
}

fn refused() -> Violation {
    let message = "This passkey can't be accepted, or the time to make it is over.";
    Violation::at(ViolationCode::Invalid, &["credential"], message)
}
