//! Work that is due at a time, once or again and again; and how a worker does it.
//!
//! [`enqueue`] writes work down in the transaction that causes it. Work is not taken back: when it is due it looks
//! at how things stand, and does nothing when there is nothing left to do.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    ids::{AlertId, AppointmentId, TaskId},
    job,
};
use praxis_platform::{
    Failure, Op, Write, events,
    jobs::{self, NewJob, Perform, Problem, RECURRING_KEY},
    tenancy::Tenant,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::{
    Error, alerts,
    event::Recorded,
    reaction::{Reaction, react},
    scheduling, tasks,
};

/// How long it can be looked up what was done.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// Work that is due at a time. Fields are ids and codes, never PHI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "name",
    content = "payload",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Work {
    // Keeping house.
    /// Forgets jobs that were done or discarded a month ago.
    ForgetOldJobs,

    // Scheduling.
    /// Frees the time of a hold that has run out.
    ExpireHold {
        /// What is held.
        appointment: AppointmentId,
    },
    /// Frees the time of all holds that have run out and were missed.
    ExpireHolds,
    /// Reminds a patient of a visit, if it still takes place as it was when the reminder was made.
    RemindOfAppointment {
        /// The visit.
        appointment: AppointmentId,
        /// When it was to begin.
        starts_at: DateTime<Utc>,
    },

    // Tasks and alerts.
    /// Brings a late task to mind.
    EscalateTask {
        /// The task.
        task: TaskId,
        /// How loud.
        level: i16,
        /// When it was due then.
        due_at: DateTime<Utc>,
    },
    /// Notes that the time of an alert ran out.
    ExpireAlert {
        /// The alert.
        alert: AlertId,
    },
}

/// Work that recurs, with its time in the clinic's zone as a cron expression. Exactly one server does it each time.
pub const RECURRING: &[(Work, &str)] = &[
    // Keeping house.
    (Work::ForgetOldJobs, "17 3 * * *"),
    // Scheduling.
    // Each hold has a job of its own, and whoever books takes away what ran out: this is for what both missed.
    (Work::ExpireHolds, "41 3 * * *"),
];

impl Work {
    /// Does it. No `_`: whoever adds work says what it does.
    async fn run(self, op: &Op<Write>) -> crate::Result<()> {
        match self {
            // Keeping house.
            Self::ForgetOldJobs => forget_old(op).await,

            // Scheduling.
            Self::ExpireHold { appointment } => scheduling::expire_hold(op, appointment).await.map(drop),
            Self::ExpireHolds => scheduling::expire_holds(op).await.map(drop),
            Self::RemindOfAppointment { appointment, starts_at } => {
                scheduling::remind(op, appointment, starts_at).await
            }

            // Tasks and alerts.
            Self::EscalateTask { task, level, due_at } => tasks::escalate(op, task, level, due_at).await,
            Self::ExpireAlert { alert } => alerts::expire(op, alert).await,
        }
    }

    fn written(&self) -> Result<(String, Option<Json>), Failure> {
        let mut written = serde_json::to_value(self).map_err(|error| Failure::Internal(error.to_string()))?;
        let payload = written.get_mut("payload").map(Json::take);
        Ok((written.get("name").and_then(Json::as_str).unwrap_or_default().to_owned(), payload))
    }

    fn read(name: &str, payload: Option<&Json>) -> Option<Self> {
        let written = match payload {
            Some(payload) => json!({ "name": name, "payload": payload }),
            None => json!({ "name": name }),
        };
        serde_json::from_value(written).ok()
    }
}

/// Forgets old jobs. What one turn leaves, another takes.
async fn forget_old(op: &Op<Write>) -> crate::Result<()> {
    let forgotten = jobs::forget_finished(op, op.now() - KEPT_FOR).await?;
    if forgotten == jobs::FORGOTTEN_AT_ONCE {
        let more = format!("more than {}", op.now().timestamp_micros());
        enqueue(op, Work::ForgetOldJobs, op.now(), &more).await?;
    }
    Ok(())
}

/// Writes work down, to be done at an instant. Work of the same kind and key is written once.
pub async fn enqueue(
    op: &Op<Write>,
    work: Work,
    run_at: DateTime<Utc>,
    dedupe_key: &str,
) -> crate::Result<()> {
    let (name, payload) = work.written()?;
    let dedupe_key = Some(dedupe_key.to_owned());
    jobs::enqueue(op, vec![NewJob { name, event: None, payload, dedupe_key, run_at }]).await?;
    Ok(())
}

/// Does reactions and work.
#[derive(Debug, Clone, Copy)]
pub struct Jobs;

#[async_trait]
impl Perform for Jobs {
    async fn perform(&self, op: &Op<Write>, job: &job::Model) -> Result<(), Problem> {
        // A name that is not known is a newer build's, which will come to it.
        let unknown = || Problem("unknown here".into());
        let done = match job.event_id {
            Some(event) => {
                let reaction = Reaction::named(&job.name).ok_or_else(unknown)?;
                let event = events::by_id(op, event).await?.ok_or(Failure::NotFound)?;
                let recorded = Recorded::read(event).map_err(problem)?;
                react(op, reaction, &recorded).await
            }
            None => Work::read(&job.name, job.payload.as_ref()).ok_or_else(unknown)?.run(op).await,
        };
        done.map_err(problem)
    }

    fn next(&self, tenant: &Tenant, job: &job::Model, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if job.dedupe_key.as_deref() != Some(RECURRING_KEY) {
            return None;
        }
        let work = Work::read(&job.name, None)?;
        let (_, cron) = RECURRING.iter().find(|(recurring, _)| *recurring == work)?;
        jobs::next_time(cron, &tenant.time_zone, now)
    }

    fn recurring(&self) -> Vec<String> {
        RECURRING.iter().filter_map(|(work, _)| work.written().ok()).map(|(name, _)| name).collect()
    }

    async fn plan(&self, op: &Op<Write>) -> Result<(), Failure> {
        let (tenant, now) = (op.tenant(), op.now());
        let mut planned = Vec::new();
        for (work, cron) in RECURRING {
            let (name, payload) = work.written()?;
            let run_at = jobs::next_time(cron, &tenant.time_zone, now);
            let run_at = run_at.ok_or_else(|| Failure::Internal(format!("{name} has no next time")))?;
            let dedupe_key = Some(RECURRING_KEY.to_owned());
            planned.push(NewJob { name, event: None, payload, dedupe_key, run_at });
        }
        jobs::enqueue(op, planned).await.map(drop)
    }
}

/// What is kept of an error: nothing of what the job is about.
fn problem(error: Error) -> Problem {
    match error {
        Error::Failure(failure) => failure.into(),
        Error::Violated(violations) => {
            let codes: Vec<_> = violations.iter().map(|violation| violation.code.name()).collect();
            Problem(format!("refused: {}", codes.join(", ")).into())
        }
    }
}
