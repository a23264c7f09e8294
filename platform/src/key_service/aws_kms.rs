//! AWS KMS: tenant keys encrypted under a key that never leaves it.
//!
//! The encryption context names the tenant and the version of its key: KMS decrypts nothing under
//! another, and writes both into the log of its calls.

use std::time::Duration;

use data_encoding::BASE64;
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    CredentialSource,
    credentials::Credentials,
    sigv4::{Scope, Signable, authorization, stamp},
};
use crate::{
    clock::SharedClock,
    vault::{GuardedKey, KeyBinding, KeyWrapper, VaultError, WrapFuture},
};

/// How long KMS may take.
const PATIENCE: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(1);
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// Which key of which region.
#[derive(Debug, Clone)]
pub struct AwsKmsSettings {
    /// Id, alias or ARN of the key.
    pub key_id: String,
    /// Region, such as `eu-central-1`.
    pub region: String,
    /// Another address than the region's own.
    pub endpoint: Option<String>,
    /// With what requests are signed.
    pub credentials: CredentialSource,
}

/// Wraps with a key of AWS KMS.
pub struct AwsKms {
    id: String,
    key_id: String,
    region: String,
    endpoint: Url,
    host: String,
    credentials: Credentials,
    clock: SharedClock,
    client: Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: String,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "__type", default)]
    kind: String,
}

impl AwsKms {
    /// A wrapper; nothing is asked yet.
    pub fn new(settings: AwsKmsSettings, clock: SharedClock) -> Result<Self, VaultError> {
        let away = |what: &str| VaultError::KeyUnavailable(format!("AWS KMS: {what}"));
        let endpoint =
            settings.endpoint.unwrap_or_else(|| format!("https://kms.{}.amazonaws.com", settings.region));
        let endpoint = Url::parse(&endpoint).map_err(|_| away("the endpoint is no address"))?;
        let host = endpoint.host_str().ok_or_else(|| away("the endpoint names no host"))?;
        let host = endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        // An error means that another part of the process installed one; there is only one to choose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| away("no client"))?;
        Ok(Self {
            id: format!("aws-kms:{}", settings.key_id),
            key_id: settings.key_id,
            region: settings.region,
            endpoint,
            host,
            credentials: Credentials::new(settings.credentials),
            clock,
            client,
        })
    }

    async fn call<T: for<'de> Deserialize<'de>>(
        &self,
        action: &str,
        body: &impl Serialize,
    ) -> Result<T, VaultError> {
        let body = Zeroizing::new(serde_json::to_vec(body).map_err(|_| VaultError::Format("request"))?);
        let now = self.clock.now();
        let credentials = self.credentials.at(now, &self.client).await?;
        let (date, target) = (stamp(now), format!("TrentService.{action}"));
        let mut headers = vec![
            ("content-type", MEDIA_TYPE),
            ("host", self.host.as_str()),
            ("x-amz-date", date.as_str()),
            ("x-amz-target", target.as_str()),
        ];
        if let Some(token) = &credentials.session_token {
            headers.insert(3, ("x-amz-security-token", token));
        }
        let request = Signable { method: "POST", path: "/", query: "", headers: &headers, body: &body };
        let scope = Scope { region: &self.region, service: "kms" };
        let signed = authorization(&request, &scope, &credentials, now);
        let mut post = self.client.post(self.endpoint.clone()).header("authorization", signed);
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            post = post.header(*name, *value);
        }
        let away = |error: reqwest::Error| {
            let how = if error.is_timeout() { "too slow" } else { "not to be reached" };
            VaultError::Away(format!("AWS KMS: {how}"))
        };
        let answer = post.body(body.to_vec()).send().await.map_err(away)?;
        if answer.status() != StatusCode::OK {
            let status = answer.status();
            let refused: Option<Refused> = answer.json().await.ok();
            return Err(refusal(status, refused.as_ref().map_or("", |refused| refused.kind.as_str())));
        }
        answer.json().await.map_err(|_| VaultError::Away("AWS KMS: an odd answer".to_owned()))
    }
}

