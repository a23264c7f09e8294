//! Twilio's HTTP API: handing messages over, and knowing its calls from anybody else's.

use std::{fmt, time::Duration};

use data_encoding::BASE64;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect::Policy};
use ring::hmac;
use serde::Deserialize;
use url::{Host, Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{LONGEST, NotTaken, Text};

const CONNECT: Duration = Duration::from_secs(5);
/// An answer is a few hundred bytes.
const LARGEST: usize = 64 * 1024;

/// The number is closed to messages: its holder sent STOP.
const STOPPED: u32 = 21610;

/// How an account is used.
#[derive(Clone)]
pub struct TwilioSettings {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's secret.
    pub auth_token: Zeroizing<String>,
    /// A number in E.164, or a messaging service (`MG…`).
    pub from: String,
    /// `https://api.twilio.com`, or a stand-in on this machine.
    pub endpoint: String,
}

/// An account at Twilio.
#[derive(Clone)]
pub struct Twilio {
    settings: TwilioSettings,
    messages: Url,
    client: Client,
}

/// Why an account can't be used. Says nothing of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The account.
    #[error("an account is AC and 32 hexadecimal digits")]
    Account,
    /// The secret.
    #[error("its token is missing")]
    Token,
    /// The sender.
    #[error("messages come from a number in E.164 or from a messaging service MG…")]
    From,
    /// The address.
    #[error("must be https, or http on this machine")]
    Endpoint,
    /// The machine.
    #[error("no client can be made")]
    Client,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.settings.account_sid, self.settings.endpoint)
    }
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<u32>,
}

impl Twilio {
    /// Judges the settings of an account.
    pub fn new(settings: TwilioSettings) -> Result<Self, Unusable> {
        let is_sid = |text: &str, kind: &str| {
            text.strip_prefix(kind)
                .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        if !is_sid(&settings.account_sid, "AC") {
            return Err(Unusable::Account);
        }
        if settings.auth_token.trim().is_empty() {
            return Err(Unusable::Token);
        }
        if !is_sid(&settings.from, "MG") && !is_e164(&settings.from) {
            return Err(Unusable::From);
        }
        let mut messages = Url::parse(&settings.endpoint).map_err(|_| Unusable::Endpoint)?;
        let local = match messages.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if messages.scheme() != "https" && !(messages.scheme() == "http" && local) {
            return Err(Unusable::Endpoint);
        }
        messages.set_path(&format!("/2010-04-01/Accounts/{}/Messages.json", settings.account_sid));
        // A second installation is refused, and then there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(Policy::none()).timeout(LONGEST).connect_timeout(CONNECT);
        let client = client.build().map_err(|_| Unusable::Client)?;
        Ok(Self { settings, messages, client })
    }

    pub(super) async fn send(&self, text: &Text) -> Result<String, NotTaken> {
        let sender = if self.settings.from.starts_with('+') { "From" } else { "MessagingServiceSid" };
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("To", &text.to)
            .append_pair(sender, &self.settings.from)
            .append_pair("Body", &text.body)
            .append_pair("StatusCallback", &text.report_to)
            .finish();
        let answer = self
            .client
            .post(self.messages.clone())
            .basic_auth(&self.settings.account_sid, Some(self.settings.auth_token.as_str()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await;
        // What reqwest says may quote the address with its parameters; the kind of trouble is enough.
        let mut answer = answer.map_err(|error| NotTaken::Later(trouble(&error).to_owned()))?;
        let status = answer.status();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err(NotTaken::Later("the answer is too large".to_owned())),
                Ok(None) => break,
                Err(error) => return Err(NotTaken::Later(trouble(&error).to_owned())),
            }
        }
        if status.is_success() {
            let taken: Result<Taken, _> = serde_json::from_slice(&body);
            return taken
                .map(|taken| taken.sid)
                .map_err(|_| NotTaken::Later("an answer without a sid".to_owned()));
        }
        let code = serde_json::from_slice::<Refusal>(&body).ok().and_then(|refusal| refusal.code);
        Err(refused(status, code))
    }

    /// Whether a call comes from Twilio: signed with the account's secret, over the address that Twilio was given
    /// and all parameters.
    pub fn has_signed(&self, url: &str, parameters: &[(String, String)], signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return false };
        let mut sorted: Vec<_> = parameters.iter().collect();
        sorted.sort();
        let signed = sorted.into_iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
        let key =
            hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.settings.auth_token.trim().as_bytes());
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
    }
}

