//! The clinic is at its new home: the old one is compared with it once more, and cleared away.

use praxis_platform::tenancy::SchemaName;
use sqlx::{Connection, postgres::PgConnection};

use super::{Journey, carry, keys};
use crate::tenant::{LifeError, copy, manifest::AuditHead, run};

impl Journey<'_, '_> {
    /// Clears the old home away. With a witness of how the new home was before anybody was served from it, all rows of the two
    /// are compared first, and the old home stays where they differ.
    pub(super) async fn retire(&mut self, witness: Option<PgConnection>) -> Result<(), LifeError> {
        self.work.at("retire", self.told.rows).await?;
        self.put_aside().await?;
        if let Some(witness) = witness {
            self.compare(witness).await?;
        }
        let (past, journal) = (&self.names.past, &self.names.journal);
        let mut transaction = self.source.begin().await?;
        run(
            &mut transaction,
            format!(
                "SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = 0;
                 DROP SCHEMA IF EXISTS {past} CASCADE; DROP SCHEMA IF EXISTS {journal} CASCADE;
                 DELETE FROM cell.moved WHERE tenant = '{}'",
                self.names.schema
            ),
        )
        .await?;
        carry::forget_hints(&mut transaction, &self.names).await?;
        transaction.commit().await?;
        drop_role(&mut self.source, &self.names.schema).await
    }

    /// Takes the old home its name: a server that has not heard finds nothing to read there, and asks where the clinic is.
    async fn put_aside(&mut self) -> Result<(), LifeError> {
        let (schema, past) = (&self.names.schema, &self.names.past);
        let (is_there, was_put): (bool, bool) =
            sqlx::query_as("SELECT to_regnamespace($1) IS NOT NULL, to_regnamespace($2) IS NOT NULL")
                .bind(schema.as_str())
                .bind(past)
                .fetch_one(&mut self.source)
                .await?;
        match (is_there, was_put) {
            (true, false) => {
                Ok(run(&mut self.source, format!("ALTER SCHEMA {schema} RENAME TO {past}")).await?)
            }
            (true, true) => Err(LifeError::Refused(format!(
                "{past} is there from a move before: look at it, and drop it"
            ))),
            (false, _) => Ok(()),
        }
    }

    async fn compare(&mut self, mut witness: PgConnection) -> Result<(), LifeError> {
        self.work.at("verify", self.told.rows).await?;
        let (schema, past) = (self.names.schema.as_str(), self.names.past.as_str());
        run(&mut witness, copy::FORM.to_owned()).await?;
        let mut source = self.source.begin().await?;
        copy::at_one_moment(&mut source, past).await?;
        let tables = keys::keyed(&mut source, past).await?;
        let compared = async {
            let rows = carry::compare_whole((&mut source, past), (&mut witness, schema), &tables).await?;
            let heads = (AuditHead::of(&mut source, past).await?, AuditHead::of(&mut witness, schema).await?);
            if heads.0 != heads.1 {
                return Err(LifeError::Differs {
                    table: "audit_checkpoint".to_owned(),
                    expected: 1,
                    found: 0,
                });
            }
            Ok(rows)
        };
        let compared = compared.await;
        source.rollback().await?;
        if let Err(LifeError::Differs { table, .. }) = &compared {
            // Whoever takes it up must not clear away what may be needed.
            self.told.differs = Some(table.clone());
            self.work.tell(&serde_json::to_value(&self.told).unwrap_or_default()).await?;
        }
        self.told.compared_after = Some(compared?);
        Ok(())
    }
}

/// Drops a clinic's role where nothing is its any more. Two cells of one server share their roles.
pub(super) async fn drop_role(connection: &mut PgConnection, role: &SchemaName) -> Result<(), LifeError> {
    match run(connection, format!("SET client_min_messages = warning; DROP ROLE IF EXISTS {role}")).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("2BP01") => Ok(()),
        dropped => Ok(dropped?),
    }
}
