//! The legal changes of status, of every kind of object. The database refuses the others by the same table.

use std::{collections::HashMap, sync::Arc};

use praxis_entity::status_transition;
use praxis_platform::Op;
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr};

use crate::Result;

/// The legal changes of each machine.
pub async fn legal<M>(
    op: &Op<M>,
    machines: &[&'static str],
) -> Result<HashMap<&'static str, Arc<Vec<status_transition::Model>>>> {
    let wanted: Vec<String> = machines.iter().map(|&machine| machine.to_owned()).collect();
    let rows = status_transition::Entity::find()
        .filter(Expr::cust_with_values("machine = ANY($1)", [wanted]))
        .all(op.db())
        .await?;
    let of = |machine: &'static str| {
        let own = rows.iter().filter(|row| row.machine == machine).cloned().collect();
        (machine, Arc::new(own))
    };
    Ok(machines.iter().copied().map(of).collect())
}
