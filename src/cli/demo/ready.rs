//! What the demo says when it is ready: one line of JSON for programs, a page for people.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
};

use anyhow::Result;
use serde::Serialize;

use super::clinics::{CLINICS, OPERATOR, PASSWORD};
use crate::cli::Output;

/// The contract with programs that start the demo.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    ready: bool,
    port: u16,
    tenants: Vec<Clinic>,
    users: Vec<User>,
    admin_dsn: String,
    admin_port: u16,
    cold_start_ms: u128,
}

#[derive(Debug, Serialize)]
struct Clinic {
    slug: &'static str,
    /// What the Host header has to say.
    host: String,
    graphql: String,
    graphiql: String,
}

#[derive(Debug, Serialize)]
struct User {
    /// Absent for the operator, who belongs to no clinic.
    tenant: Option<&'static str>,
    email: String,
    password: &'static str,
    role: &'static str,
}

/// How the demo is reached.
#[derive(Debug)]
pub(super) struct Reached<'a> {
    /// Public port.
    pub port: u16,
    /// Port of health checks and metrics.
    pub admin_port: u16,
    /// Addresses besides 127.0.0.1 that are listened on.
    pub addresses: &'a [Ipv4Addr],
    /// Whether the system's resolver knows `*.localhost`.
    pub localhost_resolves: bool,
    /// The cluster, for its superuser.
    pub admin_dsn: String,
    /// How long the start took.
    pub start_ms: u128,
}

impl Ready {
    pub(super) fn new(reached: Reached<'_>) -> Self {
        let tenants = CLINICS.iter().map(|clinic| {
            let host = format!("{}.localhost:{}", clinic.slug, reached.port);
            let address = Ipv4Addr::from(clinic.address);
            let by_address = !reached.localhost_resolves && reached.addresses.contains(&address);
            let reachable = if by_address { format!("{address}:{}", reached.port) } else { host.clone() };
            Clinic {
                slug: clinic.slug,
                graphql: format!("http://{reachable}/graphql"),
                // Every browser knows `*.localhost`, whatever the system does.
                graphiql: format!("http://{host}/explorer"),
                host,
            }
        });
        let staff = CLINICS.iter().flat_map(|clinic| {
            clinic.accounts.iter().map(|(role, _, _)| User {
                tenant: Some(clinic.slug),
                email: clinic.email(role),
                password: PASSWORD,
                role,
            })
        });
        let operator =
            User { tenant: None, email: OPERATOR.to_owned(), password: PASSWORD, role: "operator" };
        Self {
            ready: true,
            port: reached.port,
            tenants: tenants.collect(),
            users: staff.chain([operator]).collect(),
            admin_dsn: reached.admin_dsn,
            admin_port: reached.admin_port,
            cold_start_ms: reached.start_ms,
        }
    }

    /// Says it on stdout.
    pub(super) fn tell(&self, output: Output, folder: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        match output {
            Output::Json | Output::Ndjson => writeln!(out, "{}", serde_json::to_string(self)?)?,
            Output::Table => self.tell_people(&mut out, folder)?,
        }
        Ok(out.flush()?)
    }

    fn tell_people(&self, out: &mut impl Write, folder: &str) -> io::Result<()> {
        writeln!(
            out,
            "Praxis is ready after {:.1} s. Ctrl-C stops it; the data are kept.\n",
            self.seconds()
        )?;
        for (clinic, shown) in CLINICS.iter().zip(&self.tenants) {
            writeln!(
                out,
                "  {}\n    GraphiQL  {}\n    GraphQL   {}",
                clinic.name, shown.graphiql, shown.graphql
            )?;
        }
        writeln!(out, "\nAccounts; the password of each is  {PASSWORD}")?;
        for user in &self.users {
            writeln!(out, "  {:<10} {:<18} {}", user.tenant.unwrap_or("-"), user.role, user.email)?;
        }
        let Some(first) = self.tenants.first() else { return Ok(()) };
        let base = first.graphql.trim_end_matches("/graphql");
        if !first.graphql.contains(&first.host) {
            writeln!(
                out,
                "\nThis system does not resolve *.localhost: programs use the addresses above, browsers the names."
            )?;
        }
        let credentials =
            format!(r#"{{"email":"physician@{}.example","password":"{PASSWORD}"}}"#, first.slug);
        writeln!(
            out,
            "\nTry it:\n  TOKEN=$(curl -s {base}/auth/login -H 'content-type: application/json' \\\n    -d '{credentials}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/')\n  curl -s {} -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' \\\n    -d '{{\"query\":\"{{ patients(first: 3) {{ nodes {{ mrn name {{ full }} }} }} }}\"}}'",
            first.graphql
        )?;
        writeln!(
            out,
            "\nEverything listens on loopback only. Health and metrics: http://127.0.0.1:{}/readyz",
            self.admin_port
        )?;
        writeln!(out, "Mails are not sent but put into {folder}/mail, each as .eml and as .txt.")?;
        writeln!(
            out,
            "Other commands find the demo with  --config {folder}/praxis.toml ; the log is {folder}/praxis.log"
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one start")]
    fn seconds(&self) -> f64 {
        self.cold_start_ms as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(localhost_resolves: bool) -> Ready {
        Ready::new(Reached {
            port: 8080,
            admin_port: 9090,
            addresses: &[Ipv4Addr::new(127, 0, 0, 2)],
            localhost_resolves,
            admin_dsn: "postgres://".to_owned(),
            start_ms: 1,
        })
    }

    #[test]
    fn the_contract_is_one_line_with_all_roles() {
        let line = serde_json::to_string(&ready(true)).unwrap();
        assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["tenants"][0]["host"], "northside.localhost:8080");
        let users = value["users"].as_array().unwrap();
        for slug in ["northside", "harbor"] {
            for role in ["owner", "physician", "nurse", "receptionist", "biller"] {
                assert!(users.iter().any(|user| user["tenant"] == slug && user["role"] == role));
            }
        }
        assert!(users.iter().any(|user| user["tenant"].is_null() && user["role"] == "operator"));
    }

    #[test]
    fn programs_are_given_an_address_where_names_do_not_resolve() {
        let urls = |ready: Ready| ready.tenants.into_iter().map(|tenant| tenant.graphql).collect::<Vec<_>>();
        assert_eq!(
            urls(ready(true)),
            ["http://northside.localhost:8080/graphql", "http://harbor.localhost:8080/graphql"]
        );
        // Only one of the two addresses could be listened on.
        assert_eq!(
            urls(ready(false)),
            ["http://127.0.0.2:8080/graphql", "http://harbor.localhost:8080/graphql"]
        );
        assert_eq!(ready(false).tenants[0].graphiql, "http://northside.localhost:8080/explorer");
    }
}
