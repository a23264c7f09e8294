//! Numbers of appointments.

use async_graphql::{Object, SimpleObject};
use praxis_domain::statistics::Month;
use praxis_entity::{appointment::AppointmentStatus as Status, value::PartialDate as Stored};

use crate::scalar::PartialDate;

/// How many appointments there are in a year.
#[derive(SimpleObject)]
pub(crate) struct AppointmentStatistics {
    /// The year.
    pub(super) year: i32,
    /// Its twelve months, from January on.
    pub(super) months: Vec<AppointmentMonth>,
}

/// How many appointments begin in a month.
#[derive(SimpleObject)]
pub(crate) struct AppointmentMonth {
    /// The month, `YYYY-MM`.
    month: PartialDate,
    /// All appointments but holds (`pending`, `expired`) and what was entered in error.
    total: i32,
    /// The same by status, holds and errors too.
    by_status: AppointmentsByStatus,
}

impl AppointmentMonth {
    pub(super) fn new(year: i32, number: u32, numbers: Month) -> Self {
        let month = PartialDate(Stored::Month(year, number));
        Self { month, total: numbers.total(), by_status: AppointmentsByStatus(numbers) }
    }
}

/// Numbers of appointments by where they stand now.
struct AppointmentsByStatus(Month);

/// Numbers of appointments by where they stand now.
#[Object]
impl AppointmentsByStatus {
    /// Time is kept for somebody who has not said yes.
    fn pending(&self) -> i32 {
        self.0.in_status(Status::Pending)
    }

    /// Time is reserved.
    fn booked(&self) -> i32 {
        self.0.in_status(Status::Booked)
    }

    /// The patient confirmed.
    fn confirmed(&self) -> i32 {
        self.0.in_status(Status::Confirmed)
    }

    /// The patient is at the clinic, and not at the desk yet.
    fn arrived(&self) -> i32 {
        self.0.in_status(Status::Arrived)
    }

    /// The patient has checked in at the desk.
    fn checked_in(&self) -> i32 {
        self.0.in_status(Status::CheckedIn)
    }

    /// The patient was shown to a room.
    fn in_room(&self) -> i32 {
        self.0.in_status(Status::InRoom)
    }

    /// The visit is under way.
    fn in_progress(&self) -> i32 {
        self.0.in_status(Status::InProgress)
    }

    /// The visit took place.
    fn completed(&self) -> i32 {
        self.0.in_status(Status::Completed)
    }

    /// Called off.
    fn cancelled(&self) -> i32 {
        self.0.in_status(Status::Cancelled)
    }

    /// The patient did not come.
    fn no_show(&self) -> i32 {
        self.0.in_status(Status::NoShow)
    }

    /// Nobody said yes in time.
    fn expired(&self) -> i32 {
        self.0.in_status(Status::Expired)
    }

    /// They should never have been booked.
    fn entered_in_error(&self) -> i32 {
        self.0.in_status(Status::EnteredInError)
    }
}
