//! Before the first row is carried: whether the clinic may go, and a place for it; and how all of that is taken back.

use praxis_platform::tenancy::{ensure_cell_login_role, installation_key, next_shard, take_turn};
use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{Journey, old_home};
use crate::tenant::{
    Clinic, LifeError, Named,
    operation::is_under_way,
    run, stage,
    swap::{lying_beside, none_is_open, something_lies_beside},
};

/// Whether a clinic may go to a cell.
pub async fn may_move_to(connection: &mut PgConnection, clinic: Uuid, to: &str) -> Result<(), LifeError> {
    let cell: Option<(String, i32, i64, bool)> = sqlx::query_as(
        "SELECT role, max_tenants,
            (SELECT count(*) FROM control.tenant t WHERE t.id <> $2 AND t.state <> 'SHREDDED' AND (t.cell_id = c.id OR t.moving_to = c.id)),
            EXISTS (SELECT FROM control.tenant t WHERE t.id = $2 AND t.cell_id = c.id)
         FROM control.cell c WHERE id = $1",
    )
    .bind(to)
    .bind(clinic)
    .fetch_optional(connection)
    .await?;
    let why = match cell {
        None => format!("there is no cell {to}"),
        Some((.., true)) => format!("the tenant is in cell {to} already"),
        Some((role, ..)) if role == "draining" => format!("cell {to} is drained: nothing new is put there"),
        Some((_, most, there, _)) if there >= i64::from(most) => {
            format!("cell {to} is full: it has {there} tenants of {most}")
        }
        Some(_) => return Ok(()),
    };
    Err(LifeError::Refused(why))
}

