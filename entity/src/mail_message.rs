//! A mail that is to leave the house.

use sea_orm::entity::prelude::*;

use crate::{
    ids::MailId,
    place::ByPlace,
    value::{MailFacts, Sealed},
};

/// A mail that is to leave the house.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "mail_message")]
pub struct Model {
    /// Id; also the `Message-ID`, so that a mail sent twice can be told.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailId,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// Whom it goes to.
    #[sea_orm(column_type = "Text")]
    pub to_address: String,
    /// Name of its template.
    #[sea_orm(column_type = "Text")]
    pub template: String,
    /// BCP 47; the clinic's where absent.
    #[sea_orm(column_type = "Text", nullable)]
    pub locale: Option<String>,
    /// What the template fills in, links with secrets among them; forgotten once the mail is sent.
    pub facts: Option<Sealed<MailFacts>>,
    /// A second mail with the same key is not written.
    #[sea_orm(column_type = "Text", nullable)]
    pub dedupe_key: Option<String>,
    /// QUEUED, SENT or DEAD.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// How often sending was tried.
    pub attempts: i32,
    /// When it is tried next; while it is being sent, when the lease of whoever sends it ends.
    pub next_attempt_at: DateTimeUtc,
    /// When the mail server took it.
    pub sent_at: Option<DateTimeUtc>,
    /// Why it was not taken last time.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
