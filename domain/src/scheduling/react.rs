//! What follows from what happened to appointments.

use praxis_platform::{Op, Write};

use super::waiting;
use crate::{
    Result,
    event::{Event, Recorded},
};

/// A time became free: whoever is next in line is offered it.
pub async fn offer_freed_time(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    match recorded.event {
        Event::AppointmentCancelled { appointment, .. }
        | Event::AppointmentEnteredInError { appointment, .. }
        | Event::AppointmentHoldReleased { appointment, .. }
        | Event::AppointmentHoldExpired { appointment, .. } => {
            waiting::offer_freed(op, appointment).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// A hold ran out or was let go of: if it was an offer, whoever had it is in line again.
pub async fn end_offer(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    match recorded.event {
        Event::AppointmentHoldReleased { appointment, .. }
        | Event::AppointmentHoldExpired { appointment, .. } => waiting::offer_ran_out(op, appointment).await,
        _ => Ok(()),
    }
}
