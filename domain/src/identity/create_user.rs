//! Making an account for a person who signs in.

use praxis_entity::{
    ids::{PractitionerId, UserId},
    practitioner, user_account,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::set_password::hashed;
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations};

/// A person who is to sign in.
pub struct NewUser {
    /// E-mail address, the login.
    pub email: String,
    /// Name as shown.
    pub display_name: String,
    /// First password.
    pub password: String,
    /// The clinician this person is.
    pub practitioner: Option<PractitionerId>,
}

/// Makes an account. It has no role yet.
pub async fn create_user(op: &Op<Write>, new: NewUser) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    let mut found = Violations::default();
    let email = text::line(&mut found, &["email"], &new.email, 254).to_lowercase();
    if !email.is_empty() && !is_email(&email) {
        found.add(ViolationCode::Invalid, &["email"], "This is not an e-mail address.");
    }
    let display_name = text::line(&mut found, &["displayName"], &new.display_name, 200);
    if let Some(id) = new.practitioner
        && practitioner::Entity::find_by_id(id).one(op.db()).await?.is_none()
    {
        found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
    }
    found.check()?;

    let row = user_account::ActiveModel {
        id: Set(UserId(op.new_id())),
        email: Set(email),
        display_name: Set(display_name),
        password_hash: Set(hashed(&new.password).await?),
        practitioner_id: Set(new.practitioner),
        ..Default::default()
    };
    let created = user_account::Entity::insert_many([row])
        .on_conflict(OnConflict::column(user_account::Column::Email).do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(
                ViolationCode::AlreadyExists,
                &["email"],
                "Somebody signs in with this address already.",
            )
        })?;
    op.record(Entry::done("user.create").on("User", created.id.0, created.version));
    Ok(created)
}

/// Whether the text has the shape of an address: whether mail arrives shows only a mail.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean = |part: &str| {
        !part
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control() || "<>()[],;:\"\\@".contains(letter))
    };
    let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    local.len() <= 64
        && clean(local)
        && clean(domain)
        && dotted(local)
        && dotted(domain)
        && domain.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for right in
            ["a@b.org", "ada.lovelace+clinic@mail.example.co.uk", "o'neil@praxis.test", "zoë@bücher.example"]
        {
            assert!(is_email(right), "{right}");
        }
        for wrong in [
            "",
            "a",
            "@b.org",
            "a@",
            "a@b",
            "a@b..org",
            ".a@b.org",
            "a b@c.org",
            "a@b@c.org",
            "A <a@b.org>",
            "a@b.org,c@d.org",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
