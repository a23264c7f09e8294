//! Handing a mail to a mail server, step by step, so that each failure is judged by where it happened.
//!
//! A refusal of the receiver or of the mail is for good, anything else may pass. Once the last byte of a
//! mail is out only the server's answer tells whether it has the mail, so that answer is waited for as
//! long as RFC 5321 asks (ten minutes): giving up earlier is how mails come twice.

use std::{borrow::Cow, fmt, net::IpAddr, time::Duration};

use lettre::transport::smtp::{
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, TlsParameters},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    response::Response,
};
use tokio::time::timeout;
use url::{Host, Url, form_urlencoded};

use super::{Undelivered, message::Ready};

/// Connection, encryption, login.
const CONNECT: Duration = Duration::from_secs(60);
/// Each command up to the mail itself.
const COMMAND: Duration = Duration::from_secs(60);
/// The answer to the mail itself.
const ACCEPT: Duration = Duration::from_secs(10 * 60);
/// A good-bye that nobody waits for.
const QUIT: Duration = Duration::from_secs(2);

/// The longest that handing over one mail can take.
pub(super) const LONGEST: Duration = Duration::from_secs(60 + 3 * 60 + 10 * 60 + 2);

/// A mail server.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
}

#[derive(Clone)]
enum Security {
    Tls(TlsParameters),
    StartTls(TlsParameters),
    Plain,
}

