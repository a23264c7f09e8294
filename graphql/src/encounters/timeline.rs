//! The timeline of an encounter.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use praxis_domain::{PageRequest, Position, encounters, event::Event};
use praxis_entity::{
    event,
    ids::{EncounterId, UserId},
};
use praxis_platform::access::Rights;

use crate::{
    context::{Ask, Caller},
    error::{ApiError, Edge, Nullable},
    ids,
    page::{Cursors, Page, connection, count_under, slice_under},
    scalar::DateTime,
};

/// Something that happened in an encounter. Never changed.
pub(crate) struct EncounterEvent {
    row: event::Model,
}

/// Something that happened in an encounter. Never changed.
#[Object]
impl EncounterEvent {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Its number among the events of the encounter: from one, without a gap but for those that the viewer is not told.
    fn sequence(&self) -> Option<i32> {
        self.row.encounter_seq
    }

    /// What happened, for example `ENCOUNTER_CHECKED_IN`.
    fn kind(&self) -> &str {
        &self.row.kind
    }

    /// When.
    fn occurred_at(&self) -> DateTime {
        DateTime(self.row.at)
    }

    /// Id of the user who did it; null where the system did.
    fn actor_id(&self) -> Option<ID> {
        self.row.actor_id.map(|id| ids::show(UserId(id)))
    }

    /// Their name, as it is now; null where the system did it.
    async fn actor_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async {
            let Some(id) = self.row.actor_id else { return Ok(None) };
            ctx.caller()?.loaders().actor_names.load(id).await
        }
        .await
        .or_hidden()
    }
}

connection!(
    /// A page of what happened in an encounter.
    EncounterEventConnection, EncounterEventEdge, EncounterEvent
);

impl EncounterEventConnection {
    /// The events of one encounter, loaded together with those of its siblings; up to a moment if one is given.
    pub(crate) async fn of_encounter(
        caller: &Caller,
        encounter: EncounterId,
        rights: &Rights,
        until: Option<chrono::DateTime<chrono::Utc>>,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let op = caller.reading().clone();
        let timelines = &caller.loaders().timelines;
        let withheld = Arc::new(Event::withheld(rights));
        let (key, not) = (format!("{withheld:?}{until:?}{page:?}"), Arc::clone(&withheld));
        let slice = slice_under(timelines, key, encounter, move |encounters| {
            let (op, not) = (op.clone(), Arc::clone(&not));
            async move { Ok(encounters::timeline_of(&op, &encounters, &not, until, &page).await?) }
        })
        .await?;
        let op = caller.reading().clone();
        let count = count_under(
            caller,
            |loaders| &loaders.encounter_counts,
            format!("timeline{withheld:?}{until:?}"),
            encounter,
            move |encounters, max| {
                let (op, not) = (op.clone(), Arc::clone(&withheld));
                async move { Ok(encounters::count_of_timelines(&op, &encounters, &not, until, max).await?) }
            },
        );
        let position = |row: &event::Model| Position { key: Some(row.at), id: row.id.0 };
        Ok(Self::new(Page::new(slice, cursors, position, |row| EncounterEvent { row }), count))
    }
}
