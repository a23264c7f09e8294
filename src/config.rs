//! How this installation is set up: defaults, `praxis.toml`, the environment and flags, as one value.
//!
//! It is read once and judged as a whole: whoever set three things wrong learns of all three.

mod layers;
mod reader;
mod secret;
mod settings;

use std::{
    collections::HashMap,
    env,
    fs::DirBuilder,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use axum::http::HeaderName;
use praxis_graphql::{api::GateSettings, limits::Limits};
use praxis_platform::{
    key_service::AwsKmsSettings,
    keyring::KeyTimes,
    mail::{Links, Mailbox, Transport},
    push::PushProvider,
    sms::SmsProvider,
    tenancy::{Cells, PoolLimits},
    vault::{LocalKeyWrapper, VaultError},
};

pub use layers::Overrides;
use reader::Reader;
pub use secret::Secret;
pub use settings::{SETTINGS, Setting};

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The control database and the pool to tenant data.
    pub database: Database,
    /// The root key.
    pub keys: Keys,
    /// The folder in which the server remembers how far it sealed each clinic's audit log.
    pub audit_heads: Option<PathBuf>,
    /// The public port.
    pub http: Http,
    /// The admin port.
    pub admin: Admin,
    /// The control plane's port.
    pub operator: Operator,
    /// How mails leave.
    pub mail: Mail,
    /// The work that nobody waits for.
    pub worker: Worker,
    /// Who carries text messages.
    pub sms: Option<SmsProvider>,
    /// Who rings devices up.
    pub push: Option<PushProvider>,
    /// The log.
    pub log: Log,
    /// What one GraphQL request may ask for.
    pub limits: Limits,
    /// Which operations are taken, and how fast.
    pub gate: GateSettings,
    /// What several servers share.
    pub redis: Option<Secret>,
}

/// The control database and the pool to tenant data.
#[derive(Debug, Clone)]
pub struct Database {
    url: Option<Secret>,
    cells: Option<Secret>,
    /// Size of the pool of each cell.
    pub pool: PoolLimits,
    /// Refuse to serve while PUBLIC may call `set_config`.
    pub require_hardening: bool,
}

/// Where the root key is.
#[derive(Debug, Clone)]
pub struct Keys {
    root_key: Option<Secret>,
    /// The file, when the key itself is not given.
    pub root_key_file: PathBuf,
    /// What wraps.
    pub guard: Guard,
    /// The key of AWS KMS, if one is named.
    pub aws_kms: Option<AwsKmsSettings>,
    /// How long a server keeps keys.
    pub times: KeyTimes,
}

/// What wraps tenant keys; whatever else is configured only unwraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The root key.
    Local,
    /// AWS KMS.
    AwsKms,
}

impl FromStr for Guard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "local" => Ok(Self::Local),
            "aws-kms" => Ok(Self::AwsKms),
            _ => Err("expected local or aws-kms"),
        }
    }
}

/// The public port.
#[derive(Debug, Clone)]
pub struct Http {
    /// Clinics are reached at `<slug>.<base domain>`.
    pub base_domain: String,
    /// Addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// Where a trusted proxy puts the client's address.
    pub client_address_header: Option<HeaderName>,
    /// Serve the explorer.
    pub graphiql: bool,
    /// Let identity providers be on this machine.
    pub local_identity_providers: bool,
    /// Where links to clinics lead.
    pub links: Links,
    /// Connections at each address at once.
    pub connections: usize,
    /// How long a connection may be without a request.
    pub idle: Duration,
}

/// The work that nobody waits for.
#[derive(Debug, Clone, Copy)]
pub struct Worker {
    /// Do it here.
    pub enabled: bool,
    /// Jobs at once.
    pub jobs: usize,
}

/// How mails leave.
#[derive(Debug, Clone)]
pub struct Mail {
    transport: Option<Transport>,
    from: Option<Mailbox>,
}

/// The admin port.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Address to listen on.
    pub listen: SocketAddr,
}

/// The control plane's port.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Address to listen on.
    pub listen: SocketAddr,
}

/// The log.
#[derive(Debug, Clone)]
pub struct Log {
    /// What is logged, as `EnvFilter` reads it.
    pub filter: String,
    /// As text or JSON.
    pub format: LogFormat,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json"),
        }
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not valid:{}", .problems.iter().map(|problem| format!("\n  - {problem}")).collect::<String>())]
pub struct Invalid {
    /// One sentence each.
    pub problems: Vec<String>,
}

/// One setting with its value and origin, secrets hidden.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Explained {
    /// Section and name.
    pub key: &'static str,
    /// The value as text.
    pub value: String,
    /// Where it comes from.
    pub source: String,
    /// The environment variable that sets it.
    pub variable: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

impl Config {
    /// Reads and judges the configuration of this process.
    pub fn load(overrides: &Overrides) -> Result<Self, Invalid> {
        Self::explain(overrides, &env::vars().collect()).map(|(config, _)| config)
    }

    /// The same with a given environment, and where each value comes from.
    pub fn explain(
        overrides: &Overrides,
        environment: &HashMap<String, String>,
    ) -> Result<(Self, Vec<Explained>), Invalid> {
        let mut problems = Vec::new();
        let merged = layers::merged(overrides, environment, &mut problems);
        let values = merged.map(|merged| layers::flat(&merged.cache)).unwrap_or_default();
        let mut reader = Reader { values: values.into_iter().collect(), problems };
        reader.refuse_unknown();
        let config = reader.config();
        let explained = SETTINGS.iter().map(|setting| reader.explained(setting)).collect();
        match config {
            Some(config) if reader.problems.is_empty() => Ok((config, explained)),
            _ => Err(Invalid { problems: reader.problems }),
        }
    }
}

impl Database {
    /// The address of the control database; every command but a few needs it.
    pub fn url(&self) -> Result<&str, Invalid> {
        self.url.as_ref().map(Secret::expose).ok_or_else(|| Invalid {
            problems: vec![
                "no database: set DATABASE_URL, or `url` under [database] in praxis.toml".to_owned(),
            ],
        })
    }
}

impl Database {
    /// The control database and the further cells.
    pub fn cells(&self) -> Result<Cells, Invalid> {
        let further = self.cells.as_ref().map_or("", Secret::expose);
        Cells::with_further(self.url()?, further)
            .map_err(|problems| Invalid { problems: problems.iter().map(ToString::to_string).collect() })
    }
}

impl Mail {
    /// How mails leave and who sends them; `None` when that is not said.
    pub fn leaving(&self) -> Option<(Transport, Mailbox)> {
        self.transport.clone().zip(self.from.clone())
    }
}

impl Keys {
    /// The root keys, ready for use; a missing file is made only when asked for.
    pub fn local(&self, create_if_missing: bool) -> Result<LocalKeyWrapper, VaultError> {
        if let Some(keys) = &self.root_key {
            return LocalKeyWrapper::from_text("env", keys.expose());
        }
        if create_if_missing
            && let Some(folder) = self.root_key_file.parent().filter(|folder| !folder.as_os_str().is_empty())
        {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| VaultError::KeyFile(format!("{}: {error}", folder.display())))?;
        }
        LocalKeyWrapper::from_file(&self.root_key_file, create_if_missing)
    }

    /// True when there is neither a key nor a file where one should be.
    pub fn is_absent(&self) -> bool {
        self.root_key.is_none() && !self.root_key_file.exists()
    }

    /// The file that the key is in, unless it was given itself.
    pub fn file(&self) -> Option<&Path> {
        self.root_key.is_none().then_some(self.root_key_file.as_path())
    }
}

#[cfg(test)]
mod tests;
