//! Signature version 4, with which requests to AWS prove who sends them.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::AwsCredentials;
use crate::vault::crypto::{mac, sha256};

/// What is signed: headers with lower-case names, in order.
pub(super) struct Signable<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// Which service of which region a request is for.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// A time as the header `x-amz-date` has it.
pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// The header `authorization` of a request made at `at`.
pub(super) fn authorization(
    request: &Signable<'_>,
    scope: &Scope<'_>,
    credentials: &AwsCredentials,
    at: DateTime<Utc>,
) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let signed = names.join(";");
    let headers: String =
        request.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        request.method,
        request.path,
        request.query,
        HEXLOWER.encode(&sha256(request.body))
    );
    let day = at.format("%Y%m%d").to_string();
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{place}\n{}",
        stamp(at),
        HEXLOWER.encode(&sha256(canonical.as_bytes()))
    );
    let secret = Zeroizing::new(format!("AWS4{}", *credentials.secret_access_key));
    let mut key = Zeroizing::new(mac(secret.as_bytes(), &[day.as_bytes()]));
    for part in [scope.region, scope.service, "aws4_request"] {
        key = Zeroizing::new(mac(key.as_ref(), &[part.as_bytes()]));
    }
    let signature = HEXLOWER.encode(&mac(key.as_ref(), &[text.as_bytes()]));
    let id = &credentials.access_key_id;
    format!("AWS4-HMAC-SHA256 Credential={id}/{place}, SignedHeaders={signed}, Signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (AwsCredentials, DateTime<Utc>) {
        let credentials = AwsCredentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned().into(),
            session_token: None,
        };
        (credentials, "2015-08-30T12:36:00Z".parse().unwrap())
    }

    /// `get-vanilla` and `post-vanilla` of the test suite that AWS published.
    #[test]
    fn the_published_vanilla_requests() {
        let (credentials, at) = example();
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        assert_eq!(stamp(at), headers[1].1);
        for (method, signature) in [
            ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            let request = Signable { method, path: "/", query: "", headers: &headers, body: b"" };
            let scope = Scope { region: "us-east-1", service: "service" };
            assert_eq!(
                authorization(&request, &scope, &credentials, at),
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={signature}"
                )
            );
        }
    }

    /// The request to IAM that AWS's documentation signs step by step.
    #[test]
    fn the_published_request_to_iam() {
        let (credentials, at) = example();
        let request = Signable {
            method: "GET",
            path: "/",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &[
                ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                ("host", "iam.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
        };
        let signed =
            authorization(&request, &Scope { region: "us-east-1", service: "iam" }, &credentials, at);
        let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert!(signed.ends_with(&format!("Signature={signature}")), "{signed}");
    }
}
