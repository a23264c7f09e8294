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
    let sdl = std::fs::read_to_string("schema.graphql")?;
    let fields = |body: &str, indent: &str| -> BTreeMap<String, String> {
        let own = body.lines().filter_map(|line| line.strip_prefix(indent));
        let own = own.filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()));
        own.filter_map(|line| line.split_once(": "))
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .collect()
    };
    let mut inputs = BTreeMap::new();
    for input in sdl.split("\ninput ").skip(1) {
        let name = input.split_whitespace().next().unwrap().to_owned();
        inputs.insert(name, fields(&described_not(&input[..input.find("\n}").unwrap()]), "\t"));
    }
    let mutation = sdl.split("\ntype Mutation").nth(1).unwrap();
    let mutation = described_not(&mutation[..mutation.find("\n}").unwrap()]);
    inputs.insert("Mutation".to_owned(), fields(&mutation, "\t\t"));
    Ok(inputs)
}

/// The text without its descriptions.
fn described_not(body: &str) -> String {
    body.split("\"\"\"").step_by(2).collect()
}
