//! The newest tenant schema as this build knows it: what new clinics are made from, and which others it can serve.
//!
//! The text is made from the migration steps by one command and compiled in; its first lines say where it stands.

use std::sync::LazyLock;

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
}
