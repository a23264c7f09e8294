//! What the schema says of mutations and of their inputs.

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

/// The fields of each input with their types; a mutation counts as an input of its arguments.
pub fn inputs() -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut inputs = blocks("input", "\t")?;
    let arguments = blocks("type", "\t\t")?.remove("Mutation").unwrap();
    inputs.insert("Mutation".to_owned(), arguments);
    Ok(inputs)
}

/// The fields of each object with their types.
pub fn objects() -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    blocks("type", "\t")
}

/// What stands at a depth in each block of the schema of a kind: names and types.
fn blocks(kind: &str, depth: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let sdl = std::fs::read_to_string("schema.graphql")?;
    // Without descriptions.
    let sdl: String = sdl.split("\"\"\"").step_by(2).collect();
    let mut blocks = BTreeMap::new();
    for block in sdl.split(&format!("\n{kind} ")).skip(1) {
        let name = block.split_whitespace().next().unwrap().to_owned();
        let lines = block[..block.find("\n}").unwrap()].lines();
        let own = lines.filter_map(|line| line.strip_prefix(depth));
        let own = own.filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()));
        let fields = own.filter_map(|line| line.split_once(": "));
        blocks.insert(name, fields.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect());
    }
    Ok(blocks)
}
