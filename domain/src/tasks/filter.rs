//! Which tasks are wanted, and in which order.

use praxis_entity::{
    ids::{EncounterId, PatientId, UserId},
    task::{Column, TaskPriority, TaskStatus},
};
use praxis_platform::{Op, access::Permission, literal::Literal};
use sea_orm::{ColumnTrait, Condition, sea_query::Expr};

use crate::{
    Result, StatusSet, TimeRange,
    page::{Ordering, any_of},
    range::one_of,
};

/// The viewer's own view of what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbox {
    /// Asked of the viewer by name, or taken on by them.
    Mine,
    /// Asked of a role that the viewer holds, and taken on by nobody.
    MyRoles,
    /// Taken on by nobody, of whomever it was asked.
    Unclaimed,
}

/// Which tasks are wanted; all parts that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// The viewer's own view; only what is open.
    pub inbox: Option<Inbox>,
    /// In which status.
    pub status: StatusSet<TaskStatus>,
    /// How soon.
    pub priority: Option<Vec<TaskPriority>>,
    /// Of which kinds.
    pub code: Option<Vec<String>>,
    /// Asked of, or taken on by, one of these.
    pub owner: Option<Vec<UserId>>,
    /// Asked of one of these roles.
    pub role: Option<Vec<String>>,
    /// Of one of these patients.
    pub patient: Option<Vec<PatientId>>,
    /// Of one of these visits.
    pub encounter: Option<Vec<EncounterId>>,
    /// When they are due.
    pub due_at: TimeRange,
    /// Open and late, or not.
    pub overdue: Option<bool>,
}

impl TaskFilter {
    pub(super) fn condition<M>(&self, op: &Op<M>) -> Result<Condition> {
        if self.patient.is_some() {
            op.require(Permission::PATIENT_READ)?;
        }
        if self.encounter.is_some() {
            op.require(Permission::ENCOUNTER_READ)?;
        }
        let ids = |ids: &Vec<UserId>| ids.iter().map(|id| id.0).collect();
        let patients = self.patient.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        let encounters = self.encounter.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        let late = is_open().add(Column::DueAt.lt(op.now()));
        Ok(Condition::all()
            .add_option(self.inbox.map(|inbox| is_open().add(of_inbox(op, inbox))))
            .add(self.status.condition(Column::Status))
            .add_option(one_of(Column::Priority, self.priority.as_deref()))
            .add_option(one_of(Column::Code, self.code.as_deref()))
            .add_option(self.owner.as_ref().map(|owners| any_of(Column::OwnerId, ids(owners))))
            .add_option(one_of(Column::RoleCode, self.role.as_deref()))
            .add_option(patients.map(|ids| any_of(Column::PatientId, ids)))
            .add_option(encounters.map(|ids| any_of(Column::EncounterId, ids)))
            .add(self.due_at.condition(Column::DueAt))
            .add_option(
                self.overdue.map(|wanted| {
                    if wanted { late } else { Condition::all().add(crate::range::without(late)) }
                }),
            ))
    }
}

/// Something is still to be done.
pub(super) fn is_open() -> Condition {
    Condition::all().add(Column::Status.is_one_of(&TaskStatus::OPEN))
}

/// What the viewer's inbox holds.
pub(super) fn of_inbox<M>(op: &Op<M>, inbox: Inbox) -> Condition {
    let nobodys = Condition::all().add(Column::OwnerId.is_null());
    match inbox {
        Inbox::Mine => match op.actor().user {
            Some(me) => Condition::all().add(Column::OwnerId.eq(me)),
            None => Condition::all().add(Expr::cust("false")),
        },
        Inbox::MyRoles => nobodys.add(Column::RoleCode.is_in(op.actor().roles.iter().cloned())),
        Inbox::Unclaimed => nobodys,
    }
}

/// By what tasks are ordered; equal ones by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskOrder {
    /// The one that is due first; those without a time last.
    DueAt,
    /// The newest.
    Newest,
}

impl TaskOrder {
    pub(super) fn ordering(self) -> Ordering<Column> {
        match self {
            Self::DueAt => Ordering { column: Some(Column::DueAt), id: Column::Id, descending: false },
            Self::Newest => Ordering { column: None, id: Column::Id, descending: true },
        }
    }
}
