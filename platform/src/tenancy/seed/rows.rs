//! The rows of a template.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    access::{EVERYTHING, PermissionSet},
    template::{Item, Role, Seed, Template},
};

/// What templates fill; named like the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Roles, each with its permissions.
    Role,
    /// Fields that are guarded more closely.
    FieldPolicy,
    /// Kinds of appointment.
    VisitType,
    /// What clinicians can be listed under.
    Specialty,
    /// Outlines of notes.
    NoteTemplate,
    /// Clinical rules, each with its cases.
    Rule,
}

impl Kind {
    /// All of them, what others refer to first.
    pub const ALL: [Self; 6] =
        [Self::Role, Self::FieldPolicy, Self::VisitType, Self::Specialty, Self::NoteTemplate, Self::Rule];

    /// The table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::FieldPolicy => "field_policy",
            Self::VisitType => "visit_type",
            Self::Specialty => "specialty",
            Self::NoteTemplate => "note_template",
            Self::Rule => "rule",
        }
    }

    /// The columns that no two rows share: a clinic that has such a row of its own leaves no room for the template's.
    pub fn unique(self) -> &'static [&'static str] {
        match self {
            Self::Role | Self::Specialty => &["code"],
            Self::FieldPolicy => &["type_name", "field_name", "permission"],
            Self::VisitType => &["key"],
            Self::NoteTemplate | Self::Rule => &[],
        }
    }

    /// Whether a row can be taken out of use and stay. A field policy can't; it only ever asks for more.
    pub fn retires(self) -> bool {
        self != Self::FieldPolicy
    }

    /// The table of what hangs on a row, the column that names the row, and the others.
    pub(super) fn parts(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Role => Some(("role_permission", "role_id", "permission")),
            Self::Rule => Some(("rule_test_case", "rule_id", "name, facts, fires")),
            _ => None,
        }
    }
}

/// A row as a template wants it.
#[derive(Debug, Clone)]
pub struct SeedRow {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// What tells it from others of its kind.
    pub key: String,
    /// Hash of the template's item.
    pub hash: String,
    /// What the template says, by column.
    pub content: Map<String, Value>,
    /// What hangs on it: permissions or cases, by column.
    pub parts: Vec<Map<String, Value>>,
}

impl SeedRow {
    fn new<T: Item>(kind: Kind, tenant: Uuid, seed: &Seed<T>, content: Value) -> Self {
        let (key, hash) = (seed.key(), seed.content_hash().to_owned());
        Self { kind, id: seed.row_id(tenant), key, hash, content: members(content), parts: Vec::new() }
    }

    fn with(self, parts: impl IntoIterator<Item = Value>) -> Self {
        Self { parts: parts.into_iter().map(members).collect(), ..self }
    }
}

/// All rows of a template for a tenant.
pub fn seed_rows(template: &Template, tenant: Uuid) -> Vec<SeedRow> {
    let roles = template.roles.iter().map(|role| {
        let content = json!({ "code": role.code, "name": role.name, "description": role.description });
        let permissions = permissions(role).map(|code| json!({ "permission": code }));
        SeedRow::new(Kind::Role, tenant, role, content).with(permissions)
    });
    let policies = template.field_policies.iter().map(|policy| {
        let content = json!({
            "type_name": policy.type_name, "field_name": policy.field, "permission": policy.permission.code(),
            "reason": policy.reason,
        });
        SeedRow::new(Kind::FieldPolicy, tenant, policy, content)
    });
    let visits = template.visit_types.iter().map(|visit| {
        let content = json!({
            "key": visit.key, "name": visit.name, "modality": visit.modality,
            "duration_minutes": visit.duration_minutes, "buffer_before_minutes": visit.buffer_before_minutes,
            "buffer_after_minutes": visit.buffer_after_minutes,
        });
        SeedRow::new(Kind::VisitType, tenant, visit, content)
    });
    let specialties = template.specialties.iter().map(|specialty| {
        let content = json!({ "code": specialty.code, "display": specialty.display });
        SeedRow::new(Kind::Specialty, tenant, specialty, content)
    });
    let notes = template.note_templates.iter().map(|note| {
        let content = json!({
            "title": note.title, "type_code": note.loinc, "needs_cosign": note.cosign,
            "body": serde_json::to_string(&note.sections).unwrap_or_default(),
        });
        SeedRow::new(Kind::NoteTemplate, tenant, note, content)
    });
    let rules = template.rules.iter().map(|rule| {
        // It goes the way of all rules from here: its cases, tested, in use.
        let content = json!({
            "code": rule.code, "edition": 1, "title": rule.title, "cause": rule.cause,
            "condition": rule.condition, "actions": rule.actions, "severity": rule.severity,
            "evidence": rule.evidence, "status": "DRAFT",
        });
        let cases = rule.cases.iter();
        let cases = cases.map(|case| json!({ "name": case.name, "facts": case.facts, "fires": case.fires }));
        SeedRow::new(Kind::Rule, tenant, rule, content).with(cases)
    });
    roles.chain(policies).chain(visits).chain(specialties).chain(notes).chain(rules).collect()
}

/// The codes that a role is given. Whoever may do everything may do what later versions add.
fn permissions(role: &Role) -> impl Iterator<Item = &'static str> {
    let everything = (role.permissions == PermissionSet::all()).then_some(EVERYTHING);
    everything.into_iter().chain(role.permissions.iter().map(|permission| permission.code()))
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
