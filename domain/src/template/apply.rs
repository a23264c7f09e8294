//! Carrying out what was planned.

use praxis_entity::ids::RuleId;
use praxis_platform::{
    Op, Write,
    audit::Entry,
    tenancy::seed::{self, Kind, SeedRow, SeedStatement},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use uuid::Uuid;

use super::{
    editions::is_retired,
    plan::{Change, Fate, Plan},
};
use crate::{
    Result,
    event::{self, Event},
};

/// Carries out a plan of this operation. The clinic keeps an owner, or nothing is done.
pub async fn apply(op: &Op<Write>, plan: Plan) -> Result<()> {
    for kind in Kind::ALL {
        let of = |fate| plan.changes.iter().filter(move |change| change.kind == kind && change.fate == fate);
        let rows = |fate| of(fate).filter_map(|change| change.after.as_ref()).collect::<Vec<_>>();
        let ids = |fate| of(fate).filter_map(|change| Some(change.before.as_ref()?.id)).collect::<Vec<_>>();
        let (mut gone, mut new): (Vec<Uuid>, Vec<&SeedRow>) = (ids(Fate::Retired), rows(Fate::Added));
        if kind == Kind::Rule {
            // One edition takes the place of another, which may have been out of use.
            let in_use = of(Fate::Renewed).filter_map(|change| change.before.as_ref());
            gone.extend(in_use.filter(|edition| !is_retired(edition)).map(|edition| edition.id));
            new.extend(rows(Fate::Renewed));
        } else {
            run(op, seed::renew(kind, &rows(Fate::Renewed))).await?;
        }
        if !gone.is_empty() {
            run(op, vec![seed::retire(kind, &gone)]).await?;
        }
        run(op, seed::insert(kind, &new)).await?;
        if kind == Kind::Rule {
            for id in gone {
                event::happened(op, Event::RuleRetired { rule: RuleId(id) }).await?;
            }
            for row in new {
                event::happened(op, Event::RuleActivated { rule: RuleId(row.id) }).await?;
            }
        }
    }
    let done = [Fate::Added, Fate::Renewed, Fate::Retired];
    for change in plan.changes.iter().filter(|change| done.contains(&change.fate)) {
        record(op, change).await?;
    }
    plan.owners.remain(op, "template").await
}

async fn run(op: &Op<Write>, statements: Vec<SeedStatement>) -> Result<()> {
    for SeedStatement { sql, rows } in statements {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [rows.into()]);
        op.db().execute_raw(statement).await?;
    }
    Ok(())
}

/// Writes down what was changed: what the row said, and what it says.
async fn record(op: &Op<Write>, change: &Change) -> Result<()> {
    let before = change.before.as_ref().map(|stored| {
        let mut row = stored.row.clone();
        if change.kind == Kind::Role {
            row.insert("permissions".to_owned(), json!(stored.permissions));
        }
        row
    });
    let after = change.after.as_ref().map(|wanted| {
        let mut row = wanted.content.clone();
        row.insert("parts".to_owned(), json!(wanted.parts));
        row
    });
    let (object_type, object_id) = (Some(object_type(change.kind)), change.object());
    let entry = Entry { object_type, object_id, ..Entry::done("template.apply") };
    op.record(op.changed_here(entry, &before, &after).await?);
    Ok(())
}

/// What the API calls a row of a kind.
fn object_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Role => "Role",
        Kind::FieldPolicy => "FieldPolicy",
        Kind::VisitType => "VisitKind",
        Kind::Specialty => "Specialty",
        Kind::NoteTemplate => "DocumentTemplate",
        Kind::Rule => "Rule",
    }
}
