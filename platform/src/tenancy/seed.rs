//! What a template puts into a tenant's schema.
//!
//! The id of a seeded row follows from its tenant and key, so applying a template twice changes
//! nothing. Rows that the clinic made its own stay as they are; the merge of upgrades comes with
//! the fleet work.

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::{
    access::{EVERYTHING, PermissionSet},
    template::{ClinicalRule, Seed, Template},
};

/// Writes the rows of a template that are not there yet. The search path must be the tenant's.
pub async fn apply_template(
    connection: &mut PgConnection,
    tenant: Uuid,
    template: &Template,
) -> Result<(), sqlx::Error> {
    for role in &template.roles {
        let id = role.row_id(tenant);
        sqlx::query("INSERT INTO role (id, code, name, description, template_key, template_hash) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(&role.code)
            .bind(&role.name)
            .bind(&role.description)
            .bind(role.key())
            .bind(role.content_hash())
            .execute(&mut *connection)
            .await?;
        // Whoever may do everything may do what later versions add.
        let everything = (role.permissions == PermissionSet::all()).then_some(EVERYTHING);
        let codes = role.permissions.iter().map(|permission| permission.code());
        let permissions: Vec<&str> = everything.into_iter().chain(codes).collect();
        sqlx::query("INSERT INTO role_permission (role_id, permission) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(permissions)
            .execute(&mut *connection)
            .await?;
    }
    for policy in &template.field_policies {
        sqlx::query("INSERT INTO field_policy (id, type_name, field_name, permission, reason, template_key, template_hash) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
            .bind(policy.row_id(tenant))
            .bind(&policy.type_name)
            .bind(&policy.field)
            .bind(policy.permission.code())
            .bind(&policy.reason)
            .bind(policy.key())
            .bind(policy.content_hash())
            .execute(&mut *connection)
            .await?;
    }
    for visit in &template.visit_types {
        let modality = match visit.modality {
            crate::template::Modality::InPerson => "IN_PERSON",
            crate::template::Modality::Video => "VIDEO",
            crate::template::Modality::Phone => "PHONE",
        };
        sqlx::query("INSERT INTO visit_type (id, key, name, modality, duration_minutes, buffer_before_minutes, buffer_after_minutes, template_key, template_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING")
            .bind(visit.row_id(tenant))
            .bind(&visit.key)
            .bind(&visit.name)
            .bind(modality)
            .bind(i32::from(visit.duration_minutes))
            .bind(i32::from(visit.buffer_before_minutes))
            .bind(i32::from(visit.buffer_after_minutes))
            .bind(visit.key())
            .bind(visit.content_hash())
            .execute(&mut *connection)
            .await?;
    }
    let specialties: (Vec<Uuid>, Vec<&str>, Vec<&str>, Vec<&str>) = template.specialties.iter().fold(
        Default::default(),
        |mut columns: (Vec<_>, Vec<_>, Vec<_>, Vec<_>), item| {
            columns.0.push(item.row_id(tenant));
            columns.1.push(item.code.as_str());
            columns.2.push(item.display.as_str());
            columns.3.push(item.content_hash());
            columns
        },
    );
    sqlx::query("INSERT INTO specialty (id, code, display, template_key, template_hash) SELECT id, code, display, code, hash FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS seeded (id, code, display, hash) ON CONFLICT DO NOTHING")
        .bind(specialties.0)
        .bind(specialties.1)
        .bind(specialties.2)
        .bind(specialties.3)
        .execute(&mut *connection)
        .await?;
    for note in &template.note_templates {
        sqlx::query("INSERT INTO note_template (id, title, type_code, body, needs_cosign, template_key, template_hash) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
            .bind(note.row_id(tenant))
            .bind(&note.title)
            .bind(&note.loinc)
            .bind(serde_json::to_string(&note.sections).unwrap_or_default())
            .bind(note.cosign)
            .bind(note.key())
            .bind(note.content_hash())
            .execute(&mut *connection)
            .await?;
    }
    for rule in &template.rules {
        apply_rule(connection, tenant, rule).await?;
    }
    Ok(())
}

/// A rule goes the way of all rules: written, tested, in use. Its cases were tried when the template was made.
async fn apply_rule(
    connection: &mut PgConnection,
    tenant: Uuid,
    rule: &Seed<ClinicalRule>,
) -> Result<(), sqlx::Error> {
    let id = rule.row_id(tenant);
    let made = sqlx::query("INSERT INTO rule (id, code, edition, title, cause, condition, actions, severity, evidence, status, template_key, template_hash) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, 'DRAFT', $9, $10) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(&rule.code)
        .bind(&rule.title)
        .bind(&rule.cause)
        .bind(&rule.condition)
        .bind(&rule.actions)
        .bind(&rule.severity)
        .bind(&rule.evidence)
        .bind(rule.key())
        .bind(rule.content_hash())
        .execute(&mut *connection)
        .await?;
    if made.rows_affected() == 0 {
        return Ok(());
    }
    for case in &rule.cases {
        sqlx::query("INSERT INTO rule_test_case (rule_id, name, facts, fires) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(&case.name)
            .bind(&case.facts)
            .bind(case.fires)
            .execute(&mut *connection)
            .await?;
    }
    for status in ["TESTED", "ACTIVE"] {
        sqlx::query("UPDATE rule SET status = $2 WHERE id = $1")
            .bind(id)
            .bind(status)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
