//! What takes long: it is asked for here, and done by the executor, whatever becomes of the request.
//!
//! The key is the operator's choice and names what they want: asked for again under it, it is the same operation.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use praxis_fleet::{
    executor::{Fill, Move, Run, Sandbox, Task},
    operators::Right,
    registry,
    tenant::{self as life, LifeError, NewClinic, ONCE, operation},
};
use praxis_platform::tenancy::{MAIN, is_slug};
use sqlx::{Postgres, pool::PoolConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    TenantInput, TenantPayload,
    user_error::{OperatorErrorCode, OperatorUserError},
};
use crate::{
    error::bad_input,
    ground::{Ground, acting, acting_proved, ask},
    operations::Operation,
    tenants::clinic_id,
};

#[derive(Default)]
pub(super) struct WorkMutation;

/// A clinic to be made.
#[derive(InputObject)]
pub(crate) struct TenantCreateInput {
    /// What this is known by: sent again, it is the same clinic.
    idempotency_key: String,
    /// Its subdomain: 1 to 63 letters a-z, digits or hyphens.
    slug: String,
    /// Its name as shown.
    display_name: String,
    /// What it starts with; see `templates`.
    template: String,
    /// BCP 47 locale; the template's when left out.
    locale: Option<String>,
    /// IANA time zone; the template's when left out.
    time_zone: Option<String>,
    /// The cell that is to hold it; the control database's when left out.
    cell: Option<String>,
}

/// A sandbox to be made.
#[derive(InputObject)]
pub(crate) struct TenantCloneInput {
    /// What this is known by: sent again, it is the same sandbox.
    idempotency_key: String,
    /// The original's id.
    id: ID,
    /// The sandbox's subdomain.
    as_slug: String,
}

/// A clinic to be brought to another cell.
#[derive(InputObject)]
pub(crate) struct TenantMoveInput {
    /// What this is known by: sent again, it is the same move.
    idempotency_key: String,
    /// The clinic's id.
    id: ID,
    /// The cell that it is to be in.
    to: String,
}

/// A clinic to be destroyed.
#[derive(InputObject)]
pub(crate) struct TenantShredInput {
    /// Its id.
    id: ID,
    /// Its subdomain, written once more: nothing brings its data back.
    slug: String,
}

/// Schemas to be made ahead of need.
#[derive(InputObject)]
pub(crate) struct PoolFillInput {
    /// What this is known by.
    idempotency_key: String,
    /// How many are to be ready, 0 to 1,000.
    size: i32,
    /// In which cell; in the control database's when left out.
    cell: Option<String>,
    /// The template whose rows they are to hold, so that its clinics have nothing left to write; none when left out.
    template: Option<String>,
}

/// A run of migrations.
#[derive(InputObject)]
pub(crate) struct MigrationRunStartInput {
    /// What this is known by: sent again, no other run is begun.
    idempotency_key: String,
    /// Only the clinics of these ids; all that are behind when left out.
    tenants: Option<Vec<ID>>,
    /// Only what this run left undone.
    resume: Option<ID>,
    /// In which order, such as `canary:5,25%,rest`.
    waves: Option<String>,
    /// Clinics at a time, 1 to 64; 4 unless said otherwise.
    parallel: Option<i32>,
    /// After how many clinics that could not be migrated no other one is begun; 0 unless said otherwise.
    max_failures: Option<i32>,
    /// Leave out steps that take something away, and all after the first of them.
    #[graphql(default = false)]
    expand_only: bool,
}

/// What became of something that takes long.
#[derive(SimpleObject)]
pub(crate) struct OperationPayload {
    /// How far it is. It goes on whatever becomes of the request.
    operation: Option<Operation>,
    /// Why it was not begun.
    user_errors: Vec<OperatorUserError>,
}

impl OperationPayload {
    fn of(asked: Result<life::Operation, LifeError>, field: &str) -> Result<Self, Error> {
        match asked {
            Ok(operation) => Ok(Self { operation: Some(operation.into()), user_errors: Vec::new() }),
            Err(error) => {
                Ok(Self { operation: None, user_errors: vec![OperatorUserError::of(error, field)?] })
            }
        }
    }
}

