//! Invitations: how people join a clinic.
//!
//! Whoever invites answers for the role: it permits nothing that they may not do themselves, neither
//! when they invite nor when the invitation is accepted. The link is the proof of the address; its
//! secret is mailed once and kept as a keyed hash.

mod accept;
mod invite;
mod read;
mod resend;
mod revoke;

pub use accept::{accept_elsewhere, accept_invitation, accept_returned};
pub use invite::{NewInvitation, invite};
pub use read::{invitations, invitations_by_ids};
pub use resend::resend_invitation;
pub use revoke::revoke_invitation;

use chrono::TimeDelta;
use praxis_entity::{
    ids::InvitationId,
    invitation::{self, InvitationStatus},
};
use praxis_platform::{
    Op, Write,
    mail::{self, NewMail},
};
use sea_orm::{EntityTrait, QuerySelect};
use serde_json::json;

use crate::{Result, Violation, ViolationCode, transitions::step_here};

/// How long a link can be used.
const VALID: TimeDelta = TimeDelta::days(7);

/// The invitation, locked, and where an action leads from where it stands now.
async fn ready(
    op: &Op<Write>,
    id: InvitationId,
    action: &str,
) -> Result<(invitation::Model, InvitationStatus)> {
    let found = invitation::Entity::find_by_id(id).lock_exclusive().one(op.db()).await?;
    let found = found
        .ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such invitation."))?;
    let to = step_here(op, "invitation", action, &found.status_at(op.now())).await?;
    Ok((found, to))
}

/// Writes the mail with the link.
async fn send(op: &Op<Write>, invitation: &invitation::Model, role: &str, secret: &str) -> Result<()> {
    let inviter = match op.actor().user {
        Some(_) => op.actor().display_name.as_str(),
        None => op.tenant().display_name.as_str(),
    };
    let facts = json!({
        "name": invitation.display_name,
        "inviter": inviter,
        "role": role,
        "token": secret,
        "expires": super::link::in_words(op, invitation.expires_at),
    });
    let mail = NewMail {
        to: invitation.email.clone(),
        template: "invitation",
        locale: None,
        facts: facts.as_object().cloned().unwrap_or_default(),
        dedupe_key: None,
    };
    Ok(mail::enqueue(op, mail).await?)
}
