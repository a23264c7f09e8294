//! Joining: the link's secret makes an account, with a password or with an identity at a provider of the clinic's.

use praxis_entity::{
    ids::MembershipId,
    invitation::{self, Column, InvitationStatus},
    membership, role, user_account,
};
use praxis_platform::{
    Op, OpFactory, Write,
    access::Permission,
    audit::{Entry, Outcome},
    literal::Literal,
    session::{
        NO_PASSWORD, SignIn,
        oidc::{self, Intent, Refusal, Returned},
    },
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use super::{
    super::{create_user, link, reach, set_password::hashed},
    revoke::set_status,
};
use crate::{Error, Result, ViolationCode};

/// Makes the account with a password. The factory must be the system's: nobody has signed in yet.
///
/// Of many who come with the same secret at once one joins; to the others it is no secret any more.
pub async fn accept_invitation(
    system: &OpFactory,
    secret: &str,
    password: &str,
) -> Result<user_account::Model> {
    let (offered, hash) = offered(system, secret).await?;
    let person = [offered.email.as_str(), offered.display_name.as_str()];
    let password_hash = hashed(system.tenant(), password, &person).await?;

    let op = system.write().await?;
    match join(&op, &hash, password_hash).await {
        Ok(joined) => {
            op.commit().await?;
            joined.ok_or_else(|| link::useless().into())
        }
        Err(error) => {
            op.rollback().await?;
            Err(error)
        }
    }
}

/// What somebody goes to a provider for who wants to join with an identity there. The factory must be the system's.
pub async fn accept_elsewhere(system: &OpFactory, secret: &str) -> Result<Intent> {
    let (_, invitation) = offered(system, secret).await?;
    Ok(Intent::Join { invitation })
}

/// Makes the account of somebody who came back from a provider, known by the identity and without a password, and
/// signs them in. The factory must be the system's.
///
/// The link proves that the address is theirs, and the provider who they are; what the provider says of addresses
/// is not asked.
pub async fn accept_returned(
    system: &OpFactory,
    returned: &Returned,
) -> std::result::Result<SignIn, oidc::Error> {
    let Intent::Join { invitation } = returned.intent() else { return Err(Refusal::Stale.into()) };
    let joined = returned.settle(system, async |op| {
        let joined = join(op, invitation, NO_PASSWORD.to_owned()).await.map_err(|error| match error {
            Error::Failure(failure) => oidc::Error::from(failure),
            Error::Violated(violations)
                if violations.iter().any(|one| one.code == ViolationCode::SeatsExhausted) =>
            {
                Refusal::Full.into()
            }
            // Somebody has the address by now.
            Error::Violated(_) => Refusal::Uninvited.into(),
        })?;
        let Some(user) = joined else { return Ok(None) };
        returned.link(op, &user).await?;
        returned.sign_in(op).await.map(Some)
    });
    Ok(joined.await?.ok_or(Refusal::Uninvited)?)
}

/// The invitation whose secret this is, as long as it can be used, and what is kept of the secret.
async fn offered(system: &OpFactory, secret: &str) -> Result<(invitation::Model, Vec<u8>)> {
    let read = system.read();
    let hash = link::hash(&read, secret).await?;
    let offered = invitation::Entity::find().filter(usable(&read, &hash)).one(read.db()).await?;
    read.release().await;
    match offered {
        Some(offered) => Ok((offered, hash)),
        None => {
            read.record(Entry::done("invitation.accept").ended(Outcome::Denied)).await?;
            Err(link::useless().into())
        }
    }
}

/// Uses the invitation up and makes the account; nobody joins by one that is of no use, which is for the log to keep.
async fn join(op: &Op<Write>, hash: &[u8], password_hash: String) -> Result<Option<user_account::Model>> {
    // From here on others who have the secret wait, and find it used.
    let locked = invitation::Entity::find().filter(usable(op, hash)).lock_exclusive().one(op.db()).await?;
    let Some(invitation) = locked else {
        op.record(Entry::done("invitation.accept").ended(Outcome::Denied));
        return Ok(None);
    };
    if !still_covered(op, &invitation).await? {
        let revoked = set_status(op, invitation.id, InvitationStatus::Revoked).await?;
        let entry = Entry::done("invitation.accept").on("Invitation", revoked.id.0, revoked.version);
        op.record(entry.ended(Outcome::Denied));
        return Ok(None);
    }
    let (email, name) = (invitation.email.clone(), invitation.display_name.clone());
    let user = create_user::add(op, email, name, password_hash, invitation.practitioner_id).await?;
    let row = membership::ActiveModel {
        id: Set(MembershipId(op.new_id())),
        user_id: Set(user.id),
        role_id: Set(invitation.role_id),
        facility_id: Set(invitation.facility_id),
        created_at: Set(op.now()),
    };
    membership::Entity::insert(row).exec_without_returning(op.db()).await?;
    let change = invitation::ActiveModel {
        status: Set(InvitationStatus::Accepted),
        user_id: Set(Some(user.id)),
        ..Default::default()
    };
    invitation::Entity::update_many().set(change).filter(Column::Id.eq(invitation.id)).exec(op.db()).await?;
    let version = invitation.version + 1;
    op.record(Entry::done("invitation.accept").on("Invitation", invitation.id.0, version));
    Ok(Some(user))
}

fn usable<M>(op: &Op<M>, hash: &[u8]) -> Condition {
    Condition::all()
        .add(Column::TokenHash.eq(hash))
        .add(Column::Status.is(InvitationStatus::Sent))
        .add(Column::ExpiresAt.gt(op.now()))
}

/// Whether the role is in use, and its inviter could still give it.
async fn still_covered(op: &Op<Write>, invitation: &invitation::Model) -> Result<bool> {
    let role = role::Entity::find_by_id(invitation.role_id).one(op.db()).await?;
    if role.is_none_or(|role| role.retired) {
        return Ok(false);
    }
    let Some(inviter) = invitation.invited_by else { return Ok(true) };
    let account = user_account::Entity::find_by_id(inviter).one(op.db()).await?;
    if !account.is_some_and(|account| account.active) {
        return Ok(false);
    }
    let held = reach::of_user(op, inviter, invitation.facility_id).await?;
    let offered = reach::of_role(op, invitation.role_id).await?;
    Ok(held.contains(Permission::USER_MANAGE) && held.is_superset(&offered))
}