/// What a refusal means: only a ciphertext that is not what it should be will be so tomorrow, and what
/// is no matter of one tenant befalls all: the service, the key that wraps theirs, our credentials.
fn refusal(status: StatusCode, kind: &str) -> VaultError {
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let text = format!("AWS KMS: status {} {kind}", status.as_u16()).trim_end().to_owned();
    // Errors common to all services of AWS come with the ending and without.
    match kind.strip_suffix("Exception").unwrap_or(kind) {
        "InvalidCiphertext" => VaultError::Tampered,
        "IncorrectKey" => VaultError::WrongKey,
        "KMSInternal"
        | "KMSInvalidState"
        | "KeyUnavailable"
        | "DependencyTimeout"
        | "Disabled"
        | "NotFound"
        | "Throttling"
        | "LimitExceeded"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignature"
        | "MissingAuthenticationToken"
        | "UnrecognizedClient" => VaultError::Away(text),
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => VaultError::Away(text),
        _ => VaultError::KeyUnavailable(text),
    }
}

fn context(binding: KeyBinding) -> Map<String, Value> {
    let mut context = Map::new();
    context.insert("praxis:tenant".to_owned(), binding.tenant.to_string().into());
    context.insert("praxis:version".to_owned(), binding.version.to_string().into());
    context
}

impl KeyWrapper for AwsKms {
    fn wrap<'a>(&'a self, binding: KeyBinding, key: &'a [u8]) -> WrapFuture<'a, GuardedKey> {
        Box::pin(async move {
            #[derive(Serialize)]
            #[serde(rename_all = "PascalCase")]
            struct Encrypt<'a> {
                key_id: &'a str,
                plaintext: &'a str,
                encryption_context: Map<String, Value>,
            }
            let plaintext = Zeroizing::new(BASE64.encode(key));
            let request =
                Encrypt { key_id: &self.key_id, plaintext: &plaintext, encryption_context: context(binding) };
            let answer: Encrypted = self.call("Encrypt", &request).await?;
            let bytes = BASE64.decode(answer.ciphertext_blob.as_bytes());
            let bytes = bytes.map_err(|_| VaultError::Format("answer of AWS KMS"))?;
            Ok(GuardedKey { version: binding.version, bytes, wrapper: self.id() })
        })
    }

    fn unwrap<'a>(&'a self, binding: KeyBinding, key: &'a GuardedKey) -> WrapFuture<'a, Zeroizing<Vec<u8>>> {
        Box::pin(async move {
            let request = json!({
                "KeyId": self.key_id,
                "CiphertextBlob": BASE64.encode(&key.bytes),
                "EncryptionContext": context(binding),
            });
            let answer: Decrypted = self.call("Decrypt", &request).await?;
            let plain = BASE64.decode(Zeroizing::new(answer.plaintext).as_bytes());
            plain.map(Zeroizing::new).map_err(|_| VaultError::Format("answer of AWS KMS"))
        })
    }

    fn id(&self) -> String {
        self.id.clone()
    }

    fn opens(&self, id: &str) -> bool {
        self.id == id
    }

    fn is_current(&self, id: &str) -> bool {
        self.id == id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wrong_ciphertext_is_wrong_for_good() {
        let of = |kind| refusal(StatusCode::BAD_REQUEST, kind);
        assert_eq!(of("com.amazonaws.kms#InvalidCiphertextException"), VaultError::Tampered);
        assert_eq!(of("IncorrectKeyException"), VaultError::WrongKey);
    }

    #[test]
    fn only_what_befalls_everybody_counts_as_away() {
        let of = |kind| refusal(StatusCode::BAD_REQUEST, kind);
        for kind in [
            "DisabledException",
            "aws#KMSInvalidStateException",
            "ThrottlingException",
            "NotFoundException",
            "InvalidSignatureException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "ExpiredToken",
        ] {
            assert!(matches!(of(kind), VaultError::Away(_)), "{kind}");
        }
        for kind in ["AccessDeniedException", "ValidationException", "InvalidGrantTokenException", ""] {
            assert!(matches!(of(kind), VaultError::KeyUnavailable(_)), "{kind}");
        }
        for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS] {
            assert!(matches!(refusal(status, ""), VaultError::Away(_)), "{status}");
        }
    }
}
