//! Signing in by a mailed link: a first factor, and no more than that.
//!
//! The link works only on the device that asked for it, which keeps a secret of its own: who is talked
//! into forwarding a link, or whose mailbox is read, has not let anybody in yet.

use praxis_platform::{
    OpFactory,
    audit::{Entry, Outcome},
    session::{self, Method, SessionKind, SignIn},
};
use zeroize::Zeroizing;

use super::{Purpose, Secret, consume, hash, request, useless};
use crate::Result;

/// What the asking device keeps.
pub struct Device(pub Zeroizing<String>);

/// Mails a link to whoever has the address; the device keeps what is returned.
pub async fn request_sign_in(system: &OpFactory, address: &str) -> Result<Device> {
    let device = Secret::new(&system.read()).await?;
    request(system, address, Purpose::SignIn, Some(device.hash)).await?;
    Ok(Device(device.text))
}

/// Uses the link: what follows is what follows every first factor.
pub async fn sign_in(system: &OpFactory, secret: &str, device: &Device, kind: SessionKind) -> Result<SignIn> {
    let op = system.write_always().await?;
    let (link, device) = (hash(&op, secret).await?, hash(&op, &device.0).await?);
    let Some(user) = consume(&op, Purpose::SignIn, &link, Some(&device)).await? else {
        op.rollback().await?;
        system.read().record(Entry::done("login").ended(Outcome::Denied)).await?;
        return Err(useless().into());
    };
    let next = session::proceed(&op, &user, &[Method::MailedLink], kind).await?;
    op.commit().await?;
    Ok(next)
}
