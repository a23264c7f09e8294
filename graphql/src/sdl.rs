//! The schema as it is published: with the policy of each field printed beside it.

use std::collections::HashSet;

use crate::policy::{self, Access};

const DIRECTIVES: &str = r#"
"Permissions needed to read the field or run the mutation."
directive @auth(requires: [String!]!) on FIELD_DEFINITION

"The field carries protected health information."
directive @phi(category: PhiCategory!, sensitivity: Sensitivity! = NORMAL) on FIELD_DEFINITION

"The mutation refuses to run without an idempotency key."
directive @idempotencyRequired on FIELD_DEFINITION

"What protected health information a field carries."
enum PhiCategory {
  "A person's name."
  NAME
  "How a person is reached."
  CONTACT
  "A number that an authority or the clinic gave."
  GOVERNMENT_ID
  "Birth date."
  BIRTH_DATE
  "What ails a person and what is done about it."
  CLINICAL
  "Words somebody wrote."
  FREE_TEXT
}

"How sensitive a field is."
enum Sensitivity {
  "As all health data."
  NORMAL
  "More than that."
  RESTRICTED
}
"#;

/// Mutations that need an idempotency key.
const KEY_REQUIRED: [&str; 1] = ["Mutation.appointmentBook"];

/// Adds to each field of the framework's text what its policy says.
pub(crate) fn annotate(sdl: &str) -> String {
    let mut out = String::with_capacity(sdl.len() * 2);
    let mut type_name = None;
    let mut field: Option<&str> = None;
    let mut in_description = false;
    for line in sdl.lines() {
        out.push_str(line);
        // Text between triple quotes may look like anything.
        let quotes = line.matches("\"\"\"").count();
        let described = in_description || quotes > 0;
        if quotes % 2 == 1 {
            in_description = !in_description;
        }
        if !described {
            if let Some(declared) = line.strip_prefix("type ") {
                type_name = declared.split([' ', '{']).next();
            } else if line == "}" {
                type_name = None;
            } else if let (Some(owner), Some(rest)) = (type_name, line.strip_prefix('\t')) {
                if !rest.starts_with(['\t', ')', '"']) {
                    field = rest.split(['(', ':']).next();
                }
                // A field ends on the line with its type: its own, or the one that closes its arguments.
                let ends = !rest.starts_with('\t') && !rest.trim_end().ends_with('(') && rest.contains(':');
                if let (true, Some(name)) = (ends, field.take_if(|_| ends)) {
                    out.push_str(&suffix(&format!("{owner}.{name}")));
                }
            }
        }
        out.push('\n');
    }
    out.push_str(DIRECTIVES);
    out
}

fn suffix(coordinate: &str) -> String {
    let mut text = String::new();
    let Some(rule) = policy::rule(coordinate) else { return text };
    if let Some((category, _)) = rule.phi {
        text.push_str(&format!(" @phi(category: {})", category.as_str()));
    }
    if let Access::Needs(permission) = rule.access {
        text.push_str(&format!(" @auth(requires: [\"{}\"])", permission.code()));
    }
    if KEY_REQUIRED.contains(&coordinate) {
        text.push_str(" @idempotencyRequired");
    }
    text
}

/// Coordinates of the schema that have no rule, and rules without a field: both must be empty.
pub fn gaps(sdl: &str) -> (Vec<String>, Vec<String>) {
    let declared: HashSet<String> = policy::coordinates().into_iter().map(|(coordinate, ..)| coordinate).collect();
    let served = served(sdl);
    let mut open: Vec<_> = served.difference(&declared).cloned().collect();
    let mut dead: Vec<_> = declared.difference(&served).cloned().collect();
    open.sort();
    dead.sort();
    (open, dead)
}

fn served(sdl: &str) -> HashSet<String> {
    use async_graphql::parser::{parse_schema, types::{TypeKind, TypeSystemDefinition}};
    let Ok(document) = parse_schema(sdl) else { return HashSet::new() };
    document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(&definition.node),
            _ => None,
        })
        .filter_map(|definition| match &definition.kind {
            TypeKind::Object(object) => Some((definition.name.node.to_string(), object)),
            _ => None,
        })
        .flat_map(|(name, object)| object.fields.iter().map(move |field| format!("{name}.{}", field.node.name.node)).collect::<Vec<_>>())
        .collect()
}