/// A refusal of the message is for good; one of the account, of the moment or of the server may pass.
fn refused(status: StatusCode, code: Option<u32>) -> NotTaken {
    match (status, code) {
        (_, Some(STOPPED)) => NotTaken::Stopped,
        (StatusCode::BAD_REQUEST, Some(code)) => NotTaken::Never(format!("twilio {code}")),
        (_, Some(code)) => NotTaken::Later(format!("twilio {code}")),
        (status, None) => NotTaken::Later(format!("status {}", status.as_u16())),
    }
}

fn trouble(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    }
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether somebody wants no more messages: the words that carriers in the United States ask for, and German's.
pub fn is_stop(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "STOPP"];
    WORDS.contains(&word(text).as_str())
}

/// Whether somebody wants messages again.
pub fn is_start(text: &str) -> bool {
    ["START", "UNSTOP", "YES"].contains(&word(text).as_str())
}

fn word(text: &str) -> String {
    text.trim_matches(|letter: char| !letter.is_alphanumeric()).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> TwilioSettings {
        TwilioSettings {
            account_sid: format!("AC{}", "0f".repeat(16)),
            auth_token: Zeroizing::new("12345".to_owned()),
            from: "+15005550006".to_owned(),
            endpoint: "https://api.twilio.com".to_owned(),
        }
    }

    #[test]
    fn a_signature_is_known_as_twilio_documents_it() {
        let twilio = Twilio::new(settings()).unwrap();
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let parameters: Vec<_> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(twilio.has_signed(url, &parameters, signature));
        let turned: Vec<_> = parameters.iter().rev().cloned().collect();
        assert!(twilio.has_signed(url, &turned, signature));
        assert!(!twilio.has_signed(url, &parameters[1..], signature));
        assert!(!twilio.has_signed("https://mycompany.com/myapp.php", &parameters, signature));
        assert!(!twilio.has_signed(url, &parameters, "") && !twilio.has_signed(url, &parameters, "?"));
        let other = TwilioSettings { auth_token: Zeroizing::new("54321".to_owned()), ..settings() };
        assert!(!Twilio::new(other).unwrap().has_signed(url, &parameters, signature));
    }

    #[test]
    fn settings_are_judged_and_never_shown() {
        let with = |change: fn(&mut TwilioSettings)| {
            let mut settings = settings();
            change(&mut settings);
            Twilio::new(settings).map(|_| ())
        };
        assert_eq!(with(|settings| settings.from = format!("MG{}", "a1".repeat(16))), Ok(()));
        assert_eq!(with(|settings| settings.endpoint = "http://127.0.0.1:1".to_owned()), Ok(()));
        assert_eq!(with(|settings| settings.account_sid = "AC12".to_owned()), Err(Unusable::Account));
        assert_eq!(with(|settings| settings.auth_token = Zeroizing::default()), Err(Unusable::Token));
        assert_eq!(with(|settings| settings.from = "CLINIC".to_owned()), Err(Unusable::From));
        assert_eq!(
            with(|settings| settings.endpoint = "http://10.0.0.1".to_owned()),
            Err(Unusable::Endpoint)
        );
        assert!(!format!("{:?}", Twilio::new(settings()).unwrap()).contains("12345"));
    }

    #[test]
    fn a_refusal_of_the_message_is_for_good_and_any_other_may_pass() {
        assert_eq!(refused(StatusCode::BAD_REQUEST, Some(21610)), NotTaken::Stopped);
        assert_eq!(refused(StatusCode::BAD_REQUEST, Some(21211)), NotTaken::Never("twilio 21211".to_owned()));
        for (status, code) in
            [(401, Some(20003)), (404, Some(20404)), (429, Some(20429)), (503, None), (400, None)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(matches!(refused(status, code), NotTaken::Later(_)), "{status}");
        }
    }

    #[test]
    fn stop_is_understood_as_people_write_it() {
        for stop in ["STOP", " stop.", "Stop!", "Unsubscribe", "stopp\n"] {
            assert!(is_stop(stop), "{stop}");
        }
        for other in ["", "please stop by", "START", "yes"] {
            assert!(!is_stop(other), "{other}");
        }
        assert!(is_start("start") && !is_start("restart"));
    }
}
