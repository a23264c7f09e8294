//! Judges what was set: every value by what it is for, and all of them before it says what is wrong.

use std::{collections::HashMap, fmt::Display, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use praxis_entity::control::tenant::OperationMode;
use praxis_graphql::{api::GateSettings, limits::Limits};
use praxis_platform::{
    key_service::{AwsCredentials, AwsKmsSettings, CredentialSource},
    keyring::KeyTimes,
    mail::{Links, Smtp, Transport},
    push::{PushProvider, WebPush},
    rates::Rate,
    redis::Redis,
    sms::{SmsProvider, Twilio, TwilioSettings},
    tenancy::{Cells, PoolLimits, StatementTimes},
    vault::LocalKeyWrapper,
};
use tracing_subscriber::EnvFilter;
use url::Url;
use zeroize::Zeroizing;

use super::{
    Admin, Config, Database, Explained, Guard, Http, Keys, Log, Mail, Operator, Secret, Setting, Worker,
    secret, settings,
};

/// A statement that has less is hardly ever let finish.
const LEAST_STATEMENT_TIME: Duration = Duration::from_millis(100);
const MOST_STATEMENT_TIME: Duration = Duration::from_hours(24);

/// Whether what is sent there can't be read on the way.
fn is_safe(address: &str) -> bool {
    match address.split_once("://") {
        Some(("https", _)) => true,
        Some(("http", rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
            matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        }
        _ => false,
    }
}

/// Reads values by name and collects what is wrong with them.
pub(super) struct Reader {
    pub(super) values: HashMap<String, config::Value>,
    pub(super) problems: Vec<String>,
}

impl Reader {
    pub(super) fn config(&mut self) -> Option<Config> {
        let pool = PoolLimits {
            connections: self.at_least("database.connections", 1),
            wait: Duration::from_millis(self.at_least("database.wait_ms", 1)),
            tenants_per_connection: self.at_least("database.tenants_per_connection", 1),
            max_age: Duration::from_secs(self.at_least("database.connection_max_age_s", 1)),
            statements: self.statement_times(),
        };
        let limits = Limits {
            tokens: self.at_least("limits.tokens", 1),
            depth: self.at_least("limits.depth", 1),
            aliases: self.at_least("limits.aliases", 1),
            root_fields: self.at_least("limits.root_fields", 1),
            cost: self.at_least("limits.cost", 1),
            filter_terms: self.at_least("limits.filter_terms", 1),
            ..Limits::default()
        };
        let mode = match self.text("operations.mode").as_deref() {
            Some("open") => OperationMode::Open,
            Some("apq") => OperationMode::Apq,
            Some("registered") => OperationMode::Registered,
            _ => {
                self.problem("operations.mode", "expected open, apq or registered");
                OperationMode::Registered
            }
        };
        let gate = GateSettings {
            mode,
            tenant: self.rate("rates.tenant_points", "rates.tenant_restore"),
            actor: self.rate("rates.actor_points", "rates.actor_restore"),
            stranger: self.rate("rates.stranger_points", "rates.stranger_restore"),
        };
        let redis = self.text("redis.url").map(Secret::new);
        if redis.as_ref().is_some_and(|url| Redis::check(url.expose()).is_err()) {
            self.problem("redis.url", "not an address of Redis");
        }
        let url = self.text("database.url").map(Secret::new);
        if let Some(Err(_)) = url.as_ref().map(|url| url.expose().parse::<sqlx::postgres::PgConnectOptions>())
        {
            // What is wrong with it may quote the password.
            self.problem("database.url", "not an address of a Postgres database");
        }
        let cells = self.text("database.cells").map(Secret::new);
        if let Some(Err(wrong)) = cells.as_ref().map(|cells| Cells::with_further("", cells.expose())) {
            wrong.iter().for_each(|wrong| self.problem("database.cells", wrong));
        }
        let root_key = self.text("keys.root_key").map(Secret::new);
        if root_key.as_ref().is_some_and(|key| LocalKeyWrapper::from_text("env", key.expose()).is_err()) {
            self.problem("keys.root_key", "not 32 bytes in hexadecimal or base64");
        }
        let filter = self.text("log.filter").unwrap_or_default();
        if let Err(error) = EnvFilter::builder().parse(&filter) {
            self.problem("log.filter", error);
        }
        let base_domain = self.text("http.base_domain").unwrap_or_default();
        if praxis_platform::tenancy::Host::parse(&base_domain).is_none_or(|host| host.as_str() != base_domain)
        {
            self.problem("http.base_domain", "not a lower-case host name");
        }
        let require_hardening = self.parsed("database.require_hardening");
        let guard = self.parsed("keys.wrapper");
        let aws_kms = self.aws_kms();
        if guard == Some(Guard::AwsKms) && aws_kms.is_none() {
            self.problem("keys.wrapper", "aws-kms needs keys.aws_kms_key_id and keys.aws_region");
        }
        let times = KeyTimes {
            fresh: Duration::from_secs(self.at_least("keys.cache_s", 1)),
            stale: Duration::from_secs(self.at_least("keys.stale_s", 0)),
        };
        let root_key_file = self.text("keys.root_key_file").map(PathBuf::from).unwrap_or_default();
        let client_address_header = match self.text("http.client_address_header") {
            Some(_) => self.parsed("http.client_address_header"),
            None => None,
        };
        let graphiql = self.parsed("http.graphiql");
        let worker = self.parsed("worker.enabled");
        let jobs = self.at_least("worker.jobs", 1);
        let mail = self.mail();
        let sms = self.sms();
        let links = self.links();
        let local_identity_providers = self.parsed("http.local_identity_providers");
        let push = self.push(local_identity_providers == Some(true));
        let connections = self.at_least("http.connections", 1);
        let idle = Duration::from_secs(self.at_least("http.idle_s", 1));
        let listen = self.addresses("http.listen");
        let admin = self.parsed("admin.listen");
        let operator = self.parsed("operator.listen");
        let format = self.parsed("log.format");
        Some(Config {
            database: Database { url, cells, pool, require_hardening: require_hardening? },
            keys: Keys { root_key, root_key_file, guard: guard?, aws_kms, times },
            audit_heads: self.text("audit.heads").map(PathBuf::from),
            http: Http {
                base_domain,
                listen,
                client_address_header,
                graphiql: graphiql?,
                links,
                local_identity_providers: local_identity_providers?,
                connections,
                idle,
            },
            admin: Admin { listen: admin? },
            operator: Operator { listen: operator? },
            mail,
            worker: Worker { enabled: worker?, jobs },
            sms,
            push,
            log: Log { filter, format: format? },
            limits,
            gate,
            redis,
        })
    }

    /// Whoever can wait for longer may take longer, and nobody for ever.
    fn statement_times(&mut self) -> StatementTimes {
        let interactive = self.statement_time("database.statement_timeout_ms", LEAST_STATEMENT_TIME);
        StatementTimes {
            interactive,
            background: self.statement_time("database.background_statement_timeout_ms", interactive),
            operator: self.statement_time("database.operator_statement_timeout_ms", interactive),
        }
    }

    fn statement_time(&mut self, key: &str, least: Duration) -> Duration {
        let least_ms = u64::try_from(least.as_millis()).unwrap_or(u64::MAX);
        let time = Duration::from_millis(self.at_least(key, least_ms));
        if time > MOST_STATEMENT_TIME {
            self.problem(key, "must be a day at the most");
        }
        time
    }

    fn mail(&mut self) -> Mail {
        let address = self.text("mail.smtp_url").map(Secret::new);
        let smtp = address.and_then(|address| match Smtp::parse(address.expose()) {
            Ok(smtp) => Some(Transport::Smtp(smtp)),
            Err(error) => {
                self.problem("mail.smtp_url", error);
                None
            }
        });
        let folder = self.text("mail.folder").map(|path| Transport::Folder(path.into()));
        if smtp.is_some() && folder.is_some() {
            self.problem("mail.folder", "mails go to a mail server or into a folder, not both");
        }
        let transport = smtp.or(folder);
        let from = match self.text("mail.from") {
            Some(_) => self.parsed("mail.from"),
            None => None,
        };
        if transport.is_some() && self.text("mail.from").is_none() {
            self.problem("mail.from", "must be set where mails are sent");
        }
        Mail { transport, from }
    }

    fn sms(&mut self) -> Option<SmsProvider> {
        match self.text("sms.provider").as_deref() {
            Some("log") => Some(SmsProvider::Log),
            Some("twilio") => {
                let text = |key| self.text(key).unwrap_or_default();
                let settings = TwilioSettings {
                    account_sid: text("sms.twilio_account_sid"),
                    auth_token: Zeroizing::new(text("sms.twilio_auth_token")),
                    from: text("sms.twilio_from"),
                    endpoint: text("sms.twilio_endpoint"),
                };
                match Twilio::new(settings) {
                    Ok(twilio) => Some(SmsProvider::Twilio(twilio)),
                    Err(error) => {
                        self.problem("sms.provider", error);
                        None
                    }
                }
            }
            Some("none") => None,
            _ => {
                self.problem("sms.provider", "expected none, log or twilio");
                None
            }
        }
    }

    fn push(&mut self, loopback: bool) -> Option<PushProvider> {
        match self.text("push.provider").as_deref() {
            Some("log") => Some(PushProvider::Log),
            Some("web") => {
                let (key, contact) = (
                    self.text("push.key").unwrap_or_default(),
                    self.text("push.contact").unwrap_or_default(),
                );
                match WebPush::new(&key, &contact, loopback) {
                    Ok(web) => Some(PushProvider::Web(web)),
                    Err(error) => {
                        self.problem("push.provider", error);
                        None
                    }
                }
            }
            Some("none") => None,
            _ => {
                self.problem("push.provider", "expected none, log or web");
                None
            }
        }
    }

    fn links(&mut self) -> Links {
        let origin = self.text("http.origin").unwrap_or_default();
        let shown = origin.replace("{host}", "host.example");
        if !Url::parse(&shown).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host()) {
            self.problem("http.origin", "not an address like https://{host}");
        }
        Links { origin }
    }

    fn rate(&mut self, points: &str, restore: &str) -> Rate {
        Rate { points: self.at_least(points, 1), restore: self.at_least(restore, 1) }
    }

    fn aws_kms(&mut self) -> Option<AwsKmsSettings> {
        let endpoint = self.text("keys.aws_kms_endpoint");
        if endpoint.as_deref().is_some_and(|address| !is_safe(address)) {
            self.problem("keys.aws_kms_endpoint", "must be https, or http on this machine");
        }
        let id = self.text("keys.aws_access_key_id");
        let secret = self.text("keys.aws_secret_access_key").map(Zeroizing::new);
        let credentials = match (id, secret) {
            (Some(access_key_id), Some(secret_access_key)) => CredentialSource::Given(AwsCredentials {
                access_key_id,
                secret_access_key,
                session_token: self.text("keys.aws_session_token").map(Zeroizing::new),
            }),
            (None, None) => CredentialSource::instance(),
            _ => {
                self.problem("keys.aws_access_key_id", "its secret is missing, or it is");
                CredentialSource::instance()
            }
        };
        let (key_id, region) = (self.text("keys.aws_kms_key_id")?, self.text("keys.aws_region")?);
        Some(AwsKmsSettings { key_id, region, endpoint, credentials })
    }

    fn problem(&mut self, key: &str, problem: impl Display) {
        let origin = self.values.get(key).and_then(config::Value::origin).unwrap_or("default");
        self.problems.push(format!("{key} (from {origin}): {problem}"));
    }

    pub(super) fn refuse_unknown(&mut self) {
        let mut unknown: Vec<_> =
            self.values.keys().filter(|key| settings::setting(key).is_none()).cloned().collect();
        unknown.sort_unstable();
        for key in unknown {
            self.problem(&key, "there is no such setting");
        }
    }

    /// A list is read as its members, separated by commas.
    fn text(&self, key: &str) -> Option<String> {
        let value = self.values.get(key)?.clone();
        match value.clone().into_array() {
            Ok(members) => {
                let members: Result<Vec<_>, _> =
                    members.into_iter().map(config::Value::into_string).collect();
                Some(members.ok()?.join(","))
            }
            Err(_) => value.into_string().ok(),
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        match self.text(key).unwrap_or_default().trim().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(key, error);
                None
            }
        }
    }

    fn at_least<T: FromStr<Err: Display> + PartialOrd + Display + Copy>(&mut self, key: &str, least: T) -> T {
        match self.parsed::<T>(key) {
            Some(value) if value >= least => value,
            Some(_) => {
                self.problem(key, format_args!("must be at least {least}"));
                least
            }
            None => least,
        }
    }

    fn addresses(&mut self, key: &str) -> Vec<SocketAddr> {
        let text = self.text(key).unwrap_or_default();
        let mut addresses = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part.parse() {
                Ok(address) => addresses.push(address),
                Err(error) => self.problem(key, format_args!("`{part}`: {error}")),
            }
        }
        addresses
    }

    pub(super) fn explained(&self, setting: &'static Setting) -> Explained {
        let value = match self.text(setting.key) {
            None => String::new(),
            Some(_) if setting.secret && !setting.key.ends_with(".url") => "(hidden)".to_owned(),
            Some(text) if setting.secret => secret::without_password(&text),
            Some(text) => text,
        };
        let origin = self.values.get(setting.key).and_then(config::Value::origin);
        Explained {
            key: setting.key,
            value,
            source: origin.unwrap_or("not set").to_owned(),
            variable: setting.variable,
            meaning: setting.meaning,
        }
    }
}