/// Why the address of a mail server is refused. Says nothing of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Not an address at all.
    #[error("not an address like smtps://user:password@host:465")]
    Malformed,
    /// Neither `smtp` nor `smtps`.
    #[error("the address begins with neither smtps:// nor smtp://")]
    Scheme,
    /// Something after `?` that means nothing here.
    #[error("the only parameter is tls, and for smtp:// only: required (the default) or none")]
    Parameter,
    /// A password would go over the network for everybody to read.
    #[error("a password is sent encrypted only: take smtps://, or leave tls=none out")]
    PasswordInTheClear,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Smtp {
    /// Reads `smtps://user:password@host:port` (TLS from the start) or `smtp://…` (STARTTLS, required
    /// unless `?tls=none` says that there is none).
    pub fn parse(address: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(address).map_err(|_| SmtpUrlError::Malformed)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpUrlError::Malformed)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpUrlError::Malformed);
        }
        let parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = url.query_pairs().collect();
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        let tls = || TlsParameters::new(host.clone()).map_err(|_| SmtpUrlError::Malformed);
        let (security, standard_port) = match (url.scheme(), parameters.as_slice()) {
            ("smtps", []) => (Security::Tls(tls()?), 465),
            ("smtp", [] | [("tls", "required")]) => (Security::StartTls(tls()?), 587),
            ("smtp", [("tls", "none")]) => (Security::Plain, 25),
            ("smtp" | "smtps", _) => return Err(SmtpUrlError::Parameter),
            _ => return Err(SmtpUrlError::Scheme),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Credentials::new(decoded(user), decoded(password.unwrap_or_default()))),
        };
        if credentials.is_some() && matches!(security, Security::Plain) && !is_loopback(&host) {
            return Err(SmtpUrlError::PasswordInTheClear);
        }
        Ok(Self { port: url.port().unwrap_or(standard_port), host, security, credentials })
    }

    /// Hands a mail over.
    pub(super) async fn deliver(&self, message: &Ready) -> Result<(), Undelivered> {
        let connected = timeout(CONNECT, self.connect()).await;
        let mut connection = match connected {
            Ok(Ok(connection)) => connection,
            // Also a login refused for good: that is the installation's mistake, not the mail's.
            Ok(Err(error)) => return Err(Undelivered::Later(told("connecting", &error))),
            Err(_) => return Err(Undelivered::Later("connecting: no answer in time".to_owned())),
        };
        let outcome = hand_over(&mut connection, message).await;
        let _ = timeout(QUIT, connection.abort()).await;
        outcome
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let hello = ClientId::default();
        let tls = match &self.security {
            Security::Tls(parameters) => Some(parameters.clone()),
            Security::StartTls(_) | Security::Plain => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &hello, tls, None).await?;
        if let Security::StartTls(parameters) = &self.security {
            connection.starttls(parameters.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// The mail itself, on an open connection.
async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Ready) -> Result<(), Undelivered> {
    let Ready { from, to, bytes, .. } = message;
    let mut parameters = Vec::new();
    if [from, to].iter().any(|address| !AsRef::<str>::as_ref(*address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Undelivered::Never("the mail server takes no such address (SMTPUTF8)".to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    // Whether the sender is accepted is a matter of the installation, so even a refusal may pass.
    let sender = connection.command(Mail::new(Some(from.clone()), parameters));
    step("MAIL", COMMAND, sender).await.map_err(|refused| Undelivered::Later(refused.told))?;
    step("RCPT", COMMAND, connection.command(Rcpt::new(to.clone(), Vec::new()))).await.map_err(judged)?;
    step("DATA", COMMAND, connection.command(Data)).await.map_err(judged)?;
    step("the mail", ACCEPT, connection.message(bytes)).await.map_err(judged)
}

/// A step that failed.
struct Refused {
    for_good: bool,
    told: String,
}

async fn step(
    what: &str,
    patience: Duration,
    answer: impl Future<Output = Result<Response, lettre::transport::smtp::Error>>,
) -> Result<(), Refused> {
    match timeout(patience, answer).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Refused { for_good: error.is_permanent(), told: told(what, &error) }),
        Err(_) => Err(Refused { for_good: false, told: format!("{what}: no answer in time") }),
    }
}

fn judged(refused: Refused) -> Undelivered {
    if refused.for_good { Undelivered::Never(refused.told) } else { Undelivered::Later(refused.told) }
}

/// The code alone: the server's words may repeat the address.
fn told(what: &str, error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("{what}: {code}"),
        None if error.is_tls() => format!("{what}: TLS failed"),
        None if error.is_client() => format!("{what}: the mail server lacks what is needed"),
        None => format!("{what}: the connection ended"),
    }
}

/// In a form a plus is a space, in an address it is not.
fn decoded(part: &str) -> String {
    let form = format!("={}", part.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<(String, u16, &'static str, Option<Credentials>), SmtpUrlError> {
        Smtp::parse(address).map(|smtp| {
            let security = match smtp.security {
                Security::Tls(_) => "tls",
                Security::StartTls(_) => "starttls",
                Security::Plain => "plain",
            };
            (smtp.host, smtp.port, security, smtp.credentials)
        })
    }

    #[test]
    fn an_address_is_encrypted_unless_it_says_otherwise() {
        let ann = Some(Credentials::new("ann@x".to_owned(), "a+b&c/d".to_owned()));
        assert_eq!(
            read("smtps://ann%40x:a+b&c%2Fd@mail.example"),
            Ok(("mail.example".into(), 465, "tls", ann))
        );
        assert_eq!(read("smtp://mail.example:2525"), Ok(("mail.example".into(), 2525, "starttls", None)));
        assert_eq!(read("smtp://mail.example?tls=required").unwrap().2, "starttls");
        assert_eq!(read("smtp://relay?tls=none"), Ok(("relay".into(), 25, "plain", None)));
        assert_eq!(read("smtp://[::1]:1025?tls=none"), Ok(("::1".into(), 1025, "plain", None)));
        assert!(read("smtp://a:b@127.0.0.1?tls=none").is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (address, error) in [
            ("mail.example", SmtpUrlError::Malformed),
            ("smtp://", SmtpUrlError::Malformed),
            ("smtps://mail.example/path", SmtpUrlError::Malformed),
            ("https://mail.example", SmtpUrlError::Scheme),
            ("smtp://mail.example?tls=maybe", SmtpUrlError::Parameter),
            ("smtps://mail.example?tls=none", SmtpUrlError::Parameter),
            ("smtp://a:b@mail.example?tls=none", SmtpUrlError::PasswordInTheClear),
        ] {
            assert_eq!(Smtp::parse(address).err(), Some(error), "{address}");
        }
    }

    #[test]
    fn a_server_is_printed_without_its_password() {
        let smtp = Smtp::parse("smtps://ann:s3cret@mail.example").unwrap();
        assert_eq!(format!("{smtp:?}"), "mail.example:465");
    }
}
