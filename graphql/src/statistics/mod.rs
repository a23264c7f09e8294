//! How much there is of what.

mod query;
mod types;

pub(crate) use query::StatisticsQuery;

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs("Query", Permission::STATISTICS_READ, &["appointmentStatistics"]),
    inherited("AppointmentStatistics", &["year", "months"]),
    inherited("AppointmentMonth", &["month", "total", "byStatus"]),
    inherited(
        "AppointmentsByStatus",
        &[
            "pending",
            "booked",
            "confirmed",
            "arrived",
            "checkedIn",
            "inRoom",
            "inProgress",
            "completed",
            "cancelled",
            "noShow",
            "expired",
            "enteredInError",
        ],
    ),
];
