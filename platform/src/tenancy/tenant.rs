//! A clinic as the server knows it: from memory, without PHI.

use std::fmt;

use praxis_entity::{
    control::tenant::{self, OperationMode, TenantState},
    ids::TenantId,
};
use uuid::Uuid;

use super::{
    Standing,
    snapshot::{snapshot_served_from, snapshot_version},
};

/// The name of a tenant's schema and role: opaque, immutable, safe to put into SQL.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SchemaName(String);

impl SchemaName {
    /// The schema of a new tenant, derived from its id.
    pub(super) fn of(id: TenantId) -> Self {
        Self(format!("t_{}", praxis_entity::ids::encode_base32(id.0)))
    }

    /// Takes a stored name, if it has the shape that only we give.
    pub fn stored(name: &str) -> Option<Self> {
        let digits = name.strip_prefix("t_")?;
        praxis_entity::ids::decode_base32(digits)?;
        Some(Self(name.to_owned()))
    }

    /// The name as it stands in SQL; needs no quoting.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A clinic or hospital.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// Subdomain.
    pub slug: String,
    /// Name as shown.
    pub display_name: String,
    /// Schema and role.
    pub schema: SchemaName,
    /// Which cell holds it.
    pub cell: String,
    /// Which login role serves it.
    pub login_shard: i32,
    /// How often it went from one cell to another: of two that say where it is, the one that counts more is right.
    pub moves: i64,
    /// BCP 47 locale.
    pub locale: String,
    /// IANA zone.
    pub time_zone: String,
    /// Where it stands.
    pub state: TenantState,
    /// Number of migrations applied to its schema.
    pub schema_version: i32,
    /// The oldest build that can serve it, as the number of migrations that build knows.
    pub oldest_build: i32,
    /// Which operations are taken, at the least as strict as the installation's setting.
    pub operation_mode: Option<OperationMode>,
    /// How fast the whole clinic may ask, where it differs from the setting.
    pub rate: RateOverride,
    /// How fast one caller may ask, where it differs from the setting.
    pub actor_rate: RateOverride,
    /// Keys fetched at an older epoch are fetched anew.
    pub key_epoch: i64,
}

/// Parts of a rate that a clinic has of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateOverride {
    /// Points that can be spent at once.
    pub points: Option<u32>,
    /// Points that come back each second.
    pub restore: Option<u32>,
}

impl RateOverride {
    fn stored(points: Option<i32>, restore: Option<i32>) -> Self {
        let positive = |stored: Option<i32>| stored.and_then(|number| u32::try_from(number).ok());
        Self { points: positive(points), restore: positive(restore) }
    }
}

impl Tenant {
    /// Reads a row of the control schema; `None` when its schema name is not one of ours.
    pub fn from_row(row: tenant::Model) -> Option<Self> {
        Some(Self {
            schema: SchemaName::stored(&row.schema_name)?,
            id: row.id,
            slug: row.slug,
            display_name: row.display_name,
            cell: row.cell_id,
            login_shard: row.login_shard,
            moves: row.moves,
            locale: row.locale,
            time_zone: row.time_zone,
            state: row.state,
            schema_version: row.schema_version,
            oldest_build: row.oldest_build,
            operation_mode: row.operation_mode,
            rate: RateOverride::stored(row.rate_points, row.rate_restore),
            actor_rate: RateOverride::stored(row.actor_rate_points, row.actor_rate_restore),
            key_epoch: row.key_epoch,
        })
    }

    /// The id as it goes into keys and associated data.
    pub fn uuid(&self) -> Uuid {
        self.id.0
    }

    /// What its state allows; nothing while its schema is one that this build can't work with.
    pub fn standing(&self) -> Standing {
        if self.fits_this_build() { Standing::of(self.state) } else { Standing::Refused }
    }

    /// Whether this build can work with its schema: it has what the code needs, and nothing that the code uses was
    /// taken away. A newer schema fits for as long as that holds, so servers follow one by one.
    pub fn fits_this_build(&self) -> bool {
        self.schema_version >= snapshot_served_from() && self.oldest_build <= snapshot_version()
    }
}
