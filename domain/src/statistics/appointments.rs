//! How many appointments there are in each month of a year, by status.
//!
//! A visit counts in the month in which it begins by the clock of its branch. The number of a branch, month and status
//! is the sum of its entries in `appointment_count` (`m0034_statistics.sql`).

use std::{array, collections::HashMap};

use praxis_entity::{appointment::AppointmentStatus, ids::FacilityId};
use praxis_platform::{Failure, Op, access::Permission};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{Result, Violation, ViolationCode};

const NUMBERS: &str = "SELECT extract(month FROM c.month)::integer AS month, c.status, sum(c.change)::integer AS number \
    FROM facility f LEFT JOIN appointment_count c \
        ON c.facility_id = f.id AND c.month BETWEEN make_date($1, 1, 1) AND make_date($1, 12, 1) \
    WHERE $2::uuid[] IS NULL OR f.id = ANY($2) GROUP BY 1, 2";

/// How many appointments begin in a month.
#[derive(Debug, Clone, Default)]
pub struct Month(HashMap<AppointmentStatus, i32>);

impl Month {
    /// How many stand like this.
    pub fn in_status(&self, status: AppointmentStatus) -> i32 {
        self.0.get(&status).copied().unwrap_or_default()
    }

    /// How many there are: neither those for which time was only held, nor what was booked by mistake.
    pub fn total(&self) -> i32 {
        use AppointmentStatus::{EnteredInError, Expired, Pending};
        self.0
            .iter()
            .filter(|(status, _)| !matches!(status, Pending | Expired | EnteredInError))
            .map(|(_, n)| n)
            .sum()
    }
}

/// The twelve months of a year, at one branch or at all for which the actor may know.
pub async fn appointments<M>(op: &Op<M>, year: i32, facility: Option<FacilityId>) -> Result<[Month; 12]> {
    op.require(Permission::STATISTICS_READ)?;
    if !(1900..=2199).contains(&year) {
        let message = "A year is between 1900 and 2199.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["year"], message).into());
    }
    let places = places(op, facility)?.map(|places| places.iter().map(|place| place.0).collect::<Vec<_>>());
    let numbers = Statement::from_sql_and_values(DbBackend::Postgres, NUMBERS, [year.into(), places.into()]);
    let rows = op.db().query_all_raw(numbers).await?;
    if rows.is_empty() && facility.is_some() {
        return Err(Violation::unknown("facilityId").into());
    }
    let mut months: [Month; 12] = array::from_fn(|_| Month::default());
    for row in rows {
        // A branch without any is there as well, with a month that is null.
        let Some(month) = row.try_get::<Option<i32>>("", "month")? else { continue };
        let place = usize::try_from(month - 1).ok().and_then(|place| months.get_mut(place));
        if let Some(Month(numbers)) = place {
            numbers.insert(row.try_get("", "status")?, row.try_get("", "number")?);
        }
    }
    Ok(months)
}

/// The branches that count: all when absent. A permission under a condition gives none, for numbers meet none.
fn places<M>(op: &Op<M>, facility: Option<FacilityId>) -> Result<Option<Vec<FacilityId>>> {
    let actor = op.actor();
    let held = |place| actor.held_at(place).contains(Permission::STATISTICS_READ);
    if held(None) {
        return Ok(facility.map(|one| vec![one]));
    }
    let wanted = |place: &FacilityId| held(Some(*place)) && facility.is_none_or(|one| one == *place);
    let places: Vec<_> = actor.places().filter(wanted).collect();
    if places.is_empty() {
        Err(Failure::Forbidden(Permission::STATISTICS_READ).into())
    } else {
        Ok(Some(places))
    }
}
