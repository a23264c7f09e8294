//! What a job does: known to the domains, told to the worker.

use std::borrow::Cow;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use praxis_entity::job;

use crate::{Failure, Op, Write, tenancy::Tenant};

/// Why a job was not done, as a code that is kept with it. Holds nothing of what the job is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(pub Cow<'static, str>);

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string().into())
    }
}

/// Does jobs.
#[async_trait]
pub trait Perform: Send + Sync + 'static {
    /// Does a job in the operation's transaction.
    async fn perform(&self, op: &Op<Write>, job: &job::Model) -> Result<(), Problem>;

    /// When a job that recurs is due next; `None` for one that is done when it is done.
    fn next(&self, tenant: &Tenant, job: &job::Model, now: DateTime<Utc>) -> Option<DateTime<Utc>>;

    /// The names of the jobs that recur.
    fn recurring(&self) -> Vec<String>;

    /// Writes down the jobs that recur, where they are not yet.
    async fn plan(&self, op: &Op<Write>) -> Result<(), Failure>;
}
