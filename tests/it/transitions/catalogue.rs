//! What the schema says of mutations.

use std::collections::BTreeMap;

use anyhow::Result;

/// Each mutation with the permission that it asks for.
pub fn mutations() -> Result<BTreeMap<String, Option<String>>> {
    let sdl = std::fs::read_to_string("schema.graphql")?;
    let body = sdl.split("\ntype Mutation").nth(1).unwrap();
    let body = &body[..body.find("\n}").unwrap()];
    let (mut mutations, mut name) = (BTreeMap::new(), String::new());
    for line in body.lines().filter(|line| line.starts_with('\t') && !line.starts_with("\t\t")) {
        if let Some(begun) = line.trim().strip_suffix('(') {
            begun.clone_into(&mut name);
        } else if line.starts_with("\t):") {
            let asked = line.split("@auth(requires: [\"").nth(1).and_then(|rest| rest.split('"').next());
            mutations.insert(std::mem::take(&mut name), asked.map(str::to_owned));
        }
    }
    Ok(mutations)
}
