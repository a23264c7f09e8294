//! The shape that all chapters of a history share in the API: a statement about a patient.

use std::sync::Arc;

use praxis_domain::{
    PageRequest, Position, Slice,
    history::chapter::{self, Chapter},
};
use praxis_entity::{
    ids::PatientId,
    value::{Moment, PartialDate},
};

use crate::{
    batch,
    context::Caller,
    error::ApiError,
    loaders::Loaders,
    page::{Count, Cursors, Page, count_under, slice_under},
    scalar,
};

/// The loaders of one chapter's lists.
pub(super) type Lists<C> =
    fn(&Loaders) -> &batch::Loaders<PatientId, Slice<<C as sea_orm::EntityTrait>::Model>>;

/// Where a row stands in its list, and as what it is shown.
pub(super) type Shown<C, T> =
    (fn(&<C as sea_orm::EntityTrait>::Model) -> Position, fn(<C as sea_orm::EntityTrait>::Model) -> T);

/// A patient's page of a chapter, loaded together with those of its siblings, and how it is counted.
pub(super) async fn of_patient<C, T>(
    caller: &Caller,
    patient: PatientId,
    statuses: Option<Vec<C::Status>>,
    (page, cursors): (PageRequest, Cursors),
    lists: Lists<C>,
    (position, wrap): Shown<C, T>,
) -> Result<(Page<T>, Count), ApiError>
where
    C: Chapter,
    C::Model: Clone + Send + Sync + 'static,
{
    let statuses: Option<Arc<[C::Status]>> = statuses.map(Into::into);
    let stored: Option<Vec<String>> =
        statuses.as_ref().map(|all| all.iter().map(sea_orm::ActiveEnum::to_value).collect());
    let (op, wanted) = (caller.reading().clone(), statuses.clone());
    let slice =
        slice_under(lists(caller.loaders()), format!("{stored:?}{page:?}"), patient, move |patients| {
            let (op, wanted) = (op.clone(), wanted.clone());
            async move { Ok(chapter::of_patients::<C, _>(&op, &patients, wanted.as_deref(), &page).await?) }
        })
        .await?;
    let (op, arguments) = (caller.reading().clone(), format!("{} {stored:?}", C::MACHINE));
    let count = count_under(
        caller,
        |loaders| &loaders.patient_counts,
        arguments,
        patient,
        move |patients, max| {
            let (op, wanted) = (op.clone(), statuses.clone());
            async move { Ok(chapter::count_of_patients::<C, _>(&op, &patients, wanted.as_deref(), max).await?) }
        },
    );
    Ok((Page::new(slice, cursors, position, wrap), count))
}

/// A partial date as a moment: its first instant, and the text.
pub(super) fn moment(date: scalar::PartialDate) -> Option<Moment> {
    let day = PartialDate::earliest(date.0)?;
    Some(Moment { at: day.and_time(chrono::NaiveTime::MIN).and_utc(), text: date.0.to_string() })
}

