//! A new clinic, as operators ask for one.

use praxis_platform::{
    template::{Source, Template},
    tenancy::{self, Filled, MAIN, NewTenant, PoolOf, Tenant, fill_pool, is_slug, provision, provision_in},
};
use serde::{Deserialize, Serialize};
use sqlx::{
    Transaction,
    postgres::{PgConnection, Postgres},
};

use super::{Ground, LifeError};
use crate::{migrate::Migrator, registry};

/// Letters of a name.
const LONGEST_NAME: usize = 200;

/// What a new clinic is called and made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewClinic {
    /// Subdomain.
    pub slug: String,
    /// Name as shown.
    pub display_name: String,
    /// Name of the template.
    pub template: String,
    /// BCP 47 locale; the template's when absent.
    pub locale: Option<String>,
    /// IANA zone; the template's when absent.
    pub time_zone: Option<String>,
    /// The cell that holds it; the control database's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
}

impl NewClinic {
    /// Whether it can be made, as far as that can be seen without the database.
    pub fn check(&self) -> Result<Template, LifeError> {
        if !is_slug(&self.slug) {
            return Err(LifeError::SlugInvalid);
        }
        check_name(&self.display_name)?;
        if let Some(locale) = self.locale.as_deref().filter(|locale| !is_locale(locale)) {
            let why = format!("\"{}\" is no BCP 47 locale", locale.escape_debug());
            return Err(LifeError::invalid("locale", why));
        }
        if self.time_zone.as_ref().is_some_and(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
            return Err(LifeError::invalid("timeZone", "unknown time zone".to_owned()));
        }
        shipped(&self.template)
    }

    /// The cell that it is to be in, where that is not the control database.
    pub(crate) fn further(&self) -> Option<&str> {
        self.cell.as_deref().filter(|cell| *cell != MAIN)
    }

    fn named(&self) -> NewTenant {
        NewTenant {
            slug: self.slug.clone(),
            display_name: self.display_name.trim().to_owned(),
            locale: self.locale.clone(),
            time_zone: self.time_zone.clone(),
        }
    }
}

/// To be called before a clinic is made: while people are served in its cell, its schema is made ahead, in steps that they
/// don't notice. The connection must be in no transaction.
pub async fn prepare(
    admin: &mut PgConnection,
    ground: &Ground<'_>,
    new: &NewClinic,
) -> Result<(), LifeError> {
    let template = new.check()?;
    fits_this_build(admin).await?;
    let cell = new.cell.as_deref().unwrap_or(MAIN);
    let mut home = ground.home(cell).await?;
    let (installation, wrapper, clock) = (ground.installation, ground.wrapper, ground.clock);
    let at = (cell, &mut home);
    Ok(tenancy::prepare(admin, at, installation, wrapper, clock, &template, &new.named()).await?)
}

/// Makes the clinic: in the control database in one transaction, or as a part of one that is under way; in a further cell
/// in several, of which the last one makes it a clinic, and then the connection must be in none.
pub async fn create(
    admin: &mut PgConnection,
    ground: &Ground<'_>,
    new: &NewClinic,
) -> Result<Tenant, LifeError> {
    if let Some(cell) = new.further() {
        let (transaction, tenant) = create_further(admin, ground, cell, new).await?;
        transaction.commit().await?;
        return Ok(tenant);
    }
    let template = new.check()?;
    fits_this_build(admin).await?;
    let (installation, wrapper, clock) = (ground.installation, ground.wrapper, ground.clock);
    Ok(provision(admin, installation, wrapper, clock, &template, &new.named()).await?)
}

/// Makes the clinic of a further cell, up to the end of the transaction that makes it one, which is the caller's: whatever
/// else is written in it happens with it or not at all. The connection must be in no transaction.
pub(crate) async fn create_further<'a>(
    admin: &'a mut PgConnection,
    ground: &Ground<'_>,
    cell: &str,
    new: &NewClinic,
) -> Result<(Transaction<'a, Postgres>, Tenant), LifeError> {
    let template = new.check()?;
    fits_this_build(admin).await?;
    let mut home = ground.home(cell).await?;
    let (installation, wrapper, clock) = (ground.installation, ground.wrapper, ground.clock);
    let new = new.named();
    Ok(provision_in(admin, (cell, &mut home), installation, wrapper, clock, &template, &new).await?)
}

/// The template of a name, as this build ships it.
pub fn shipped(name: &str) -> Result<Template, LifeError> {
    Template::load(&Source::shipped(), name).map_err(|_| LifeError::UnknownTemplate(name.to_owned()))
}

/// Sees to it that the pool of a cell holds so many schemas, with the rows of a template if one is named.
pub async fn fill(
    admin: &mut PgConnection,
    ground: &Ground<'_>,
    (cell, template): (&str, Option<&str>),
    size: i64,
) -> Result<Filled, LifeError> {
    let template = template.map(shipped).transpose()?;
    fits_this_build(admin).await?;
    if !registry::cells(admin).await?.iter().any(|known| known.id == cell) {
        return Err(LifeError::Cell(format!("there is no cell \"{}\"", cell.escape_debug())));
    }
    let mut home = ground.home(cell).await?;
    let pool = PoolOf { cell, template: template.as_ref() };
    let (installation, wrapper, clock) = (ground.installation, ground.wrapper, ground.clock);
    Ok(fill_pool(admin, &mut home, pool, installation, wrapper, clock, size).await?)
}

/// A build that is older or newer than the control schema would make clinics that the servers don't expect.
pub async fn fits_this_build(admin: &mut PgConnection) -> Result<(), LifeError> {
    let (found, known) = (registry::control_version(admin).await?, Migrator::new("").control_target());
    if found == known { Ok(()) } else { Err(LifeError::OtherBuild { found, known }) }
}

pub(super) fn check_name(name: &str) -> Result<(), LifeError> {
    let refused = |why: String| Err(LifeError::invalid("displayName", why));
    if name.trim().is_empty() {
        return refused("the name is empty".to_owned());
    }
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return refused(format!("a name has up to {LONGEST_NAME} letters, in one line"));
    }
    Ok(())
}

/// Whether it is shaped as BCP 47 has it: a language, then subtags of 1 to 8 letters and digits.
fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    text.len() <= 35
        && (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags
            .all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::is_locale;

    #[test]
    fn a_locale_is_a_language_and_its_subtags() {
        for good in ["en", "en-GB", "de-CH-1996", "zh-Hant-TW", "sr-Latn"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in ["", "e", "en_GB", "en-", "-en", "en-GB'; --", "english language", "12", "en-123456789"] {
            assert!(!is_locale(bad), "{bad}");
        }
    }
}
