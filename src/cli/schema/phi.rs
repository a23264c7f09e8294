//! `praxis schema print` and `praxis schema phi`: the published schema, and what its fields ask and carry.

use std::io::Write;

use anyhow::Result;
use praxis_graphql::{Access, Coordinate, Sensitivity, coordinates, limits::Limits};
use serde::Serialize;

use crate::cli::{Context, exit::Exit};

#[derive(Serialize)]
struct Row {
    field: String,
    access: String,
    category: Option<&'static str>,
    sensitivity: Option<&'static str>,
}

/// Prints the schema.
pub fn print() -> Result<Exit> {
    let sdl = praxis_graphql::build(Limits::default())?.sdl();
    std::io::stdout().lock().write_all(sdl.as_bytes())?;
    Ok(Exit::Done)
}

/// Prints one row for each field.
pub fn run(context: &Context) -> Result<Exit> {
    let rows: Vec<_> = coordinates()
        .into_iter()
        .map(|Coordinate { name: field, access, phi }| Row {
            field,
            access: match access {
                Access::Public => "public".to_owned(),
                Access::SignedIn => "signed in".to_owned(),
                Access::Enrolling => "signed in, or enrolling a second factor".to_owned(),
                Access::Needs(permission) => permission.code().to_owned(),
                Access::Inherited => "inherited".to_owned(),
            },
            category: phi.map(|(category, _)| category.as_str()),
            sensitivity: phi.map(|(_, sensitivity)| match sensitivity {
                Sensitivity::Normal => "NORMAL",
                Sensitivity::Restricted => "RESTRICTED",
            }),
        })
        .collect();
    context.output.print_rows(&["field", "access", "category", "sensitivity"], &rows)?;
    Ok(Exit::Done)
}