#[Object]
impl WorkMutation {
    /// Makes a clinic. `operation.tenant` shows it once it is there. Needs the right MANAGE.
    ///
    /// Codes: `SLUG_TAKEN`, `INVALID`, `UNKNOWN_TEMPLATE`, `IDEMPOTENCY_CONFLICT`.
    async fn tenant_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: TenantCreateInput,
    ) -> Result<OperationPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let TenantCreateInput { idempotency_key: key, slug, display_name, template, locale, time_zone, cell } =
            input;
        let cell = cell.filter(|cell| cell != MAIN);
        let new = NewClinic { slug, display_name, template, locale, time_zone, cell };
        let asked = async {
            new.check()?;
            life::fits_this_build(&mut admin).await?;
            is_known(context, &mut admin, new.cell.as_deref()).await?;
            // What was asked for before has taken the name itself.
            let task = Task::Provision(new.clone());
            let is_known = operation::asked(&mut admin, None, task.kind(), &key).await?.is_some();
            if !is_known && registry::tenant(&mut admin, &new.slug).await?.is_some() {
                return Err(LifeError::SlugTaken);
            }
            ask(context, &mut admin, &task, &key).await
        };
        OperationPayload::of(asked.await, "slug")
    }

    /// Makes a sandbox that looks like a clinic and tells nothing of its patients. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `SLUG_TAKEN`, `INVALID`, `IDEMPOTENCY_CONFLICT`.
    async fn tenant_clone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and as what.")] input: TenantCloneInput,
    ) -> Result<OperationPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let TenantCloneInput { idempotency_key: key, id, as_slug } = input;
        let clinic = clinic_id(&id)?;
        let asked = async {
            if !is_slug(&as_slug) {
                return Err(LifeError::SlugInvalid);
            }
            known(&mut admin, clinic).await?;
            let task = Task::Clone(clinic, Sandbox { as_slug: as_slug.clone() });
            let is_known = operation::asked(&mut admin, Some(clinic), task.kind(), &key).await?.is_some();
            if !is_known && registry::tenant(&mut admin, &as_slug).await?.is_some() {
                return Err(LifeError::SlugTaken);
            }
            ask(context, &mut admin, &task, &key).await
        };
        OperationPayload::of(asked.await, "asSlug")
    }

    /// Brings a clinic to another cell while it works: writers wait for less than a second at the end, and nothing is lost.
    /// `operation.detail` says how long they waited. Until that, `tenantMoveCancel` calls it off. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `REFUSED`, `INVALID`, `IDEMPOTENCY_CONFLICT`.
    async fn tenant_move(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and where to.")] input: TenantMoveInput,
    ) -> Result<OperationPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let TenantMoveInput { idempotency_key: key, id, to } = input;
        let clinic = clinic_id(&id)?;
        let asked = async {
            let found = known(&mut admin, clinic).await?;
            let task = Task::Move(clinic, Move { to: to.clone() });
            let is_known = operation::asked(&mut admin, Some(clinic), task.kind(), &key).await?.is_some();
            if !is_known {
                life::may_move_to(&mut admin, found.id, &to).await?;
            }
            ask(context, &mut admin, &task, &key).await
        };
        OperationPayload::of(asked.await, "to")
    }

    /// Calls a move off that has not come to its end: the clinic stays where it was. `changed` is false where there is none,
    /// or it is too late. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`.
    async fn tenant_move_cancel(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let clinic = clinic_id(&input.id)?;
        let called_off = life::call_off(&mut admin, clinic).await;
        TenantPayload::of(&mut admin, clinic, called_off, "id").await
    }

    /// Destroys the keys of a clinic that has left, and then its data. `operation.tenant.certificate` says what was
    /// destroyed. Needs the right DESTROY, and the password shown just now.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`, `ILLEGAL_TRANSITION`, `LEGAL_HOLD`, `GRACE`.
    async fn tenant_shred(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantShredInput,
    ) -> Result<OperationPayload, Error> {
        let mut admin = acting_proved(context, Right::Destroy).await?;
        let clinic = clinic_id(&input.id)?;
        let found = match known(&mut admin, clinic).await {
            Ok(found) => found,
            Err(error) => return OperationPayload::of(Err(error), "id"),
        };
        if found.slug != input.slug {
            let message = "This is not the subdomain of the clinic.";
            let error = OperatorUserError::new(OperatorErrorCode::Invalid, message, "slug");
            return Ok(OperationPayload { operation: None, user_errors: vec![error] });
        }
        let asked = if found.legal_hold_reason.is_some() {
            Err(LifeError::Held)
        } else if found.state != "ARCHIVED" && found.state != "SHREDDED" {
            Err(LifeError::Transition { from: found.state, to: "SHREDDED".to_owned() })
        } else {
            ask(context, &mut admin, &Task::Shred(clinic), ONCE).await
        };
        OperationPayload::of(asked, "id")
    }

    /// Makes schemas ahead of need, until so many are ready. Needs the right MANAGE.
    ///
    /// Codes: `INVALID`, `UNKNOWN_TEMPLATE`, `IDEMPOTENCY_CONFLICT`.
    async fn pool_fill(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many.")] input: PoolFillInput,
    ) -> Result<OperationPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        if !(0..=1_000).contains(&input.size) {
            let message = "A pool holds from 0 to 1,000 schemas.";
            let error = OperatorUserError::new(OperatorErrorCode::Invalid, message, "size");
            return Ok(OperationPayload { operation: None, user_errors: vec![error] });
        }
        let cell = input.cell.filter(|cell| cell != MAIN);
        let task = Task::PoolFill(Fill {
            size: input.size.into(),
            cell: cell.clone(),
            template: input.template.clone(),
        });
        let asked = async {
            input.template.as_deref().map(life::shipped).transpose()?;
            life::fits_this_build(&mut admin).await?;
            is_known(context, &mut admin, cell.as_deref()).await?;
            ask(context, &mut admin, &task, &input.idempotency_key).await
        };
        OperationPayload::of(asked.await, "size")
    }

    /// Brings clinics to the newest schema, as `praxis migrate up` does: `migrationRuns` shows how far it is. A run that was
    /// killed is gone on with; one that failed in part is resumed by another one. Needs the right MANAGE.
    ///
    /// Codes: `INVALID`, `UNKNOWN_TENANT`, `IDEMPOTENCY_CONFLICT`.
    async fn migration_run_start(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinics, and how.")] input: MigrationRunStartInput,
    ) -> Result<OperationPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let resume = input.resume.map(|id| id.parse()).transpose();
        let run = Run {
            tenants: Vec::new(),
            resume: resume.map_err(|_| bad_input("This is no id of a run."))?,
            waves: input.waves,
            parallel: input.parallel.map(|at_once| u8::try_from(at_once).unwrap_or(0)),
            max_failures: input.max_failures.map(|most| u32::try_from(most).unwrap_or(0)),
            expand_only: input.expand_only,
        };
        let wanted = input.tenants.unwrap_or_default();
        let asked = async {
            run.options(CancellationToken::new())?;
            life::fits_this_build(&mut admin).await?;
            if let Some(resume) = run.resume
                && registry::runs(&mut admin, Some(resume), None, 1).await?.is_empty()
            {
                return Err(LifeError::Invalid { field: "resume", why: "there is no such run".to_owned() });
            }
            let mut run = run;
            for id in &wanted {
                let clinic = clinic_id(id).map_err(|_| LifeError::Unknown(id.to_string()))?;
                run.tenants.push(known(&mut admin, clinic).await?.slug);
            }
            ask(context, &mut admin, &Task::Migrate(run), &input.idempotency_key).await
        };
        OperationPayload::of(asked.await, "tenants")
    }
}

/// Fails unless there is a cell of the name, and the executor knows where it is.
async fn is_known(
    context: &Context<'_>,
    admin: &mut PoolConnection<Postgres>,
    cell: Option<&str>,
) -> Result<(), LifeError> {
    let Some(cell) = cell else { return Ok(()) };
    let Ok(ground) = context.data::<Ground>() else { return Err(LifeError::Malformed("ground")) };
    if !registry::cells(admin).await?.iter().any(|known| known.id == cell) {
        return Err(LifeError::Cell(format!("there is no cell \"{}\"", cell.escape_debug())));
    }
    ground.cells.address(cell)?;
    Ok(())
}

async fn known(
    admin: &mut PoolConnection<Postgres>,
    clinic: Uuid,
) -> Result<registry::TenantRecord, LifeError> {
    let found = registry::tenant(admin, clinic).await?;
    found.ok_or_else(|| LifeError::Unknown(praxis_entity::ids::TenantId(clinic).to_string()))
}
