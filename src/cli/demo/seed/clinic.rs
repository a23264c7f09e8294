//! The clinic itself: branches, rooms, clinicians with their hours, accounts.

use anyhow::{Context, Result};
use chrono_tz::Tz;
use praxis_domain::{
    clinic::{AddFacility, AddRoom, add_facility, add_room, visit_types},
    identity::{NewUser, create_user, grant_role},
    staff::{RegisterPractitioner, register_practitioner, set_availability},
};
use praxis_entity::{
    ids::{FacilityId, PractitionerId, RoomId},
    visit_type,
};
use praxis_platform::OpFactory;

use super::super::{
    clinics::{Clinic, PASSWORD},
    schedule::weekly_hours,
};

/// Where patients come to, and to whom.
#[derive(Debug, Clone)]
pub(super) struct Premises {
    /// Each clinician with the branch and the room they work in.
    pub clinicians: Vec<(PractitionerId, FacilityId, RoomId)>,
    /// Kinds of visit that are booked.
    pub visits: Vec<visit_type::Model>,
    /// The clock on the wall.
    pub zone: Tz,
}

/// Sets up the clinic, in one transaction.
pub(super) async fn open(factory: &OpFactory, clinic: &Clinic) -> Result<Premises> {
    let op = factory.write().await?;
    let zone: Tz = clinic.time_zone.parse().context("the time zone")?;
    let today = op.now().with_timezone(&zone).date_naive();
    let mut branches = Vec::new();
    for branch in clinic.branches {
        let facility = add_facility(
            &op,
            AddFacility {
                code: branch.code.to_owned(),
                name: branch.name.to_owned(),
                time_zone: clinic.time_zone.to_owned(),
                phone: Some(branch.phone.to_owned()),
                address_lines: branch.address.iter().map(|line| (*line).to_owned()).collect(),
            },
        )
        .await?;
        let mut rooms = Vec::new();
        for name in branch.rooms {
            rooms.push(add_room(&op, AddRoom { facility: facility.id, name: (*name).to_owned() }).await?.id);
        }
        branches.push((facility.id, rooms));
    }
    let mut clinicians = Vec::new();
    for clinician in clinic.clinicians {
        let registered = register_practitioner(
            &op,
            RegisterPractitioner {
                family: clinician.family.to_owned(),
                given: vec![clinician.given.to_owned()],
                prefix: Some(clinician.prefix.to_owned()),
                specialty: Some(clinician.specialty.to_owned()),
                identifiers: Vec::new(),
                bookable: true,
            },
        )
        .await?;
        let (branch, room) = clinician.works_in;
        let (facility, rooms) = branches.get(branch).context("no such branch")?;
        let room = rooms.get(room).context("no such room")?;
        set_availability(&op, registered.id, *facility, weekly_hours(today)).await?;
        clinicians.push((registered.id, *facility, *room));
    }
    let visits = visit_types(&op)
        .await?
        .into_iter()
        .filter(|visit| clinic.visits.contains(&visit.key.as_str()))
        .collect();
    op.commit().await?;
    Ok(Premises { clinicians, visits, zone })
}

/// Makes the accounts, in one transaction.
pub(super) async fn make_accounts(factory: &OpFactory, clinic: &Clinic, premises: &Premises) -> Result<()> {
    let op = factory.write().await?;
    for (role, name, clinician) in clinic.accounts {
        let new = NewUser {
            email: clinic.email(role),
            display_name: (*name).to_owned(),
            password: PASSWORD.to_owned(),
            practitioner: clinician.and_then(|at| premises.clinicians.get(at)).map(|(id, _, _)| *id),
        };
        let user = create_user(&op, new).await?;
        grant_role(&op, user.id, role, None).await?;
    }
    Ok(op.commit().await?)
}
