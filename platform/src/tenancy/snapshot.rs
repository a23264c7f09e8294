//! The newest tenant schema as this build knows it: what new clinics are made from, and which others it can serve.
//!
//! The text is made from the migration steps by one command and compiled in; its first lines say where it stands.

use std::{fmt::Write, sync::LazyLock};

/// The newest tenant schema, with `{schema}` and `{role}` in place of names.
pub const SNAPSHOT: &str = include_str!("../../../tenant-templates/schema.sql");

/// What the head of the snapshot says.
struct Head {
    version: i32,
    served_from: i32,
    oldest_build: i32,
}

static HEAD: LazyLock<Head> = LazyLock::new(|| Head {
    version: stated("-- schema version: "),
    served_from: stated("-- served from: "),
    oldest_build: stated("-- oldest build: "),
});

fn stated(what: &str) -> i32 {
    let line = SNAPSHOT.lines().find_map(|line| line.strip_prefix(what));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// The snapshot as statements that make an empty schema, whose tables a role may use.
///
/// Postgres finds a function among all of its name, which are as many as there are clinics. So each has a name that
/// nobody else has until all that refers to it is made, and only then its own: a clinic takes as long to make as the
/// first one did, however many there are.
pub fn snapshot_sql(schema: &str, role: &str) -> String {
    UNSHARED.replace("{tag}", schema).replace("{schema}", schema).replace("{role}", role)
}

/// The same in parts, each of few statements.
pub(super) fn snapshot_parts(schema: &str, role: &str) -> Vec<String> {
    snapshot_sql(schema, role).split(PART).map(str::to_owned).collect()
}

/// The line between two parts of the snapshot.
const PART: &str = "\n--\n";
const RENAMED_AT_ONCE: usize = 6;

static UNSHARED: LazyLock<String> = LazyLock::new(|| {
    let names: Vec<&str> = functions().collect();
    let mut text = String::with_capacity(SNAPSHOT.len() + names.len() * 100);
    for (number, part) in SNAPSHOT.split("$$").enumerate() {
        if number > 0 {
            text.push_str("$$");
        }
        // Every second part is the body of a function, which runs when all have their own names.
        if number % 2 == 1 {
            text.push_str(part);
        } else {
            text.push_str(&names.iter().fold(part.to_owned(), |part, name| {
                part.replace(&format!("{{schema}}.{name}("), &format!("{{schema}}.{name}_{{tag}}("))
            }));
        }
    }
    for (number, name) in names.into_iter().enumerate() {
        if number % RENAMED_AT_ONCE == 0 {
            text.push_str("--\n");
        }
        let _ = writeln!(text, "ALTER FUNCTION {{schema}}.{name}_{{tag}} RENAME TO {name};");
    }
    text
});

/// The names of the functions in the snapshot.
fn functions() -> impl Iterator<Item = &'static str> {
    SNAPSHOT.lines().filter_map(|line| line.strip_prefix("CREATE FUNCTION {schema}.")?.split('(').next())
}

/// The number of steps that the snapshot stands for: the build's own version.
pub fn snapshot_version() -> i32 {
    HEAD.version
}

/// The oldest version of a schema that has all that this build's code needs.
pub fn snapshot_served_from() -> i32 {
    HEAD.served_from
}

/// The oldest build that can serve a schema of the snapshot's version.
pub fn snapshot_oldest_build() -> i32 {
    HEAD.oldest_build
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_the_snapshot_says_where_it_stands() {
        let (from, version) = (snapshot_served_from(), snapshot_version());
        assert!(0 < from && from <= version && snapshot_oldest_build() <= version);
    }

    #[test]
    fn functions_have_names_that_are_short_and_not_shared_while_a_schema_is_made() {
        let (schema, longest) = ("t_00000000000000000000000000", 63);
        let sql = snapshot_sql(schema, schema);
        let mut known = std::collections::HashSet::new();
        for name in functions() {
            assert!(known.insert(name), "{name} is overloaded");
            assert!(name.len() + 1 + schema.len() <= longest, "{name} is too long");
            assert!(sql.contains(&format!("CREATE FUNCTION {schema}.{name}_{schema}(")), "{name}");
            assert!(sql.contains(&format!("ALTER FUNCTION {schema}.{name}_{schema} RENAME TO {name};")));
            assert!(!sql.contains(&format!("EXECUTE FUNCTION {schema}.{name}(")), "{name}");
        }
        assert!(!known.is_empty() && ["{schema}", "{role}", "{tag}"].iter().all(|left| !sql.contains(left)));
    }

    #[test]
    fn every_part_of_the_snapshot_is_whole_statements_and_few_of_them() {
        let parts = snapshot_parts("t_00000000000000000000000000", "t_00000000000000000000000000");
        assert!(parts.len() > 80);
        for part in parts {
            assert!(part.trim_end().ends_with(';'), "{part}");
            assert!(["$$", "$_$"].iter().all(|quote| part.matches(quote).count() % 2 == 0), "{part}");
            let begun = part
                .lines()
                .filter(|line| ["CREATE ", "ALTER ", "GRANT "].iter().any(|verb| line.starts_with(verb)));
            assert!(begun.count() <= 6, "{part}");
        }
    }
}