/// Declares the object of a chapter: what all statements have, and what this one states.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident($type:literal), $entity:ident, $clinical:ident, $status:ident, $machine:literal, { $($own:tt)* }) => {
        $(#[$doc])*
        pub(crate) struct $name {
            row: praxis_entity::$entity::Model,
            subject: std::sync::Arc<$crate::subject::Subject>,
            clinical: std::sync::Arc<$crate::phi::Class<praxis_entity::value::$clinical>>,
            past: bool,
        }

        impl $name {
            pub(crate) fn new(row: praxis_entity::$entity::Model) -> Self {
                let subject = $crate::subject::Subject::new(row.patient_id, &row);
                let clinical = $crate::phi::Class::new(stringify!($entity), row.id.0, &subject, row.clinical.clone());
                Self { row, subject, clinical, past: false }
            }

            /// As it was known at a moment: nothing can be done with that.
            pub(crate) fn as_known(row: praxis_entity::$entity::Model) -> Self {
                Self { past: true, ..Self::new(row) }
            }

            pub(crate) fn position(row: &praxis_entity::$entity::Model) -> praxis_domain::Position {
                praxis_domain::Position { key: Some(row.recorded_at), id: row.id.0 }
            }
        }

        $(#[$doc])*
        #[async_graphql::Object]
        impl $name {
            /// Opaque id.
            pub(crate) async fn id(&self) -> async_graphql::ID {
                $crate::ids::show(self.row.id)
            }

            /// Grows by one on each write; send it back as `ifVersion`.
            pub(crate) async fn version(&self) -> i32 {
                self.row.version
            }

            /// When the record was made.
            pub(crate) async fn created_at(&self) -> $crate::scalar::DateTime {
                $crate::scalar::DateTime(self.row.created_at)
            }

            /// When the record last changed.
            pub(crate) async fn updated_at(&self) -> $crate::scalar::DateTime {
                $crate::scalar::DateTime(self.row.updated_at)
            }

            /// Fields that came back null for a reason other than 'no value'.
            pub(crate) async fn redactions(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> Result<Vec<$crate::redaction::Redaction>, $crate::error::ApiError> {
                $crate::redaction::of($crate::context::Ask::caller(ctx)?, $type, &self.subject, true).await
            }

            /// How sensitive it is: by its own label, or what it hangs on.
            async fn confidentiality(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> Result<$crate::sensitivity::Confidentiality, $crate::error::ApiError> {
                Ok(self.subject.level($crate::context::Ask::caller(ctx)?).await?.into())
            }

            /// What the viewer may do with it: permission codes.
            async fn viewer_permissions(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> Result<Vec<&'static str>, $crate::error::ApiError> {
                self.subject.permissions($crate::context::Ask::caller(ctx)?).await
            }

            /// Names of the mutations that the viewer may run on it as it stands.
            async fn allowed_actions(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> Result<Vec<String>, $crate::error::ApiError> {
                if self.past {
                    return Ok(Vec::new());
                }
                let status = sea_orm::ActiveEnum::to_value(&self.row.status);
                $crate::allowed::actions($crate::context::Ask::caller(ctx)?, $machine, &self.subject, &status).await
            }

            /// Whose it is.
            async fn patient(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> $crate::error::Nullable<$crate::patients::Patient> {
                let patient = async {
                    let loaders = $crate::context::Ask::caller(ctx)?.loaders();
                    Ok(loaders.patients.load(self.row.patient_id).await?.map($crate::patients::Patient::new))
                };
                $crate::error::Edge::or_hidden(patient.await)
            }

            /// In which encounter it was said; null where the viewer may not know of it.
            async fn encounter(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> $crate::error::Nullable<$crate::encounters::Encounter> {
                let encounter = async {
                    let Some(id) = self.row.encounter_id else { return Ok(None) };
                    if !$crate::redaction::allowed(ctx, $crate::policy::at!("Query.encounter"), &self.subject).await? {
                        return Ok(None);
                    }
                    let loaders = $crate::context::Ask::caller(ctx)?.loaders();
                    Ok(loaders.encounters.load(id).await?.map($crate::encounters::Encounter::new))
                };
                let found: Result<_, $crate::error::ApiError> = encounter.await;
                found.transpose()
            }

            /// Who recorded it, as a clinician.
            async fn recorder(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> $crate::error::Nullable<$crate::staff::Practitioner> {
                let recorder = async {
                    let Some(id) = self.row.recorder_id else { return Ok(None) };
                    let loaders = $crate::context::Ask::caller(ctx)?.loaders();
                    Ok(loaders.practitioners.load(id).await?.map($crate::staff::Practitioner::new))
                };
                $crate::error::Edge::or_hidden(recorder.await)
            }

            /// When it became known.
            fn recorded_at(&self) -> $crate::scalar::DateTime {
                $crate::scalar::DateTime(self.row.recorded_at)
            }

            /// Where it stands.
            fn status(&self) -> $status {
                self.row.status.into()
            }

            $($own)*
        }
    };
}
pub(super) use statement;

/// Declares the mutations of a chapter: one that records, steps that may say why, and one for mistakes, which must.
macro_rules! statement_mutations {
    (
        $(#[$doc:meta])* $root:ident, $object:ident as $field:ident, $entity:ident,
        record $(#[$record_doc:meta])* $record:ident($record_coordinate:literal, $record_input:ident, $record_payload:ident),
        steps { $($(#[$step_doc:meta])* $step:ident($step_coordinate:literal, $action:literal, $step_input:ident, $step_payload:ident);)* },
        mistake $mistake:ident($mistake_coordinate:literal, $mistake_action:literal, $mistake_input:ident, $mistake_payload:ident),
        advance $advance:path
    ) => {
        $(
            /// A statement, and where it goes from here.
            #[derive(async_graphql::InputObject, Debug, Clone)]
            pub(crate) struct $step_input {
                /// The statement.
                id: async_graphql::ID,
                /// The version that was read.
                if_version: i32,
                /// Why, in words.
                reason: Option<String>,
            }
            $crate::history::statement::statement_payload!($step_payload, $object, $field, $entity);
        )*

        /// A statement that was a mistake.
        #[derive(async_graphql::InputObject, Debug, Clone)]
        pub(crate) struct $mistake_input {
            /// The statement.
            id: async_graphql::ID,
            /// The version that was read.
            if_version: i32,
            /// Why, in words.
            reason: String,
        }
        $crate::history::statement::statement_payload!($mistake_payload, $object, $field, $entity);
        $crate::history::statement::statement_payload!($record_payload, $object, $field, $entity);

        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $root;

        #[async_graphql::Object]
        impl $root {
            $(#[$record_doc])*
            async fn $record(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "What is stated.")] input: $record_input,
            ) -> Result<$record_payload, $crate::error::ApiError> {
                let chart = $crate::ids::chart(&input.patient_id, input.encounter_id.as_ref())?;
                let rule = async |op: &_| input.record(op, chart).await;
                Ok($crate::context::change(ctx, $record_coordinate, rule).await?.into())
            }

            $(
                $(#[$step_doc])*
                ///
                /// Errors: NOT_FOUND, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION, ALREADY_EXISTS.
                async fn $step(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    #[graphql(desc = "The statement and why.")] input: $step_input,
                ) -> Result<$step_payload, $crate::error::ApiError> {
                    let id = $crate::ids::parse(&input.id)?;
                    let rule = async |op: &_| $advance(op, id, input.if_version, $action, input.reason).await;
                    Ok($crate::context::change(ctx, $step_coordinate, rule).await?.into())
                }
            )*

            /// Says that a statement was a mistake, and why. It stays, and counts no more.
            ///
            /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
            async fn $mistake(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "The statement and why.")] input: $mistake_input,
            ) -> Result<$mistake_payload, $crate::error::ApiError> {
                let id = $crate::ids::parse(&input.id)?;
                let rule = async |op: &_| {
                    $advance(op, id, input.if_version, $mistake_action, Some(input.reason)).await
                };
                Ok($crate::context::change(ctx, $mistake_coordinate, rule).await?.into())
            }
        }
    };
}
pub(super) use statement_mutations;

macro_rules! statement_payload {
    ($payload:ident, $object:ident, $field:ident, $entity:ident) => {
        /// The statement, or why nothing changed.
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $payload {
            /// The statement as it is now.
            $field: Option<$object>,
            /// What the person at the screen can put right; non-empty means nothing was written.
            user_errors: Vec<$crate::payload::UserError>,
        }

        impl From<$crate::payload::Done<praxis_entity::$entity::Model>> for $payload {
            fn from(done: $crate::payload::Done<praxis_entity::$entity::Model>) -> Self {
                let (row, user_errors) = done.split();
                Self { $field: row.map($object::new), user_errors }
            }
        }
    };
}
pub(super) use statement_payload;
