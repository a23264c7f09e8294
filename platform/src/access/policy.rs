//! The field policies a clinic added: what is asked for beyond the platform's own.

use std::collections::HashMap;

use praxis_entity::field_policy;
use sea_orm::{EntityTrait, FromQueryResult};
use serde::Deserialize;

use super::{Permission, Relation};
use crate::{Failure, tenancy::TenantDb};

/// One thing that a clinic asks for in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extra {
    /// This permission; `None` stands for one that this version does not know: nobody holds it.
    pub permission: Option<Permission>,
    /// And this relation to the patient or row.
    pub condition: Option<Relation>,
}

/// What a clinic asks for in addition, by type and field. All of it is needed besides what the platform asks
/// for, so it can only tighten.
#[derive(Debug, Default)]
pub struct FieldPolicies {
    extra: HashMap<String, Vec<Extra>>,
    /// The marks of all that is bound: most fields are told from those at the price of one bit.
    marks: u64,
}

impl FieldPolicies {
    /// What is asked for before `Type.field` is read.
    pub fn extra(&self, coordinate: &str) -> &[Extra] {
        self.extra.get(coordinate).map_or(&[], Vec::as_slice)
    }

    /// One of 64 bits for a coordinate (FNV-1a).
    pub fn mark(coordinate: &str) -> u64 {
        let hash = coordinate.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        1 << (hash >> 58)
    }

    /// False when nothing is asked for at the coordinates with this mark.
    #[inline]
    pub const fn may_bind(&self, mark: u64) -> bool {
        self.marks & mark != 0
    }

    /// The coordinates that are closed whatever the row to somebody who `holds` these permissions there, each with
    /// the one that is missing.
    pub fn closed_to(&self, holds: impl Fn(&str, Permission) -> bool) -> HashMap<&str, Option<Permission>> {
        let missing = |coordinate: &str, extra: &Extra| {
            !extra.permission.is_some_and(|permission| holds(coordinate, permission))
        };
        self.extra
            .iter()
            .filter_map(|(coordinate, extras)| {
                let extra = extras.iter().find(|extra| missing(coordinate, extra))?;
                Some((coordinate.as_str(), extra.permission))
            })
            .collect()
    }
}

impl FromIterator<(String, Extra)> for FieldPolicies {
    fn from_iter<I: IntoIterator<Item = (String, Extra)>>(policies: I) -> Self {
        let mut all = Self::default();
        for (coordinate, extra) in policies {
            all.marks |= Self::mark(&coordinate);
            all.extra.entry(coordinate).or_default().push(extra);
        }
        all
    }
}

/// A stored policy.
#[derive(FromQueryResult, Deserialize)]
pub(super) struct Bound {
    type_name: String,
    field_name: String,
    permission: String,
    condition: String,
}

/// What a stored policy asks for, and at which coordinate.
pub(super) fn extra(row: Bound) -> (String, Extra) {
    let condition = Relation::parse(&row.condition);
    // A condition that this version does not know is never fulfilled.
    let known = condition.is_some() || row.condition.is_empty();
    let permission = Permission::parse(&row.permission).filter(|_| known);
    (format!("{}.{}", row.type_name, row.field_name), Extra { permission, condition })
}

/// Reads the policies of the clinic.
pub async fn load_field_policies(db: &TenantDb) -> Result<FieldPolicies, Failure> {
    let all = field_policy::Entity::find().into_model::<Bound>().all(db).await?;
    Ok(all.into_iter().map(extra).collect())
}
