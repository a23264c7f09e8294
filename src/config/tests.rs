use std::{collections::HashMap, fs, path::PathBuf};

use praxis_platform::vault::KeyWrapper;

use super::{Config, Explained, Invalid, LogFormat, Overrides};

/// A file of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("praxis-config-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

fn load(
    file: Option<&Scratch>,
    variables: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<(Config, Vec<Explained>), Invalid> {
    let overrides = Overrides {
        file: file.map(|file| file.0.clone()),
        values: flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(),
    };
    let environment: HashMap<_, _> =
        variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Config::explain(&overrides, &environment)
}

fn source<'a>(explained: &'a [Explained], key: &str) -> (&'a str, &'a str) {
    let found = explained.iter().find(|entry| entry.key == key).unwrap();
    (found.value.as_str(), found.source.as_str())
}

#[test]
fn the_defaults_are_valid() {
    let (config, explained) = load(None, &[], &[]).unwrap();
    assert_eq!(config.http.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(config.admin.listen, "127.0.0.1:9090".parse().unwrap());
    assert_eq!(config.http.base_domain, "localhost");
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.database.require_hardening);
    assert!(config.http.client_address_header.is_none());
    assert!(config.database.url().unwrap_err().to_string().contains("DATABASE_URL"));
    assert_eq!(source(&explained, "http.base_domain"), ("localhost", "default"));
    assert_eq!(source(&explained, "database.url"), ("", "not set"));
}

#[test]
fn a_later_layer_wins_and_is_named() {
    let file = Scratch::new(
        "layers.toml",
        "[http]\nbase_domain = \"file.example\"\nlisten = [\"127.0.0.1:1\", \"127.0.0.2:1\"]\n\
         [database]\nconnections = 7\n[log]\nformat = \"json\"\n",
    );
    let variables =
        [("PRAXIS_BASE_DOMAIN", "env.example"), ("PRAXIS_LOG_FORMAT", "text"), ("PRAXIS_LOG", "")];
    let (config, explained) = load(Some(&file), &variables, &[("http.base_domain", "flag.example")]).unwrap();
    assert_eq!(config.http.base_domain, "flag.example");
    assert_eq!(config.http.listen.len(), 2);
    assert_eq!(config.database.pool.connections, 7);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.log.filter, "info");
    assert_eq!(source(&explained, "http.base_domain"), ("flag.example", "flag"));
    assert_eq!(source(&explained, "log.format").1, "PRAXIS_LOG_FORMAT");
    assert!(source(&explained, "database.connections").1.ends_with("layers.toml"));
}

#[test]
fn all_problems_are_told_at_once_and_no_secret_with_them() {
    let file =
        Scratch::new("wrong.toml", "[http]\nlisten = \"nowhere\"\nbase_domian = \"x\"\n[log]\nformat = 3\n");
    let variables = [
        ("DATABASE_URL", "s3cret"),
        ("PRAXIS_ROOT_KEY", "t00short"),
        ("PRAXIS_DATABASE_CONNECTIONS", "0"),
        ("PRAXIS_REQUIRE_HARDENING", "maybe"),
        ("PRAXIS_LOG", "praxis=loud"),
    ];
    let text = load(Some(&file), &variables, &[]).unwrap_err().to_string();
    for key in [
        "http.listen",
        "http.base_domian",
        "log.format",
        "database.url",
        "keys.root_key",
        "database.connections",
        "database.require_hardening",
        "log.filter",
    ] {
        assert!(text.contains(&format!("- {key} (from")), "{key} is missing in {text}");
    }
    assert!(!text.contains("s3cret") && !text.contains("t00short"), "{text}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_two_places() {
    let file = Scratch::new("url", "postgres://ann:s3cret@db/praxis\n");
    let path = file.0.to_str().unwrap();
    let (config, explained) = load(None, &[("DATABASE_URL_FILE", path)], &[]).unwrap();
    assert_eq!(config.database.url().unwrap(), "postgres://ann:s3cret@db/praxis");
    assert_eq!(source(&explained, "database.url"), ("postgres://ann:***@db/praxis", "DATABASE_URL_FILE"));
    assert!(!format!("{config:?}").contains("s3cret"));
    let both = [("DATABASE_URL_FILE", path), ("DATABASE_URL", "postgres://db/praxis")];
    assert!(load(None, &both, &[]).unwrap_err().to_string().contains("both"));
    assert!(load(None, &[("DATABASE_URL_FILE", "/nonexistent")], &[]).is_err());
}

#[test]
fn cells_are_judged_with_the_rest_and_stay_hidden() {
    let cells = "east=postgres://ann:s3cret@east/praxis west=postgres://west/praxis";
    let good = [("DATABASE_URL", "postgres://db/praxis"), ("PRAXIS_CELLS", cells)];
    let (config, explained) = load(None, &good, &[]).unwrap();
    assert_eq!(config.database.cells().unwrap().further().collect::<Vec<_>>(), ["east", "west"]);
    assert_eq!(source(&explained, "database.cells"), ("(hidden)", "PRAXIS_CELLS"));
    assert!(!format!("{config:?}").contains("s3cret"));
    let file = Scratch::new(
        "cells.toml",
        "[database]\ncells = [\"east=postgres://east/praxis\", \"main=postgres://s3cret/x\", \"East=s3cret\"]\n",
    );
    let text = load(Some(&file), &[], &[]).unwrap_err().to_string();
    assert_eq!(text.matches("- database.cells (from").count(), 2, "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_named_file_must_exist() {
    let overrides = Overrides { file: Some("/nonexistent/praxis.toml".into()), values: Vec::new() };
    assert!(Config::explain(&overrides, &HashMap::new()).is_err());
}

#[test]
fn the_root_key_is_made_only_when_asked_for() {
    let folder = std::env::temp_dir().join(format!("praxis-config-{}-keys", std::process::id()));
    let path = folder.join("deeper/root.key");
    let (config, _) = load(None, &[("PRAXIS_ROOT_KEY_FILE", path.to_str().unwrap())], &[]).unwrap();
    assert!(config.keys.local(false).is_err());
    let made = config.keys.local(true).unwrap();
    let key = fs::read_to_string(&path).unwrap();
    let (config, explained) = load(None, &[("PRAXIS_ROOT_KEY", key.trim())], &[]).unwrap();
    let given = config.keys.local(false).unwrap();
    assert!(given.is_current(&made.id()));
    assert_eq!(source(&explained, "keys.root_key"), ("(hidden)", "PRAXIS_ROOT_KEY"));
    fs::remove_dir_all(folder).unwrap();
}
