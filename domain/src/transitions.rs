//! State machines as data: where an object may go from where it stands, by which action, and who may take it there.
//!
//! The table `status_transition` holds every legal step of every machine. The database refuses the others by trigger
//! (`PX001`), the rules ask the same rows before they write, and `allowedActions` is computed from them. A row that
//! leads to the status it comes from names something that is possible there and leaves the status as it is.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use praxis_entity::{ids::PatientId, status_transition};
use praxis_platform::{
    Op,
    access::{ActorKind, Permission, Row},
};
use sea_orm::{ActiveEnum, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{Detail, Result, Violation, ViolationCode, rights};

/// The legal steps of one kind of object.
#[derive(Debug, Clone, Default)]
pub struct Machine(Vec<status_transition::Model>);

impl Machine {
    /// The machine of this name.
    pub async fn load<M>(op: &Op<M>, name: &'static str) -> Result<Arc<Self>> {
        Ok(machines(op, &[name]).await?.remove(name).unwrap_or_default())
    }

    /// Whether an object may go from one status to another.
    pub fn allows<S: ActiveEnum<Value = String>>(&self, from: &S, to: &S) -> bool {
        let (from, to) = (from.to_value(), to.to_value());
        self.0.iter().any(|row| row.from_status == from && row.to_status == to)
    }

    /// Where an action leads from a status; nowhere where it is not possible.
    pub fn leads<S: ActiveEnum<Value = String>>(&self, from: &S, action: &str) -> Option<S> {
        let from = from.to_value();
        let row = self.0.iter().find(|row| row.from_status == from && row.action == action)?;
        S::try_from_value(&row.to_status).ok()
    }

    /// The actions that are possible from a status for whoever may do what they ask for, by name.
    pub fn actions(&self, from: &str, may: impl Fn(Permission) -> bool) -> Vec<String> {
        let from = self.0.iter().filter(|row| row.from_status == from && !row.action.is_empty());
        let open = from.filter(|row| Permission::parse(&row.permission).is_some_and(&may));
        open.map(|row| row.action.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What is said to whoever tries something else.
    pub fn refusal<S: ActiveEnum<Value = String>>(
        &self,
        from: &S,
        may: impl Fn(Permission) -> bool,
    ) -> Violation {
        let status = from.to_value();
        let message = format!("This is not possible while the status is {status}.");
        let allowed = self.actions(&status, may);
        Violation::at(ViolationCode::InvalidTransition, &["id"], message)
            .with(Detail::Transition { status, allowed })
    }
}

/// Where an action of a machine leads from the status that a row has; refused with the actions that are possible. What
/// the actor may do is judged for the row of the patient, if it concerns one.
pub async fn step<M, S: ActiveEnum<Value = String>>(
    op: &Op<M>,
    machine: &'static str,
    action: &str,
    from: &S,
    of: (impl Into<Option<PatientId>>, &Row),
) -> Result<S> {
    step_among(op, machine, action, from, of, |_| true).await
}

/// The same for an object of the clinic itself.
pub async fn step_here<M, S: ActiveEnum<Value = String>>(
    op: &Op<M>,
    machine: &'static str,
    action: &str,
    from: &S,
) -> Result<S> {
    step(op, machine, action, from, (None, &Row::default())).await
}

/// The same where more than status and rights decides: a refusal names only what is `open` besides, as the object's
/// own `allowedActions` do.
pub async fn step_among<M, S: ActiveEnum<Value = String>>(
    op: &Op<M>,
    machine: &'static str,
    action: &str,
    from: &S,
    of: (impl Into<Option<PatientId>>, &Row),
    open: impl Fn(&str) -> bool,
) -> Result<S> {
    match Machine::load(op, machine).await?.leads(from, action) {
        Some(to) => Ok(to),
        None => Err(refusal(op, machine, from, of, open).await?.into()),
    }
}

/// What is said to whoever tries what is not possible from where a row stands.
pub async fn refusal<M, S: ActiveEnum<Value = String>>(
    op: &Op<M>,
    machine: &'static str,
    from: &S,
    (patient, row): (impl Into<Option<PatientId>>, &Row),
    open: impl Fn(&str) -> bool,
) -> Result<Violation> {
    let machine = Machine::load(op, machine).await?;
    let refusal = match patient.into() {
        Some(patient) if op.actor().kind == ActorKind::User => {
            let rights = rights::on(op, patient, row).await?;
            machine.refusal(from, |permission| rights.may(permission))
        }
        _ => machine.refusal(from, |permission| op.actor().may(permission)),
    };
    Ok(refusal.only(|action| open(action)))
}

/// The machines of these names.
pub async fn machines<M>(op: &Op<M>, names: &[&'static str]) -> Result<HashMap<&'static str, Arc<Machine>>> {
    let wanted: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let rows = status_transition::Entity::find()
        .filter(Expr::cust_with_values("machine = ANY($1)", [wanted]))
        .all(op.db())
        .await?;
    let of = |name: &'static str| {
        let own = rows.iter().filter(|row| row.machine == name).cloned().collect();
        (name, Arc::new(Machine(own)))
    };
    Ok(names.iter().copied().map(of).collect())
}
