//! What the viewer may do with an object as it stands: computed from the same table of legal transitions by which
//! the database refuses the others, and from the evaluator.

use praxis_platform::access::Permission;

use crate::{context::Caller, error::ApiError, policy::At, subject::Subject};

/// The mutations of one kind of object.
pub(crate) struct Actions {
    /// The machine whose transitions count.
    pub(crate) machine: &'static str,
    /// By which mutation an object gets into a status.
    pub(crate) transitions: &'static [(&'static str, &'static str)],
    /// Mutations that leave the status as it is, and the statuses in which they are possible; in any when empty.
    pub(crate) others: &'static [(&'static str, &'static [&'static str])],
}

impl Actions {
    /// The mutations that the viewer may run on an object in a status.
    pub(crate) async fn open(
        &self,
        caller: &Caller,
        subject: &Subject,
        status: &str,
    ) -> Result<Vec<&'static str>, ApiError> {
        let rights = subject.rights(caller).await?;
        let legal = caller.loaders().transitions.load(self.machine).await?.unwrap_or_default();
        let leads = |to: &str| {
            let found = legal.iter().find(|row| row.from_status == status && row.to_status == to)?;
            Permission::parse(&found.permission)
        };
        let moves = self.transitions.iter().filter_map(|(to, mutation)| {
            let permission = leads(to)?;
            Some((*mutation, permission))
        });
        let others = self.others.iter().filter(|(_, from)| from.is_empty() || from.contains(&status));
        let others = others.filter_map(|(mutation, _)| {
            Some((*mutation, At::of(&format!("Mutation.{mutation}")).permission()?))
        });
        let open = moves.chain(others).filter(|(mutation, permission)| {
            rights.may(*permission) && caller.check(At::of(&format!("Mutation.{mutation}"))).is_ok()
        });
        Ok(open.map(|(mutation, _)| mutation).collect())
    }
}
