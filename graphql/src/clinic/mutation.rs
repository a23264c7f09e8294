//! Changing what the clinic is.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::clinic;

use super::{Facility, Room};
use crate::{context::change, error::ApiError, ids, payload::UserError, scalar::TimeZone};

/// Changing what the clinic is.
#[derive(Default)]
pub(crate) struct ClinicMutation;

/// A new branch.
#[derive(InputObject)]
pub(crate) struct FacilityAddInput {
    /// Short code, unique in the clinic.
    code: String,
    /// Name.
    name: String,
    /// Zone of its wall clock.
    time_zone: TimeZone,
    /// Telephone.
    phone: Option<String>,
    /// Postal address, line by line.
    #[graphql(default)]
    address_lines: Vec<String>,
}

/// The new branch, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct FacilityAddPayload {
    /// The new branch.
    facility: Option<Facility>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A new room.
#[derive(InputObject)]
pub(crate) struct RoomAddInput {
    /// At which branch.
    facility_id: ID,
    /// Name, unique at the branch.
    name: String,
}

/// The new room, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct RoomAddPayload {
    /// The new room.
    room: Option<Room>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl ClinicMutation {
    /// Adds a branch to the clinic.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, ALREADY_EXISTS.
    async fn facility_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The branch.")] input: FacilityAddInput,
    ) -> Result<FacilityAddPayload, ApiError> {
        let FacilityAddInput { code, name, time_zone, phone, address_lines } = input;
        let new = clinic::AddFacility { code, name, time_zone: time_zone.0, phone, address_lines };
        let done = change(ctx, "Mutation.facilityAdd", async |op| clinic::add_facility(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(FacilityAddPayload { facility: row.map(Facility::new), user_errors })
    }

    /// Adds a room to a branch.
    ///
    /// Errors: REQUIRED, TOO_LONG, NOT_FOUND, ALREADY_EXISTS.
    async fn room_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The room.")] input: RoomAddInput,
    ) -> Result<RoomAddPayload, ApiError> {
        let new = clinic::AddRoom { facility: ids::parse(&input.facility_id)?, name: input.name };
        let done = change(ctx, "Mutation.roomAdd", async |op| clinic::add_room(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(RoomAddPayload { room: row.map(Room::new), user_errors })
    }
}
