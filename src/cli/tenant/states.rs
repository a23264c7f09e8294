//! Changes of a clinic's state, by the legal transitions.

use anyhow::Result;
use clap::Subcommand;
use praxis_fleet::tenant::{self, State};
use sqlx::postgres::PgConnection;

use super::records;
use crate::cli::{Context, Exit};

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Note that a clinic's payment is late; it is served as before
    PastDue {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Take no new writes of a clinic; its charts stay readable
    Lock {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Serve a clinic no more, until it is resumed
    Suspend {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Serve a clinic again, also one that was about to leave
    Resume {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Give a clinic another subdomain; the old one is free afterwards
    Rename {
        /// Subdomain of the clinic
        slug: String,
        /// The new one
        new_slug: String,
        /// Another name as shown
        #[arg(long)]
        name: Option<String>,
    },
    /// Begin to let a clinic go: read only from now on
    Offboard {
        /// Subdomain of the clinic
        slug: String,
        /// Days until it can be archived
        #[arg(long, default_value_t = 30, value_name = "N")]
        grace_days: u32,
    },
    /// Serve a clinic that leaves no more, once its grace is over
    Archive {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Keep a clinic's data and keys, whatever else is decided
    Hold {
        /// Subdomain of the clinic
        slug: String,
        /// Why; names no patient
        #[arg(long)]
        reason: String,
    },
    /// End a legal hold
    Release {
        /// Subdomain of the clinic
        slug: String,
    },
}

/// Changes the state and shows the clinic.
pub(super) async fn run(admin: &mut PgConnection, command: Command, context: &Context) -> Result<Exit> {
    let changed = match command {
        Command::PastDue { slug } => tenant::turn_into(admin, &slug, State::PastDue).await?,
        Command::Lock { slug } => tenant::turn_into(admin, &slug, State::Locked).await?,
        Command::Suspend { slug } => tenant::turn_into(admin, &slug, State::Suspended).await?,
        Command::Resume { slug } => tenant::turn_into(admin, &slug, State::Active).await?,
        Command::Rename { slug, new_slug, name } => {
            tenant::rename(admin, &slug, &new_slug, name.as_deref()).await?
        }
        Command::Offboard { slug, grace_days } => tenant::offboard(admin, &slug, grace_days).await?,
        Command::Archive { slug } => tenant::archive(admin, &slug).await?,
        Command::Hold { slug, reason } => tenant::hold(admin, &slug, &reason).await?,
        Command::Release { slug } => tenant::release(admin, &slug).await?,
    };
    records::show(admin, &changed.slug, context).await
}