impl Journey<'_, '_> {
    /// Says that the clinic is about to leave: from then on nothing else is done with it as a whole.
    pub(super) async fn depart(&mut self, is_resumed: bool) -> Result<(), LifeError> {
        let to = self.told.to.clone();
        let mut transaction = self.control.begin().await?;
        let clinic = Clinic::find(&mut transaction, Named::Id(self.clinic.id)).await?;
        let clinic = clinic.ok_or_else(|| LifeError::Unknown(self.clinic.slug.clone()))?;
        if matches!(clinic.state.as_str(), "PROVISIONING" | "SHREDDED") {
            return Err(LifeError::Refused(format!("a tenant that is {} does not move", clinic.state)));
        }
        let other: Option<String> = sqlx::query_scalar(
            "SELECT idempotency_key FROM control.operation o JOIN control.tenant t ON t.id = o.tenant_id
             WHERE o.tenant_id = $1 AND o.kind = 'MOVE' AND o.id <> $2 AND t.moving_to IS NOT NULL AND o.state <> 'DONE'
             ORDER BY o.created_at DESC LIMIT 1",
        )
        .bind(clinic.id)
        .bind(self.work.id())
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(key) = other {
            return Err(LifeError::Refused(format!(
                "a move was begun under the key {key}: run it again under that, or call it off"
            )));
        }
        if is_under_way(&mut transaction, clinic.id, self.work.id()).await? {
            return Err(LifeError::Locked);
        }
        if lying_beside(&mut transaction, Some(&mut self.source), clinic.id).await?.is_some() {
            return Err(something_lies_beside());
        }
        none_is_open(&mut transaction, clinic.id).await?;
        stage::drop_left(&mut transaction, &mut self.source, clinic.id).await?;
        let moving_to: Option<String> =
            sqlx::query_scalar("SELECT moving_to FROM control.tenant WHERE id = $1")
                .bind(clinic.id)
                .fetch_one(&mut *transaction)
                .await?;
        if is_resumed && moving_to.is_none() {
            return Err(LifeError::CalledOff);
        }
        take_turn(&mut transaction).await?;
        may_move_to(&mut transaction, clinic.id, &to).await?;
        self.shard = next_shard(&mut transaction, &to).await?;
        let sql = "UPDATE control.tenant SET moving_to = $2 WHERE id = $1 AND moving_to IS DISTINCT FROM $2";
        let begins = sqlx::query(sql).bind(clinic.id).bind(&to).execute(&mut *transaction).await?;
        if begins.rows_affected() == 1 {
            let detail = serde_json::json!({ "from": self.told.from, "to": to });
            clinic.note(&mut transaction, "MOVE_BEGUN", detail).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Fails where the move was called off.
    pub(super) async fn still_wanted(&mut self) -> Result<(), LifeError> {
        let sql = "SELECT moving_to IS NOT NULL FROM control.tenant WHERE id = $1";
        if sqlx::query_scalar(sql).bind(self.clinic.id).fetch_one(&mut *self.control).await? {
            Ok(())
        } else {
            Err(LifeError::CalledOff)
        }
    }

    /// Role and tables at the new home, with nothing in them.
    pub(super) async fn make_home(&mut self) -> Result<(), LifeError> {
        let version = {
            let schema = self.names.schema.as_str();
            crate::tenant::export::schema_version(&mut self.source, schema).await?
        };
        let schema = &self.names.schema;
        let (ground, shard) = (self.ground, self.shard);
        let key = installation_key(&mut *self.control, ground.wrapper).await?;
        let mut transaction = self.target.begin().await?;
        stage::make(&mut transaction, ground.installation, schema, schema, version).await?;
        let tables = crate::tenant::copy::tables(&mut transaction, schema.as_str()).await?;
        let names: Vec<_> =
            tables.iter().map(|table| crate::tenant::copy::qualified(schema.as_str(), &table.name)).collect();
        // What the steps wrote gives way to what is copied.
        run(
            &mut transaction,
            format!("SET LOCAL session_replication_role = replica; TRUNCATE {}", names.join(", ")),
        )
        .await?;
        ensure_cell_login_role(&mut transaction, ground.installation, shard, &key).await?;
        let (app, owner) = (ground.installation.app_role(shard), ground.installation.owner_role());
        run(&mut transaction, format!("GRANT {schema} TO {app}; GRANT {schema} TO {owner}")).await?;
        Ok(transaction.commit().await?)
    }

    /// Clears away what an earlier try left at both ends. The clinic is at its old home.
    pub(super) async fn clear(&mut self) -> Result<(), LifeError> {
        old_home::unwatch(&mut self.source, &self.names).await?;
        let schema = &self.names.schema;
        let mut transaction = self.target.begin().await?;
        run(
            &mut transaction,
            format!("SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10s'; DROP SCHEMA IF EXISTS {schema} CASCADE"),
        )
        .await?;
        super::carry::forget_hints(&mut transaction, &self.names).await?;
        transaction.commit().await?;
        super::retire::drop_role(&mut self.target, schema).await
    }

    /// Takes everything back. Only where the clinic is at its old home still.
    pub(super) async fn give_up(&mut self) -> Result<(), LifeError> {
        let (from, to) = (self.told.from.clone(), self.told.to.clone());
        // Whatever became of the connections: what was on its way on them is taken back.
        drop(run(self.control, "SELECT 1".to_owned()).await);
        let ground = self.ground;
        let (mut control, source, target) =
            (ground.connect().await?, ground.home(&from).await?, ground.home(&to).await?);
        (self.source, self.target) = (source, target);
        // Held until all is cleared away: nobody says meanwhile that it is at the new home.
        let mut transaction = control.begin().await?;
        let clinic = Clinic::find(&mut transaction, Named::Id(self.clinic.id)).await?;
        if clinic.is_none_or(|clinic| clinic.cell != from) {
            return Ok(());
        }
        // That of another operation is left to it.
        let own: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM control.operation o JOIN control.tenant t ON t.id = o.tenant_id
                WHERE o.tenant_id = $1 AND o.kind = 'MOVE' AND o.id <> $2 AND t.moving_to IS NOT NULL AND o.state <> 'DONE')",
        )
        .bind(self.clinic.id)
        .bind(self.work.id())
        .fetch_one(&mut *transaction)
        .await?;
        if !own {
            return Ok(());
        }
        self.clear().await?;
        let sql = "UPDATE control.tenant SET moving_to = NULL WHERE id = $1 AND moving_to IS NOT NULL";
        sqlx::query(sql).bind(self.clinic.id).execute(&mut *transaction).await?;
        // Whoever asks for it again begins anew.
        self.work.keep(&mut transaction, &serde_json::json!({}), false).await?;
        Ok(transaction.commit().await?)
    }
}
