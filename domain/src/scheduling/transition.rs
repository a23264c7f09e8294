//! The legal changes of status. The database enforces the same table by trigger.

use praxis_entity::{appointment::AppointmentStatus, status_transition};
use praxis_platform::{
    Op,
    access::{Actor, Permission},
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter};

use crate::Result;

/// A legal change of an appointment's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Status before.
    pub from: AppointmentStatus,
    /// Status after.
    pub to: AppointmentStatus,
    /// Permission needed; absent where only the system may.
    pub permission: Option<Permission>,
}

/// All legal changes.
#[derive(Debug, Clone, Default)]
pub struct Transitions(Vec<Transition>);

impl Transitions {
    /// Whether the change is legal.
    pub fn allow(&self, from: AppointmentStatus, to: AppointmentStatus) -> bool {
        self.0.iter().any(|transition| transition.from == from && transition.to == to)
    }

    /// The changes that are legal from a status and permitted to the actor.
    pub fn open_to(&self, actor: &Actor, from: AppointmentStatus) -> Vec<Transition> {
        let permitted =
            |transition: &&Transition| transition.permission.is_some_and(|needed| actor.may(needed));
        self.0.iter().filter(|transition| transition.from == from).filter(permitted).copied().collect()
    }
}

/// The legal changes of appointments.
pub async fn legal_transitions<M>(op: &Op<M>) -> Result<Transitions> {
    let rows = status_transition::Entity::find()
        .filter(status_transition::Column::Machine.eq("appointment"))
        .all(op.db())
        .await?;
    let status = |text: &String| AppointmentStatus::try_from_value(text).ok();
    // Rows without a status before say how an appointment may begin.
    let transition = |row: status_transition::Model| {
        let (from, to) = (status(&row.from_status)?, status(&row.to_status)?);
        Some(Transition { from, to, permission: Permission::parse(&row.permission) })
    };
    Ok(Transitions(rows.into_iter().filter_map(transition).collect()))
}
