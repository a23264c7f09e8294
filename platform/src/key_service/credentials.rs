//! With what requests to AWS are signed: given to us, or lent by the machine that we run on.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::vault::VaultError;

/// Lent credentials are renewed so long before they end.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// Credentials of AWS.
#[derive(Clone)]
pub struct AwsCredentials {
    /// Says who.
    pub access_key_id: String,
    /// Proves it.
    pub secret_access_key: Zeroizing<String>,
    /// Comes with credentials that end.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsCredentials({})", self.access_key_id)
    }
}

/// Where credentials come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// From the configuration.
    Given(AwsCredentials),
    /// From the metadata service of the instance (IMDSv2), at this address.
    Instance(String),
}

impl Source {
    /// The metadata service of an EC2 instance.
    pub fn instance() -> Self {
        Self::Instance("http://169.254.169.254".to_owned())
    }
}

/// Credentials that are good now.
pub(super) struct Credentials {
    source: Source,
    lent: Mutex<Option<(AwsCredentials, DateTime<Utc>)>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lent {
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: DateTime<Utc>,
}

impl Credentials {
    pub(super) fn new(source: Source) -> Self {
        Self { source, lent: Mutex::new(None) }
    }

    pub(super) async fn at(&self, now: DateTime<Utc>, client: &Client) -> Result<AwsCredentials, VaultError> {
        let address = match &self.source {
            Source::Given(credentials) => return Ok(credentials.clone()),
            Source::Instance(address) => address,
        };
        let mut lent = self.lent.lock().await;
        if let Some((credentials, until)) = &*lent
            && now < *until - MARGIN
        {
            return Ok(credentials.clone());
        }
        let fresh = borrow(address, client).await.map_err(|error| {
            VaultError::Away(format!("no credentials from the instance: {}", error.without_url()))
        })?;
        let credentials = AwsCredentials {
            access_key_id: fresh.access_key_id,
            secret_access_key: fresh.secret_access_key.into(),
            session_token: Some(fresh.token.into()),
        };
        *lent = Some((credentials.clone(), fresh.expiration));
        Ok(credentials)
    }
}

async fn borrow(address: &str, client: &Client) -> Result<Lent, reqwest::Error> {
    let token = client
        .put(format!("{address}/latest/api/token"))
        .header("x-aws-ec2-metadata-token-ttl-seconds", "300")
        .send()
        .await?
        .error_for_status()?
        .text()
        .await?;
    let get = async |path: &str| {
        let url = format!("{address}/latest/meta-data/iam/security-credentials/{path}");
        client.get(url).header("x-aws-ec2-metadata-token", &token).send().await?.error_for_status()
    };
    let role = get("").await?.text().await?;
    get(role.lines().next().unwrap_or_default().trim()).await?.json().await
}
