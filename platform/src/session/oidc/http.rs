//! The only way from here to an identity provider, or another address that somebody else chose: bounded in time and size, and not into our own network.
//!
//! Whoever administers a clinic chooses the issuer, and so what this server connects to. It speaks
//! HTTPS to public addresses only, follows no redirect and uses no proxy; names are judged by the
//! addresses that they lead to, when they are connected to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use oauth2::{HttpRequest, HttpResponse, http::Response};
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use url::{Host, Url};

/// An answer takes no longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Documents and key sets are a few kilobytes.
const LARGEST: usize = 256 * 1024;
/// More of us never wait for providers at once.
const AT_ONCE: usize = 32;

/// Why there is no answer; for the log.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The address may not be asked.
    #[error("this address may not be asked")]
    Forbidden,
    /// Too many wait already.
    #[error("too many wait for identity providers")]
    Crowded,
    /// More than we read.
    #[error("the answer is too large")]
    TooLarge,
    /// A status that is no answer.
    #[error("status {0}")]
    Status(u16),
    /// Something else than was asked for.
    #[error("the answer is not what it should be: {0}")]
    Malformed(String),
    /// Nothing came back.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// A client for identity providers.
pub(crate) struct Outbound {
    client: Client,
    loopback: bool,
    places: Semaphore,
}

impl Outbound {
    /// `loopback` lets providers be on this machine, by HTTP: for tests.
    pub(crate) fn new(loopback: bool) -> Result<Self, reqwest::Error> {
        // A second installation is refused, and then there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .pool_max_idle_per_host(2)
            .dns_resolver(std::sync::Arc::new(Guarded { loopback }))
            .build()?;
        Ok(Self { client, loopback, places: Semaphore::new(AT_ONCE) })
    }

    /// Whether an address may be asked, as far as the address itself tells.
    pub(super) fn allows(&self, url: &Url) -> bool {
        may_be_asked(url, self.loopback)
    }

    /// A JSON document.
    pub(super) async fn document<T: DeserializeOwned>(&self, url: &Url) -> Result<T, NoAnswer> {
        let request = oauth2::http::Request::get(url.as_str()).header("accept", "application/json");
        let request = request.body(Vec::new()).map_err(|error| NoAnswer::Malformed(error.to_string()))?;
        let answer = self.send(request).await?;
        if !answer.status().is_success() {
            return Err(NoAnswer::Status(answer.status().as_u16()));
        }
        serde_json::from_slice(answer.body()).map_err(|error| NoAnswer::Malformed(error.to_string()))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let _place = self.places.try_acquire().map_err(|_| NoAnswer::Crowded)?;
        let request: reqwest::Request = request.try_into()?;
        if !self.allows(request.url()) {
            return Err(NoAnswer::Forbidden);
        }
        let mut answer = self.client.execute(request).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(NoAnswer::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get("content-type") {
            whole = whole.header("content-type", kind);
        }
        whole.body(body).map_err(|error| NoAnswer::Malformed(error.to_string()))
    }
}

/// Whether an address may be asked, as far as the address itself tells.
pub fn may_be_asked(url: &Url, loopback: bool) -> bool {
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return false;
    }
    let (local, public) = match url.host() {
        Some(Host::Domain(name)) => (name == "localhost", true),
        Some(Host::Ipv4(address)) => (address.is_loopback(), is_public(address.into())),
        Some(Host::Ipv6(address)) => (address.is_loopback(), is_public(address.into())),
        None => (false, false),
    };
    match url.scheme() {
        "https" => public || (local && loopback),
        "http" => local && loopback,
        _ => false,
    }
}

/// Resolves names to addresses that may be connected to.
struct Guarded {
    loopback: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback = self.loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| is_public(address.ip()) || (loopback && address.ip().is_loopback()))
                .collect();
            if allowed.is_empty() {
                return Err(io::Error::other("the name leads to no public address").into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the internet, not to somebody's own network.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || a == 0
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19));
            !special
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            // Global unicast, without documentation and what wraps another address: Teredo, 6to4.
            (0x2000..0x4000).contains(&a) && a != 0x2002 && !(a == 0x2001 && (b == 0 || b == 0xdb8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_is_public() {
        for public in ["1.1.1.1", "193.0.14.129", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for own in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(own.parse().unwrap()), "{own}");
        }
    }

    #[test]
    fn only_https_to_the_internet_is_asked() {
        let asked = |text: &str, loopback| may_be_asked(&Url::parse(text).unwrap(), loopback);
        for good in
            ["https://login.example.org", "https://login.example.org:8443/realms/a", "https://1.1.1.1/"]
        {
            assert!(asked(good, false), "{good}");
        }
        for bad in [
            "http://login.example.org",
            "ftp://login.example.org",
            "file:///etc/passwd",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://169.254.169.254/",
            "https://u:p@login.example.org/",
            "https://login.example.org/#x",
            "http://localhost:1",
            "http://127.0.0.1:1",
        ] {
            assert!(!asked(bad, false), "{bad}");
        }
        assert!(asked("http://127.0.0.1:1/", true) && asked("http://localhost:1/", true));
        assert!(!asked("http://10.0.0.1/", true) && !asked("http://login.example.org/", true));
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_followed() {
        let outbound = Outbound::new(false).unwrap();
        let url = Url::parse("https://localhost/").unwrap();
        assert!(matches!(outbound.document::<serde_json::Value>(&url).await, Err(NoAnswer::Http(_))));
        let url = Url::parse("http://127.0.0.1/").unwrap();
        assert!(matches!(outbound.document::<serde_json::Value>(&url).await, Err(NoAnswer::Forbidden)));
    }
}
