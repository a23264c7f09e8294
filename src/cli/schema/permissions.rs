//! `praxis schema permissions`: the registry, and who holds what by the shipped templates.

use anyhow::Result;
use praxis_platform::{
    access::Permission,
    template::{Source, Template},
};
use serde::Serialize;

use crate::cli::{Context, exit::Exit};

#[derive(Serialize)]
struct Row {
    permission: &'static str,
    description: &'static str,
    /// `template/role`.
    roles: Vec<String>,
}

/// Prints the matrix.
pub fn run(template: Option<&str>, context: &Context) -> Result<Exit> {
    let source = Source::shipped();
    let names = template.map_or_else(|| source.names(), |name| vec![name]);
    let templates = names.into_iter().map(|name| Template::load(&source, name)).collect::<Result<Vec<_>, _>>()?;
    let holders = |permission: Permission| {
        let of = |template: &Template| {
            let held = template.roles.iter().filter(|role| role.permissions.contains(permission));
            held.map(|role| format!("{}/{}", template.manifest.name, role.code)).collect::<Vec<_>>()
        };
        templates.iter().flat_map(of).collect()
    };
    let rows: Vec<_> = Permission::ALL
        .iter()
        .map(|&permission| Row {
            permission: permission.code(),
            description: permission.description(),
            roles: holders(permission),
        })
        .collect();
    context.output.print_rows(&["permission", "description", "roles"], &rows)?;
    Ok(Exit::Done)
}
