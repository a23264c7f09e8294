//! Writing a mail down, to be sent once the transaction is committed.

use praxis_entity::{ids::MailId, mail_message, user_account, value::MailFacts};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Map, Value as Json};

use crate::{Failure, Op, Write, access::Permission, tenancy::Queue};

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Whom it goes to.
    pub to: String,
    /// Name of its template.
    pub template: &'static str,
    /// BCP 47; the clinic's where absent.
    pub locale: Option<String>,
    /// What the template fills in. No PHI.
    pub facts: Map<String, Json>,
    /// A second mail with the same key is not written.
    pub dedupe_key: Option<String>,
}

/// Writes the mail in the operation's transaction; it is sent after the commit.
pub async fn enqueue(op: &Op<Write>, mail: NewMail) -> Result<(), Failure> {
    let key = op.clinic_key().await?;
    let id = MailId(op.new_id());
    let place = op.place("mail_message", id.0, op.tenant().uuid());
    let row = mail_message::ActiveModel {
        id: Set(id),
        created_at: Set(op.now()),
        to_address: Set(mail.to),
        template: Set(mail.template.to_owned()),
        locale: Set(mail.locale),
        facts: Set(Some(op.seal(&key, &place, &MailFacts(mail.facts))?)),
        dedupe_key: Set(mail.dedupe_key),
        status: NotSet,
        attempts: NotSet,
        next_attempt_at: Set(op.now()),
        sent_at: Set(None),
        last_error: Set(None),
    };
    mail_message::Entity::insert(row)
        .on_conflict(OnConflict::column(mail_message::Column::DedupeKey).do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    op.wake(Queue::Mail, op.now());
    Ok(())
}

/// The same mail to every active user who holds a permission, at any branch.
pub async fn enqueue_to_holders(
    op: &Op<Write>,
    permission: Permission,
    mail: &NewMail,
) -> Result<usize, Failure> {
    let holders = user_account::Entity::find()
        .filter(Expr::cust_with_values(
            "active AND id IN (SELECT m.user_id FROM membership m \
             JOIN role r ON r.id = m.role_id AND NOT r.retired \
             JOIN role_permission p ON p.role_id = r.id WHERE p.permission IN ($1, '*'))",
            [permission.code()],
        ))
        .all(op.db())
        .await?;
    for holder in &holders {
        let dedupe_key = mail.dedupe_key.as_ref().map(|key| format!("{key}:{}", holder.id));
        enqueue(op, NewMail { to: holder.email.clone(), dedupe_key, ..mail.clone() }).await?;
    }
    Ok(holders.len())
}
