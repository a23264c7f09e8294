//! The host name of a request, and what it leads to.

use std::sync::Arc;

use super::Tenant;

/// A host name, lower case, without port and trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// Reads a `Host` header. `None` for anything that is not a plain host name or address.
    pub fn parse(header: &str) -> Option<Self> {
        let name = match header.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?.0,
            None => match header.split_once(':') {
                Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                    name
                }
                Some(_) => return None,
                None => header,
            },
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let plain = !name.is_empty()
            && name.len() <= 253
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
        plain.then_some(Self(name))
    }

    /// A clinic's own host name. One that lies below the base domain is nobody's own: a name that was stored comes before
    /// subdomains, and would take another clinic's place.
    pub fn own(name: &str, base_domain: &str) -> Option<Self> {
        let host = Self::parse(name).filter(|host| host.0 == name.to_ascii_lowercase())?;
        let below = host.0.strip_suffix(base_domain);
        (!below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))).then_some(host)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a host name leads to.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// A tenant, in whatever state.
    Tenant(Arc<Tenant>),
    /// Nobody.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_without_port_and_case() {
        let read = |text: &str| Host::parse(text).map(|host| host.0);
        assert_eq!(read("Northside.Example:8080").as_deref(), Some("northside.example"));
        assert_eq!(read("northside.example.").as_deref(), Some("northside.example"));
        assert_eq!(read("[::1]:8080").as_deref(), Some("::1"));
        assert_eq!(
            Host::own("Clinic.example", "praxis.test").map(|host| host.0).as_deref(),
            Some("clinic.example")
        );
        for taken in ["praxis.test", "other.praxis.test", "clinic.example:80", "clinic.example.", "no host"] {
            assert_eq!(Host::own(taken, "praxis.test"), None, "{taken}");
        }
        assert!(Host::own("notpraxis.test", "praxis.test").is_some());
        for tricky in ["", "a b", "a/b", "a@b", "a:80:80", "a:", "a,b", "a\tb", "ä.example", "a:x"] {
            assert_eq!(read(tricky), None, "{tricky:?}");
        }
    }
}
