//! `praxis key retire`.

use anyhow::Result;
use praxis_platform::{
    rotation::{self, Retired, Retiring, turn},
    vault::KeyWrapper,
};
use serde::Serialize;
use sqlx::Connection;

use super::{Exit, Session, tell};

/// Which older keys to delete.
#[derive(Debug, clap::Args)]
pub(super) struct Retire {
    /// Only this tenant's; root keys stay
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Really delete them
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    #[serde(flatten)]
    retired: Retired,
    state: &'static str,
}

const COLUMNS: [&str; 5] = ["tenant", "state", "tenant_keys", "data_keys", "too_young"];

impl Retire {
    /// Everything is opened first; nothing is deleted where something can't be, or is under an older key.
    pub(super) async fn run(self, session: &mut Session<'_>) -> Result<Exit> {
        if !self.yes {
            tell(
                "older keys are deleted for good: backups made under them need the keys of their time; --yes does it",
            );
            return Ok(Exit::Refused);
        }
        let after = session.context.config()?.keys.times.forgotten();
        let mut rows = Vec::new();
        for clinic in session.clinics(self.tenant.as_deref()).await? {
            let wrapper = session.keys.wrapper.clone();
            let (control, home) = session.hands.of(&clinic).await?;
            let found = rotation::verify(control, home, &clinic, wrapper.as_ref(), None, &|_| {}).await?;
            let (retired, state) = if !found.faults.is_empty() {
                (None, "faulty")
            } else {
                match rotation::retire(control, home, &clinic, wrapper.as_ref(), after).await? {
                    Retiring::Done(retired) => (Some(retired), "done"),
                    Retiring::Behind => (None, "behind"),
                    Retiring::Beside => (None, "beside"),
                }
            };
            if retired.is_some_and(|retired| retired.tenant_keys + retired.data_keys > 0) {
                session.record(&clinic, "key.retire").await?;
            }
            rows.push(Row { tenant: clinic.slug, retired: retired.unwrap_or_default(), state });
        }
        session.context.output.print_rows(&COLUMNS, &rows)?;
        let mut complete = rows.iter().all(|row| row.state == "done");
        if self.tenant.is_none() {
            complete &= self.retire_root_keys(session).await?;
        }
        Ok(if complete { Exit::Done } else { Exit::Partial })
    }

    /// From the look at what is in use to the new file, nobody changes the file or wraps a key.
    async fn retire_root_keys(&self, session: &mut Session<'_>) -> Result<bool> {
        let wrapper = session.keys.wrapper.clone();
        let local = session.keys.local.clone().filter(|local| wrapper.is_current(&local.id()));
        if !session.change_root_keys().await? {
            return Ok(false);
        }
        let mut transaction = session.hands.control.begin().await?;
        turn::retiring(&mut transaction).await?;
        if rotation::wrapped_otherwise(&mut transaction, wrapper.as_ref()).await? > 0 {
            tell("keys are still wrapped by an older root key: run `praxis key rewrap`");
            return Ok(false);
        }
        // A file with one key has none to give up, and may lie where nothing can be written.
        if let Some(local) = local.as_ref().filter(|local| local.file().is_some() && local.len() > 1) {
            let file = local.lock_file()?;
            let count = file.retire(&rotation::wrapped_by(&mut transaction).await?)?;
            if count > 0 {
                tell(&format!("{count} older root keys were taken out of the file; do so on all servers"));
            }
        }
        transaction.commit().await?;
        Ok(true)
    }
}
