//! Why something was not done with a clinic.

use std::io;

use praxis_platform::{
    rotation::RotationError,
    tenancy::{CellUnknown, InstallationError, ProvisionError},
    vault::VaultError,
};

/// Why something was not done with a clinic.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// A clinic was named that does not exist.
    #[error("there is no tenant \"{0}\"")]
    Unknown(String),
    /// The process does not know where a cell is.
    #[error(transparent)]
    CellUnknown(#[from] CellUnknown),
    /// There is no such cell, or it takes no clinics.
    #[error("{0}")]
    Cell(String),
    /// The states don't follow each other.
    #[error("a tenant that is {from} can't become {to}")]
    Transition {
        /// The state it is in.
        from: String,
        /// The state asked for.
        to: String,
    },
    /// It must not go, whatever else is decided.
    #[error("the tenant is under legal hold")]
    Held,
    /// It may still think better of it.
    #[error("the grace period of the tenant is not over")]
    Grace,
    /// The subdomain is in use.
    #[error("the slug is taken")]
    SlugTaken,
    /// The subdomain is no valid DNS label, or reserved.
    #[error("the slug must be 1 to 63 letters a-z, digits or hyphens, and not a reserved word")]
    SlugInvalid,
    /// A value that can't be taken.
    #[error("{why}")]
    Invalid {
        /// Which one.
        field: &'static str,
        /// Why.
        why: String,
    },
    /// There is no such template.
    #[error("there is no template \"{0}\"")]
    UnknownTemplate(String),
    /// The key is known for something else.
    #[error("something else was asked for under this key")]
    KeyUsed,
    /// Another build brought the control schema elsewhere.
    #[error("the control schema is at version {found}, and this build works with {known}")]
    OtherBuild {
        /// Version found.
        found: i32,
        /// Version this build knows.
        known: i32,
    },
    /// Nothing can be done in this state, or with what is there.
    #[error("{0}")]
    Refused(String),
    /// The same operation is under way elsewhere, or one that it must not overtake.
    #[error("this operation, or another one on the tenant, is under way in another process")]
    Locked,
    /// A move was called off before its end.
    #[error("the move was called off; the tenant is where it was")]
    CalledOff,
    /// The file is no export, or not the one that was sealed.
    #[error("the export is malformed: {0}")]
    Malformed(&'static str),
    /// The export ends before its end, was changed, or was not sealed for this key.
    #[error("the export can't be opened: it was changed, cut off, or sealed for another key")]
    Sealed(#[source] VaultError),
    /// What was restored is not what was exported.
    #[error("{table}: {found} rows were restored that differ from the {expected} of the manifest")]
    Differs {
        /// The table.
        table: String,
        /// Rows of the manifest.
        expected: u64,
        /// Rows found.
        found: u64,
    },
    /// A key can't be had or made.
    #[error("a key cannot be used")]
    Key(#[from] VaultError),
    /// The file can't be read or written.
    #[error("the file can't be used")]
    File(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl LifeError {
    pub(crate) fn invalid(field: &'static str, why: String) -> Self {
        Self::Invalid { field, why }
    }

    /// What the triggers of the control schema refuse, in words of their own.
    pub(super) fn of_change(error: sqlx::Error, from: &str, to: &str) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        match code.as_deref() {
            Some("PX001") => Self::Transition { from: from.to_owned(), to: to.to_owned() },
            Some("PX004") => Self::Held,
            Some("PX005") => Self::Grace,
            _ => Self::Database(error),
        }
    }
}

impl From<InstallationError> for LifeError {
    fn from(error: InstallationError) -> Self {
        match error {
            InstallationError::Key(error) => Self::Key(error),
            InstallationError::Database(error) => Self::Database(error),
        }
    }
}

impl From<RotationError> for LifeError {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::Key(error) => Self::Key(error),
            RotationError::Database(error) => Self::Database(error),
            RotationError::Malformed { table, .. } => Self::Malformed(table),
        }
    }
}

impl From<ProvisionError> for LifeError {
    fn from(error: ProvisionError) -> Self {
        match error {
            ProvisionError::SlugTaken => Self::SlugTaken,
            ProvisionError::SlugInvalid => Self::SlugInvalid,
            ProvisionError::CellUnknown(_) | ProvisionError::CellClosed(_) => Self::Cell(error.to_string()),
            ProvisionError::TimeZoneUnknown => Self::invalid("timeZone", error.to_string()),
            ProvisionError::NameMissing => Self::invalid("displayName", error.to_string()),
            ProvisionError::Vault(error) => Self::Key(error),
            ProvisionError::Database(error) => Self::Database(error),
        }
    }
}
