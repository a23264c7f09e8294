//! The cells of an installation: whether each is there, at which version, and whether it takes clinics.

use std::time::Duration;

use futures::future::join_all;
use praxis_platform::tenancy::{
    CellRefused, Cells, Hardening, Installation, MAIN, cell_name, check_hardening,
};
use serde::Serialize;
use sqlx::postgres::PgConnection;
use tokio::time::timeout;

use crate::{
    migrate::{CellError, cell_version},
    registry::{self, CellRecord},
};

/// How long a cell may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a cell.
#[derive(Debug, Clone, Serialize)]
pub struct CellState {
    /// Its name.
    pub name: String,
    /// `active`, `draining` or `sandbox`.
    pub role: String,
    /// Clinics that it holds.
    pub tenants: i64,
    /// Clinics that it may hold.
    pub max_tenants: i32,
    /// Whether this process knows where it is.
    pub configured: bool,
    /// Whether it answers.
    pub reachable: bool,
    /// The version of its schema.
    pub version: Option<i32>,
    /// Whether what could cross tenants is taken from PUBLIC there.
    pub hardened: Option<bool>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// What a cell said of itself.
struct Answer {
    version: i32,
    hardening: Hardening,
    name: Option<String>,
}

/// All cells, each asked at the same time.
pub async fn list(
    control: &mut PgConnection,
    installation: &Installation,
    cells: &Cells,
) -> Result<Vec<CellState>, sqlx::Error> {
    let known = registry::cells(control).await?;
    Ok(join_all(known.into_iter().map(|cell| look(cell, installation, cells))).await)
}

async fn look(cell: CellRecord, installation: &Installation, cells: &Cells) -> CellState {
    let mut state = CellState {
        configured: cells.knows(&cell.id),
        name: cell.id,
        role: cell.role,
        tenants: cell.tenants,
        max_tenants: cell.max_tenants,
        reachable: false,
        version: None,
        hardened: None,
        problem: None,
    };
    if !state.configured {
        state.problem = Some("not configured: PRAXIS_CELLS does not name its address".to_owned());
        return state;
    }
    match timeout(PATIENCE, ask(&state.name, installation, cells)).await {
        Ok(Ok(answer)) => {
            state.reachable = true;
            state.version = Some(answer.version);
            state.hardened = Some(answer.hardening.complete());
            if state.name != MAIN && answer.name.as_deref() != Some(&state.name) {
                let is = answer.name.as_deref().unwrap_or("no cell of this installation");
                state.problem = Some(format!("what its address leads to is {is}"));
            }
        }
        Ok(Err(error)) => state.problem = Some(error.to_string()),
        Err(_) => state.problem = Some("it does not answer".to_owned()),
    }
    state
}

async fn ask(cell: &str, installation: &Installation, cells: &Cells) -> Result<Answer, CellRefused> {
    let mut home = cells.connect(cell).await?;
    let name = if cell == MAIN { None } else { cell_name(&mut home, installation).await? };
    let version = cell_version(&mut home).await?;
    Ok(Answer { version, hardening: check_hardening(&mut home).await?, name })
}

/// Lets a cell take clinics, or no new ones; says whether that changed anything.
pub async fn set_role(control: &mut PgConnection, cell: &str, role: Role) -> Result<bool, CellError> {
    let before: Option<String> = sqlx::query_scalar(
        "WITH before AS (SELECT id, role FROM control.cell WHERE id = $1 FOR UPDATE),
            changed AS (UPDATE control.cell SET role = $2 WHERE id = $1)
         SELECT role FROM before",
    )
    .bind(cell)
    .bind(role.code())
    .fetch_optional(control)
    .await?;
    let before = before.ok_or_else(|| CellError::Unknown(cell.escape_debug().to_string()))?;
    Ok(before != role.code())
}

/// What a cell is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It takes clinics.
    Active,
    /// It takes no new ones.
    Draining,
}

impl Role {
    fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
        }
    }
}
