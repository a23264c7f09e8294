//! One step of a visit: the row locked, at the version that the person saw, where the step is legal.

use praxis_entity::{
    encounter::{self, EncounterStatus},
    encounter_note::EncounterNoteKind,
    ids::EncounterId,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait, QuerySelect,
    sea_query::LockType,
};

use super::note;
use crate::{
    Detail, Result, Violation, ViolationCode,
    error::Violations,
    event::{self, Event},
    rights, transitions,
};

/// A step that is about to be taken.
#[derive(Debug)]
pub(crate) struct Step {
    /// The visit as it stands, locked.
    pub(crate) stored: encounter::Model,
    /// Where the step leads.
    pub(crate) to: EncounterStatus,
    /// The mutation that takes it.
    action: &'static str,
}

/// Locks the visit and finds out whether the actor may take the step from where it stands.
pub(crate) async fn begin(
    op: &Op<Write>,
    permission: Permission,
    action: &'static str,
    (id, if_version): (EncounterId, Option<i32>),
) -> Result<Step> {
    op.require(permission)?;
    // Whatever hangs on a visit refers to it: this lock keeps others from adding to it meanwhile.
    let stored = encounter::Entity::find_by_id(id).lock(LockType::Update).one(op.db()).await?;
    let stored = stored
        .ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such encounter."))?;
    let (seen, row) = (Permission::ENCOUNTER_READ, Row::from(&stored));
    rights::require(op, permission, seen, stored.patient_id, &row, "id").await?;
    if let Some(seen) = if_version.filter(|version| *version != stored.version) {
        let current = stored.version;
        tracing::debug!(seen, current, "an encounter was changed meanwhile");
        let message = "Somebody else changed this encounter meanwhile.";
        let conflict = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(conflict.with(Detail::Version { current }).into());
    }
    let of = (stored.patient_id, &row);
    let to = transitions::step(op, "encounter", action, &stored.status, of).await?;
    Ok(Step { stored, to, action })
}

impl Step {
    /// The visit, for what leaves it as it is.
    pub(crate) fn into_stored(self) -> encounter::Model {
        self.stored
    }

    /// Takes the step: writes what changes, what happened, and the entry of the log.
    pub(crate) async fn take(
        self,
        op: &Op<Write>,
        change: encounter::ActiveModel,
        happened: Event,
    ) -> Result<encounter::Model> {
        self.take_as(op, change, happened, |entry| entry).await
    }

    /// The same with more in the entry.
    pub(crate) async fn take_as(
        self,
        op: &Op<Write>,
        change: encounter::ActiveModel,
        happened: Event,
        more: impl FnOnce(Entry) -> Entry,
    ) -> Result<encounter::Model> {
        let change = encounter::ActiveModel { id: Unchanged(self.stored.id), status: Set(self.to), ..change };
        let changed = encounter::Entity::update(change).exec(op.db()).await?;
        event::happened(op, happened).await?;
        let entry = Entry::done(self.entry()).on("Encounter", changed.id.0, changed.version);
        op.record(more(entry.of(changed.patient_id.0)));
        Ok(changed)
    }

    /// Writes down why.
    pub(crate) async fn because(&self, op: &Op<Write>, kind: EncounterNoteKind, reason: &str) -> Result<()> {
        let mut found = Violations::default();
        let reason = note::text(&mut found, "reason", reason);
        found.check()?;
        note::write(op, &self.stored, kind, reason).await?;
        Ok(())
    }

    fn entry(&self) -> &'static str {
        match self.action {
            "encounterCheckIn" => "encounter.check-in",
            "encounterTriage" => "encounter.triage",
            "encounterStart" => "encounter.start",
            "encounterHold" => "encounter.hold",
            "encounterResume" => "encounter.resume",
            "encounterClose" => "encounter.close",
            "encounterReopen" => "encounter.reopen",
            "encounterCancel" => "encounter.cancel",
            "encounterParticipantAdd" => "encounter.participant-add",
            "encounterParticipantEnd" => "encounter.participant-end",
            "assessmentRecord" => "encounter.assess",
            "planRecord" => "encounter.plan",
            _ => "encounter.change",
        }
    }
}
