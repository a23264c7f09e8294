//! What would become of a clinic's rows.

use std::collections::BTreeSet;

use praxis_entity::audit_entry;
use praxis_platform::{
    Op, Write,
    access::Permission,
    template::Template,
    tenancy::seed::{Kind, SeedRow, seed_rows},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use uuid::Uuid;

use super::{
    compare::{Stored, compare, stored},
    editions,
};
use crate::{
    Result, Violation, ViolationCode,
    identity::owners::{self, Owners},
    rules::seeded,
};

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is new in the template.
    Added,
    /// The clinic left it alone, and it follows.
    Renewed,
    /// It left the template, and goes out of use.
    Retired,
    /// The clinic made it its own, and the template says nothing new.
    Kept,
    /// The clinic made it its own, and the template says something else by now. It stays.
    Conflict,
}

/// What becomes of one row that does not stay as the template has it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// What tells it from others of its kind.
    pub key: String,
    /// What becomes of it.
    pub fate: Fate,
    /// The row as it is.
    pub(super) before: Option<Stored>,
    /// The row as it will be.
    pub(super) after: Option<SeedRow>,
}

impl Change {
    /// The row that it is about.
    pub(super) fn object(&self) -> Option<Uuid> {
        self.after.as_ref().map(|row| row.id).or_else(|| self.before.as_ref().map(|row| row.id))
    }
}

/// What becomes of a clinic's rows. They are locked: it holds until the end of the operation.
#[must_use]
pub struct Plan {
    /// All that does not stay as the template has it.
    pub changes: Vec<Change>,
    pub(super) owners: Owners,
}

impl Plan {
    /// The keys of rows with one of these fates.
    pub fn keys(&self, fates: &[Fate]) -> Vec<String> {
        let of = self.changes.iter().filter(|change| fates.contains(&change.fate));
        of.map(|change| change.key.clone()).collect()
    }

    /// How many rows have a fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.changes.iter().filter(|change| change.fate == fate).count()
    }

    /// Whether there is something to do.
    pub fn changes_something(&self) -> bool {
        let done = [Fate::Added, Fate::Renewed, Fate::Retired];
        self.changes.iter().any(|change| done.contains(&change.fate))
    }
}

/// Finds out what would become of the rows, all or those of one kind.
pub async fn plan(op: &Op<Write>, template: &Template, only: Option<Kind>) -> Result<Plan> {
    for rule in &template.rules {
        seeded::check(rule).map_err(|fault| {
            let message = format!("The template's rule \"{}\" can't be used: {fault}.", rule.code);
            Violation::at(ViolationCode::Invalid, &["template"], message)
        })?;
    }
    // Before the roles, as everybody does who takes something away.
    let owners = owners::lock(op).await?;
    let rows = seed_rows(template, op.tenant().uuid());
    let mut changes = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| only.is_none_or(|only| only == *kind)) {
        op.require(permission(kind))?;
        let wanted: Vec<_> = rows.iter().filter(|row| row.kind == kind).collect();
        let stored = stored(op, kind).await?;
        changes.extend(match kind {
            Kind::Rule => {
                let left = left_by_template(op, &stored).await?;
                editions::compare(&wanted, stored, &left)
            }
            _ => compare(kind, &wanted, stored),
        });
    }
    keep_removed(op, &mut changes).await?;
    Ok(Plan { changes, owners })
}

/// Which rules are out of use because they left the template: an edition has no place for that; the log knows.
async fn left_by_template(op: &Op<Write>, stored: &[Stored]) -> Result<BTreeSet<Uuid>> {
    let out = stored.iter().filter(|stored| editions::is_out_of_use(stored)).map(|stored| stored.id);
    let done: Vec<(Option<Uuid>, String)> = audit_entry::Entity::find()
        .select_only()
        .columns([audit_entry::Column::ObjectId, audit_entry::Column::Action])
        .filter(audit_entry::Column::ObjectId.is_in(out))
        .filter(audit_entry::Column::Action.is_in(["template.apply", "rule.retire"]))
        .into_tuple()
        .all(op.db())
        .await?;
    let of = |action| done.iter().filter(move |(_, is)| is == action).filter_map(|(id, _)| *id);
    let by_clinic: BTreeSet<_> = of("rule.retire").collect();
    Ok(of("template.apply").filter(|id| !by_clinic.contains(id)).collect())
}

/// A field policy that the clinic removed leaves no row; the log knows.
async fn keep_removed(op: &Op<Write>, changes: &mut [Change]) -> Result<()> {
    let is_new = |change: &Change| change.kind == Kind::FieldPolicy && change.fate == Fate::Added;
    let new: Vec<Uuid> = changes.iter().filter(|change| is_new(change)).filter_map(Change::object).collect();
    if new.is_empty() {
        return Ok(());
    }
    let removed = audit_entry::Entity::find()
        .select_only()
        .column(audit_entry::Column::ObjectId)
        .filter(audit_entry::Column::ObjectId.is_in(new))
        .filter(audit_entry::Column::Action.eq("field-policy.remove"))
        .into_tuple::<Option<Uuid>>();
    let removed: BTreeSet<_> = removed.all(op.db()).await?.into_iter().collect();
    for change in changes.iter_mut().filter(|change| is_new(change)) {
        if removed.contains(&change.object()) {
            change.fate = Fate::Kept;
        }
    }
    Ok(())
}

/// Who changes rows of a kind.
fn permission(kind: Kind) -> Permission {
    match kind {
        Kind::Role => Permission::ROLE_MANAGE,
        Kind::FieldPolicy => Permission::POLICY_MANAGE,
        Kind::VisitType | Kind::Specialty => Permission::SCHEDULE_MANAGE,
        Kind::NoteTemplate => Permission::DOCUMENT_TEMPLATE_MANAGE,
        Kind::Rule => Permission::RULE_APPROVE,
    }
}
