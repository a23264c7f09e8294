//! What an import remembers: which row each resource became, and what is kept of it sealed.

use std::collections::HashMap;

use praxis_entity::{
    fhir_resource,
    ids::{FhirResourceId, PatientId},
    import_source, organization_identifier, practitioner_identifier,
    value::FhirBody,
};
use praxis_platform::{
    Failure, Op, Write,
    vault::{IndexField, TenantKey},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, sea_query::Expr,
};
use uuid::Uuid;

use super::name::{identifier_of, kind_of};

/// Rows per statement: far below the 65,535 values that the protocol takes.
const CHUNK: usize = 5_000;

/// Makes imports into one clinic wait for each other, so that none misses what another takes in.
pub(super) async fn one_at_a_time(op: &Op<Write>) -> Result<(), Failure> {
    let lock = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        [format!("import {}", op.tenant().uuid()).into()],
    );
    op.db().query_one_raw(lock).await?;
    Ok(())
}

/// Tells names of one source from those of others.
pub(super) struct Memory<'a> {
    pub(super) key: &'a TenantKey,
    pub(super) source: &'a str,
}

impl Memory<'_> {
    fn token(&self, name: &str) -> Option<Vec<u8>> {
        self.key
            .token(IndexField::ImportSource, &format!("{}\n{name}", self.source))
            .map(|token| token.to_vec())
    }

    /// The rows that resources of these names became.
    pub(super) async fn recall(
        &self,
        op: &Op<Write>,
        names: &[&str],
    ) -> Result<HashMap<String, Uuid>, Failure> {
        let mut found = HashMap::new();
        for chunk in names.chunks(CHUNK) {
            let asked: HashMap<(String, Vec<u8>), &str> = chunk
                .iter()
                .filter_map(|name| Some(((kind_of(name)?.to_owned(), self.token(name)?), *name)))
                .collect();
            let (kinds, tokens): (Vec<String>, Vec<Vec<u8>>) = asked.keys().cloned().unzip();
            let pairs = Expr::cust_with_values(
                "(resource_type, source_token) IN (SELECT * FROM unnest($1::text[], $2::bytea[]))",
                [sea_orm::Value::from(kinds), sea_orm::Value::from(tokens)],
            );
            for row in import_source::Entity::find().filter(pairs).all(op.db()).await? {
                if let Some(name) = asked.get(&(row.resource_type, row.source_token)) {
                    found.insert((*name).to_owned(), row.local_id);
                }
            }
        }
        Ok(found)
    }

    /// Remembers what resources became.
    pub(super) async fn remember(&self, op: &Op<Write>, kept: &[Kept]) -> Result<(), Failure> {
        for chunk in kept.chunks(CHUNK) {
            let rows: Vec<_> = chunk
                .iter()
                .filter_map(|kept| {
                    Some(import_source::ActiveModel {
                        resource_type: Set(kept.kind.clone()),
                        source_token: Set(self.token(&kept.name)?),
                        local_id: Set(kept.local),
                    })
                })
                .collect();
            import_source::Entity::insert_many(rows).exec_without_returning(op.db()).await?;
        }
        Ok(())
    }
}

/// What is kept of a resource beside, or instead of, its row.
pub(super) struct Kept {
    pub(super) kind: String,
    pub(super) name: String,
    /// The row it became; the kept row itself when the type has no model.
    pub(super) local: Uuid,
    pub(super) mapped: bool,
    pub(super) patient: Option<PatientId>,
    pub(super) json: String,
}

/// Seals and stores what is kept: under the patient's key, or the clinic's where it is nobody's.
pub(super) async fn keep(op: &Op<Write>, kept: &[Kept]) -> Result<(), Failure> {
    let mut patients: Vec<Uuid> = kept.iter().filter_map(|kept| Some(kept.patient?.0)).collect();
    patients.sort_unstable();
    patients.dedup();
    let keys = op.data_keys(&patients).await?;
    let clinic = match kept.iter().any(|kept| kept.patient.is_none()) {
        true => Some(op.clinic_key().await?),
        false => None,
    };
    for chunk in kept.chunks(CHUNK) {
        let rows = chunk.iter().map(|kept| {
            let subject = kept.patient.map_or(op.tenant().uuid(), |patient| patient.0);
            let key = keys.get(&subject).or(clinic.as_ref()).ok_or(Failure::KeyUnavailable)?;
            let id = if kept.mapped { op.new_id() } else { kept.local };
            let body = FhirBody { json: kept.json.clone() };
            Ok(fhir_resource::ActiveModel {
                id: Set(FhirResourceId(id)),
                resource_type: Set(kept.kind.clone()),
                patient_id: Set(kept.patient),
                mapped_id: Set(kept.mapped.then_some(kept.local)),
                body: Set(op.seal(key, &op.place("fhir_resource", id, subject), &body)?),
                ..Default::default()
            })
        });
        let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
        fhir_resource::Entity::insert_many(rows).exec_without_returning(op.db()).await?;
    }
    Ok(())
}

/// The actors that conditional references name, whichever way they came here.
pub(super) async fn actors(op: &Op<Write>, names: &[&str]) -> Result<HashMap<String, Uuid>, Failure> {
    let of = |kind: &str| -> (Vec<String>, Vec<String>) {
        let named =
            names.iter().filter(|name| kind_of(name) == Some(kind)).filter_map(|name| identifier_of(name));
        named.map(|(system, value)| (system.to_owned(), value.to_owned())).unzip()
    };
    let pairs = |(systems, values)| {
        Expr::cust_with_values(
            "(system, value) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
            [systems, values],
        )
    };
    let mut found = HashMap::new();
    let clinicians =
        practitioner_identifier::Entity::find().filter(pairs(of("Practitioner"))).all(op.db()).await?;
    for row in clinicians {
        found.insert(format!("Practitioner?identifier={}|{}", row.system, row.value), row.practitioner_id.0);
    }
    let organizations =
        organization_identifier::Entity::find().filter(pairs(of("Organization"))).all(op.db()).await?;
    for row in organizations {
        found.insert(format!("Organization?identifier={}|{}", row.system, row.value), row.organization_id.0);
    }
    Ok(found)
}
