//! Every setting there is: its name, its variable, its default and what it means.
//!
//! One table, so that the documentation, `praxis config print` and the check for misspelt names
//! cannot drift apart.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Section and name, as in `praxis.toml`.
    pub key: &'static str,
    /// The environment variable that sets it.
    pub variable: &'static str,
    /// The value when nobody sets it; `None` for "not set".
    pub default: Option<&'static str>,
    /// A secret: never shown, and `<variable>_FILE` may name a file that holds it. (The root key's
    /// file is a setting of its own, because its rights are checked.)
    pub secret: bool,
    /// What it means.
    pub meaning: &'static str,
}

const fn plain(
    key: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Setting {
    Setting { key, variable, default, secret: false, meaning }
}

const fn secret(key: &'static str, variable: &'static str, meaning: &'static str) -> Setting {
    Setting { key, variable, default: None, secret: true, meaning }
}

/// Every setting, by section.
pub const SETTINGS: &[Setting] = &[
    secret("database.url", "DATABASE_URL", "Address of the control database, with the operator's login."),
    secret(
        "database.cells",
        "PRAXIS_CELLS",
        "Addresses of further cells by their names, east=postgres://… west=postgres://…; `main` is the control database.",
    ),
    plain(
        "database.connections",
        "PRAXIS_DATABASE_CONNECTIONS",
        Some("12"),
        "Connections to tenant data of each cell at the most; more than a few for each core of the database slow it down.",
    ),
    plain(
        "database.wait_ms",
        "PRAXIS_DATABASE_WAIT_MS",
        Some("3000"),
        "How long a request waits for a connection.",
    ),
    plain(
        "database.tenants_per_connection",
        "PRAXIS_DATABASE_TENANTS_PER_CONNECTION",
        Some("64"),
        "Tenants a connection serves before it is replaced.",
    ),
    plain(
        "database.connection_max_age_s",
        "PRAXIS_DATABASE_CONNECTION_MAX_AGE_S",
        Some("1800"),
        "Age at which a connection is replaced.",
    ),
    plain(
        "database.statement_timeout_ms",
        "PRAXIS_DATABASE_STATEMENT_TIMEOUT_MS",
        Some("5000"),
        "How long a statement of a request may take; the request itself has 10 s.",
    ),
    plain(
        "database.background_statement_timeout_ms",
        "PRAXIS_DATABASE_BACKGROUND_STATEMENT_TIMEOUT_MS",
        Some("20000"),
        "How long a statement of a job, a mail or a round may take; a job itself has 30 s.",
    ),
    plain(
        "database.operator_statement_timeout_ms",
        "PRAXIS_DATABASE_OPERATOR_STATEMENT_TIMEOUT_MS",
        Some("600000"),
        "How long a statement may take that a command works with inside a clinic.",
    ),
    plain(
        "database.require_hardening",
        "PRAXIS_REQUIRE_HARDENING",
        Some("true"),
        "Refuse to serve while PUBLIC may call set_config.",
    ),
    secret(
        "keys.root_key",
        "PRAXIS_ROOT_KEY",
        "The root key itself, 32 bytes in base64 or hexadecimal; during a rotation several, newest first.",
    ),
    plain(
        "keys.root_key_file",
        "PRAXIS_ROOT_KEY_FILE",
        Some(".praxis/root.key"),
        "Where the root key lies when it is not given; a file only its owner may read.",
    ),
    plain("keys.wrapper", "PRAXIS_KEYS_WRAPPER", Some("local"), "What guards tenant keys: local or aws-kms."),
    plain("keys.aws_kms_key_id", "PRAXIS_AWS_KMS_KEY_ID", None, "Id, alias or ARN of the key of AWS KMS."),
    plain("keys.aws_region", "AWS_REGION", None, "Region of the key of AWS KMS."),
    plain(
        "keys.aws_kms_endpoint",
        "AWS_ENDPOINT_URL_KMS",
        None,
        "Another address of AWS KMS than the region's: https, or http on this machine.",
    ),
    plain(
        "keys.aws_access_key_id",
        "AWS_ACCESS_KEY_ID",
        None,
        "Credentials for AWS KMS; without them the instance's metadata service is asked.",
    ),
    secret("keys.aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "Their secret."),
    secret("keys.aws_session_token", "AWS_SESSION_TOKEN", "Comes with credentials that end."),
    plain(
        "keys.cache_s",
        "PRAXIS_KEYS_CACHE_S",
        Some("900"),
        "Seconds until a tenant's key is asked for again.",
    ),
    plain(
        "keys.stale_s",
        "PRAXIS_KEYS_STALE_S",
        Some("2700"),
        "Seconds for which it goes on being used after that while the key service is away.",
    ),
    plain(
        "audit.heads",
        "PRAXIS_AUDIT_HEADS",
        None,
        "Folder in which the server remembers how far it sealed each audit log; without it a restart forgets.",
    ),
    plain(
        "http.base_domain",
        "PRAXIS_BASE_DOMAIN",
        Some("localhost"),
        "Clinics are reached at <slug>.<base domain>.",
    ),
    plain("http.listen", "PRAXIS_LISTEN", Some("127.0.0.1:8080"), "Public addresses, separated by commas."),
    plain(
        "http.client_address_header",
        "PRAXIS_CLIENT_ADDRESS_HEADER",
        None,
        "Header in which a trusted proxy, and nobody else, puts the client's address.",
    ),
    plain(
        "http.connections",
        "PRAXIS_HTTP_CONNECTIONS",
        Some("8192"),
        "Connections at each public address at once.",
    ),
    plain(
        "http.idle_s",
        "PRAXIS_HTTP_IDLE_S",
        Some("60"),
        "How long a connection may be without a request, in seconds.",
    ),
    plain("http.graphiql", "PRAXIS_GRAPHIQL", Some("false"), "Serve the explorer under /explorer."),
    plain(
        "http.local_identity_providers",
        "PRAXIS_LOCAL_IDENTITY_PROVIDERS",
        Some("false"),
        "Let identity providers be on this machine, without TLS; for tests only.",
    ),
    plain(
        "admin.listen",
        "PRAXIS_ADMIN_LISTEN",
        Some("127.0.0.1:9090"),
        "Address of health checks and metrics.",
    ),
    plain(
        "operator.listen",
        "PRAXIS_OPERATOR_LISTEN",
        Some("127.0.0.1:9191"),
        "Address of the control plane; not one that clinics can reach.",
    ),
    plain(
        "http.origin",
        "PRAXIS_ORIGIN",
        Some("https://{host}"),
        "Where links in mails lead; {host} stands for the clinic's host name.",
    ),
    secret(
        "mail.smtp_url",
        "PRAXIS_SMTP_URL",
        "Mail server, smtps://user:password@host:465; smtp:// for STARTTLS, with ?tls=none for neither.",
    ),
    plain(
        "mail.folder",
        "PRAXIS_MAIL_FOLDER",
        None,
        "Folder into which mails are written instead of being sent.",
    ),
    plain(
        "mail.from",
        "PRAXIS_MAIL_FROM",
        None,
        "Sender of mails, as no-reply@example.org; the clinic's name is shown with it.",
    ),
    plain(
        "worker.enabled",
        "PRAXIS_WORKER",
        Some("true"),
        "Do the work that nobody waits for (jobs, mails) in the server; false where `praxis worker` runs.",
    ),
    plain(
        "worker.jobs",
        "PRAXIS_WORKER_JOBS",
        Some("8"),
        "Jobs at once, each with a connection to tenant data.",
    ),
    plain(
        "sms.provider",
        "PRAXIS_SMS_PROVIDER",
        Some("none"),
        "Who carries text messages: none, log (nobody; only that there was one is logged) or twilio.",
    ),
    plain("sms.twilio_account_sid", "PRAXIS_TWILIO_ACCOUNT_SID", None, "Account at Twilio, AC…."),
    secret(
        "sms.twilio_auth_token",
        "PRAXIS_TWILIO_AUTH_TOKEN",
        "Its secret, with which Twilio signs its calls too.",
    ),
    plain(
        "sms.twilio_from",
        "PRAXIS_TWILIO_FROM",
        None,
        "Sender of text messages: a number as +15005550006, or a messaging service MG….",
    ),
    plain(
        "sms.twilio_endpoint",
        "PRAXIS_TWILIO_ENDPOINT",
        Some("https://api.twilio.com"),
        "Address of Twilio: https, or http on this machine.",
    ),
    plain(
        "push.provider",
        "PRAXIS_PUSH_PROVIDER",
        Some("none"),
        "Who rings devices up: none, log (nobody; only that there was one is logged) or web.",
    ),
    secret("push.key", "PRAXIS_PUSH_KEY", "P-256 key that proves who rings, as PKCS#8 in base64."),
    plain(
        "push.contact",
        "PRAXIS_PUSH_CONTACT",
        None,
        "Whom push services may ask, as mailto:admin@example.org.",
    ),
    plain("log.filter", "PRAXIS_LOG", Some("info"), "What is logged, by level and module."),
    plain("log.format", "PRAXIS_LOG_FORMAT", Some("text"), "text or json."),
    plain("limits.tokens", "PRAXIS_LIMITS_TOKENS", Some("10000"), "Tokens in a document."),
    plain("limits.depth", "PRAXIS_LIMITS_DEPTH", Some("12"), "Fields inside each other."),
    plain("limits.aliases", "PRAXIS_LIMITS_ALIASES", Some("30"), "Aliased fields of an operation."),
    plain(
        "limits.root_fields",
        "PRAXIS_LIMITS_ROOT_FIELDS",
        Some("20"),
        "Fields at the root of an operation.",
    ),
    plain("limits.cost", "PRAXIS_LIMITS_COST", Some("2000"), "Values an operation may produce."),
    plain(
        "limits.filter_terms",
        "PRAXIS_LIMITS_FILTER_TERMS",
        Some("200"),
        "Comparisons in the filters of an operation.",
    ),
    plain(
        "operations.mode",
        "PRAXIS_OPERATIONS_MODE",
        Some("apq"),
        "Which operations are taken: open, apq (also by the hash of one sent before) or registered.",
    ),
    plain(
        "rates.tenant_points",
        "PRAXIS_RATES_TENANT_POINTS",
        Some("400000"),
        "Points of cost a whole clinic may spend at once.",
    ),
    plain(
        "rates.tenant_restore",
        "PRAXIS_RATES_TENANT_RESTORE",
        Some("20000"),
        "Points a whole clinic gets back each second.",
    ),
    plain(
        "rates.actor_points",
        "PRAXIS_RATES_ACTOR_POINTS",
        Some("20000"),
        "Points of cost one person may spend at once.",
    ),
    plain(
        "rates.actor_restore",
        "PRAXIS_RATES_ACTOR_RESTORE",
        Some("1000"),
        "Points one person gets back each second.",
    ),
    plain(
        "rates.stranger_points",
        "PRAXIS_RATES_STRANGER_POINTS",
        Some("4000"),
        "Points of cost one address may spend at once without signing in.",
    ),
    plain(
        "rates.stranger_restore",
        "PRAXIS_RATES_STRANGER_RESTORE",
        Some("100"),
        "Points one address gets back each second.",
    ),
    secret(
        "redis.url",
        "PRAXIS_REDIS_URL",
        "Address of a Redis that several servers share, for rate limits and persisted queries.",
    ),
];

/// The setting of a name.
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::SETTINGS;

    #[test]
    fn names_and_variables_are_unique_and_described() {
        let keys: HashSet<_> = SETTINGS.iter().map(|setting| setting.key).collect();
        let variables: HashSet<_> = SETTINGS.iter().map(|setting| setting.variable).collect();
        assert_eq!(keys.len(), SETTINGS.len());
        assert_eq!(variables.len(), SETTINGS.len());
        assert!(SETTINGS.iter().all(|setting| setting.meaning.ends_with('.')));
        assert!(SETTINGS.iter().all(|setting| !setting.secret || setting.default.is_none()));
    }
}
