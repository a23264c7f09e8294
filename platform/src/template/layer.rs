//! One template by itself, before its parents: its files, read and checked.

use serde::Deserialize;

use super::item::{ClinicalRule, FieldPolicy, Manifest, NoteTemplate, Role, Specialty, VisitType};
use super::note;
use super::reader::Reader;
use crate::access::{Permission, PermissionSet};

const FILES: [&str; 7] = [
    "template.yaml",
    "roles.yaml",
    "field_policies.yaml",
    "visit_types.yaml",
    "specialties.yaml",
    "rules.yaml",
    "README.md",
];

/// What the files of one template say.
pub(super) struct Layer {
    pub(super) manifest: Manifest,
    pub(super) roles: Vec<Role>,
    pub(super) field_policies: Vec<FieldPolicy>,
    pub(super) visit_types: Vec<VisitType>,
    pub(super) specialties: Vec<Specialty>,
    pub(super) note_templates: Vec<NoteTemplate>,
    pub(super) rules: Vec<ClinicalRule>,
}

#[derive(Deserialize)]
struct RoleEntry {
    code: String,
    name: String,
    description: String,
    landing_order: u16,
    permissions: Vec<String>,
}

#[derive(Deserialize)]
struct FieldPolicyEntry {
    #[serde(rename = "type")]
    type_name: String,
    field: String,
    permission: String,
    reason: String,
}

impl Layer {
    /// Reads a template; none if it has no readable `template.yaml`.
    pub(super) fn read(reader: &mut Reader<'_>, name: &str) -> Option<Self> {
        let source = reader.source;
        for file in source.files_of(name) {
            if !FILES.contains(&file) && !is_note(file) {
                reader.report(&format!("{name}/{file}"), "", "is not a file of a template");
            }
        }
        let manifest = manifest(reader, name);
        let roles = roles(reader, &format!("{name}/roles.yaml"));
        let field_policies = field_policies(reader, &format!("{name}/field_policies.yaml"));
        let file = format!("{name}/visit_types.yaml");
        let visit_types = reader.list(&file, "visit_types.schema.json");
        reader.unique::<VisitType>(&file, &visit_types);
        let file = format!("{name}/specialties.yaml");
        let specialties = reader.list(&file, "specialties.schema.json");
        reader.unique::<Specialty>(&file, &specialties);
        let file = format!("{name}/rules.yaml");
        let rules = reader.list(&file, "rules.schema.json");
        reader.unique::<ClinicalRule>(&file, &rules);
        let mut note_templates = Vec::new();
        for file in source.files_of(name).filter(|file| is_note(file)).map(|file| format!("{name}/{file}")) {
            note_templates.extend(source.text(&file).and_then(|text| note::read(reader, &file, text)));
        }
        Some(Self {
            manifest: manifest?,
            roles,
            field_policies,
            visit_types,
            specialties,
            note_templates,
            rules,
        })
    }
}

fn is_note(file: &str) -> bool {
    file.strip_prefix("note_templates/").is_some_and(|note| note.ends_with(".md") && !note.contains('/'))
}

fn manifest(reader: &mut Reader<'_>, name: &str) -> Option<Manifest> {
    let file = format!("{name}/template.yaml");
    let Some(text) = reader.source.text(&file) else {
        reader.report(&file, "", "is missing");
        return None;
    };
    let mut manifest: Manifest = reader.typed(&file, "template.schema.json", text)?;
    if manifest.name != name {
        reader.report(&file, "/name", format!("\"{}\" differs from the name of the folder", manifest.name));
        // Parents are found, and cycles noticed, by the name of the folder.
        name.clone_into(&mut manifest.name);
    }
    if manifest.time_zone.parse::<chrono_tz::Tz>().is_err() {
        reader.report(&file, "/time_zone", format!("\"{}\" is no IANA time zone", manifest.time_zone));
    }
    Some(manifest)
}

fn roles(reader: &mut Reader<'_>, file: &str) -> Vec<Role> {
    let entries: Vec<RoleEntry> = reader.list(file, "roles.schema.json");
    let mut roles = Vec::new();
    for (i, entry) in entries.into_iter().enumerate() {
        let permissions = permissions(reader, file, i, &entry.permissions);
        for missing in
            permissions.iter().filter_map(|part| whole_of(part).filter(|whole| !permissions.contains(*whole)))
        {
            reader.report(
                file,
                format!("/{i}/permissions"),
                format!("parts of something can't be read without {missing}"),
            );
        }
        let RoleEntry { code, name, description, landing_order, .. } = entry;
        roles.push(Role { code, name, description, landing_order, permissions });
    }
    reader.unique(file, &roles);
    roles
}

fn permissions(reader: &mut Reader<'_>, file: &str, role: usize, codes: &[String]) -> PermissionSet {
    if codes == ["*"] {
        return PermissionSet::all();
    }
    let mut set = PermissionSet::default();
    for (i, code) in codes.iter().enumerate() {
        match Permission::parse(code) {
            Some(permission) => set.insert(permission),
            None if code == "*" => {
                reader.report(file, format!("/{role}/permissions/{i}"), "\"*\" must stand alone")
            }
            None => reader.report(
                file,
                format!("/{role}/permissions/{i}"),
                format!("\"{code}\" is no permission"),
            ),
        }
    }
    set
}

/// The permission to read the resource that this permission opens a part of: `patient:read` for `patient.name:read`.
fn whole_of(part: Permission) -> Option<Permission> {
    let (resource, _) = part.code().split_once('.')?;
    Permission::parse(&format!("{resource}:read"))
}

fn field_policies(reader: &mut Reader<'_>, file: &str) -> Vec<FieldPolicy> {
    let entries: Vec<FieldPolicyEntry> = reader.list(file, "field_policies.schema.json");
    let mut policies = Vec::new();
    for (i, FieldPolicyEntry { type_name, field, permission, reason }) in entries.into_iter().enumerate() {
        match Permission::parse(&permission) {
            Some(permission) => policies.push(FieldPolicy { type_name, field, permission, reason }),
            None => {
                reader.report(file, format!("/{i}/permission"), format!("\"{permission}\" is no permission"))
            }
        }
    }
    reader.unique(file, &policies);
    policies
}
