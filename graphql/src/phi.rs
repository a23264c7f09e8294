//! The one way of a sealed value into an answer.
//!
//! [`Phi`] asks the policy first: a class that the reader may not see is never opened. Then it takes the patient's key: at
//! once if it is at hand, else fetched as one batch for all values of the level. It opens the class once per row, and notes
//! the disclosure. A denied, erased or unreadable value is `null` and is recorded.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use praxis_entity::value::{PhiClass, Sealed};
use praxis_platform::Failure;
use uuid::Uuid;

use crate::{
    context::{Caller, RedactionMode},
    error::{ApiError, Code},
    policy::At,
    redaction::Reason,
    subject::Subject,
};

/// A sealed class of one row; opened at most once.
pub(crate) struct Class<C> {
    table: &'static str,
    row: Uuid,
    subject: Arc<Subject>,
    sealed: Sealed<C>,
    opened: OnceLock<Arc<C>>,
    /// Somebody answers for it: one that can't be opened was changed.
    signed: bool,
}

impl<C: PhiClass> Class<C> {
    /// The class of a row that belongs to a patient.
    pub(crate) fn new(
        table: &'static str,
        row: Uuid,
        subject: &Arc<Subject>,
        sealed: Sealed<C>,
    ) -> Arc<Self> {
        Arc::new(Self::of(table, row, subject, sealed, false))
    }

    /// The same for what somebody signed.
    pub(crate) fn signed(
        table: &'static str,
        row: Uuid,
        subject: &Arc<Subject>,
        sealed: Sealed<C>,
    ) -> Arc<Self> {
        Arc::new(Self::of(table, row, subject, sealed, true))
    }

    fn of(table: &'static str, row: Uuid, subject: &Arc<Subject>, sealed: Sealed<C>, signed: bool) -> Self {
        Self { table, row, subject: Arc::clone(subject), sealed, opened: OnceLock::new(), signed }
    }

    async fn open(&self, caller: &Caller) -> Result<Arc<C>, Kept> {
        if let Some(opened) = self.opened.get() {
            return Ok(Arc::clone(opened));
        }
        let owner = self.subject.owner(caller);
        let key = match caller.reading().data_key_at_hand(owner) {
            Some(key) => key,
            None => {
                let key = caller.loaders().keys.load(owner).await.map_err(|error| match error.code() {
                    Code::KeyUnavailable => Kept::Redacted(Reason::KeyUnavailable),
                    _ => Kept::Failed(error),
                })?;
                key.ok_or(Kept::Redacted(Reason::Erased))?
            }
        };
        let op = caller.reading();
        let place = op.place(self.table, self.row, owner);
        let opened = if self.subject.is_a_patients() {
            op.disclose(&key, &place, &self.sealed).await
        } else {
            op.open_unseen(&key, &place, &self.sealed).await
        };
        let opened = opened.map_err(|failure| match failure {
            Failure::KeyUnavailable => Kept::Redacted(Reason::KeyUnavailable),
            Failure::Inconsistent { table, row, .. } if self.signed => {
                Kept::Failed(Failure::IntegrityFailed { table, row }.into())
            }
            other => Kept::Failed(other.into()),
        })?;
        Ok(Arc::clone(self.opened.get_or_init(|| Arc::new(opened))))
    }
}

/// Why a value was not given.
enum Kept {
    Redacted(Reason),
    Failed(ApiError),
}

type Project<C, T> = Box<dyn Fn(&C) -> Result<Option<T>, Failure> + Send + Sync>;

/// A value out of a sealed class, of a nullable field.
pub(crate) struct Phi<C, T> {
    at: &'static At,
    class: Option<Arc<Class<C>>>,
    project: Project<C, T>,
}

impl<C: PhiClass, T> Phi<C, T> {
    /// The value at a coordinate, projected from its class.
    pub(crate) fn new(
        at: &'static At,
        class: &Arc<Class<C>>,
        project: impl Fn(&C) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        Self { at, class: Some(Arc::clone(class)), project: Box::new(move |opened| Ok(project(opened))) }
    }

    /// The same where the row may have nothing sealed.
    pub(crate) fn optional(
        at: &'static At,
        class: Option<&Arc<Class<C>>>,
        project: impl Fn(&C) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        Self { at, class: class.cloned(), project: Box::new(move |opened| Ok(project(opened))) }
    }

    /// The same where what was opened has to be proved first.
    pub(crate) fn verified(
        at: &'static At,
        class: &Arc<Class<C>>,
        project: impl Fn(&C) -> Result<Option<T>, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { at, class: Some(Arc::clone(class)), project: Box::new(project) }
    }

    /// The value for a resolver that makes something else of it; what is kept back is noted, and absent.
    pub(crate) async fn read(&self, caller: &Caller) -> Result<Option<T>, ApiError> {
        match self.value(caller).await {
            Ok(value) => Ok(value),
            Err(Kept::Redacted(reason)) => {
                caller.recorder().note(&self.at.name, reason);
                match caller.mode() {
                    RedactionMode::Silent => Ok(None),
                    RedactionMode::Error => Err(reason.as_error()),
                }
            }
            Err(Kept::Failed(error)) => {
                if error.code() == Code::IntegrityFailed {
                    caller.note_lost(&self.at.name, error.code());
                }
                Err(error)
            }
        }
    }

    async fn value(&self, caller: &Caller) -> Result<Option<T>, Kept> {
        let Some(class) = &self.class else {
            // Nothing is there; a reader who may never read it is told that, and not this.
            return match caller.check(self.at) {
                Ok(()) => Ok(None),
                Err(denied) => Err(Kept::Redacted(denied.into())),
            };
        };
        if let Some(reason) = class.subject.closed(caller, self.at).await.map_err(Kept::Failed)? {
            return Err(Kept::Redacted(reason));
        }
        let opened = class.open(caller).await?;
        (self.project)(&opened).map_err(|failure| Kept::Failed(failure.into()))
    }
}

impl<C: PhiClass, T: OutputType> OutputType for Phi<C, T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        // Always nullable: a value may be kept back.
        <Option<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Option<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let caller = ctx.data::<Caller>().map_err(|error| error.into_server_error(field.pos))?;
        let error = match self.read(caller).await {
            Ok(Some(value)) => return Some(value).resolve(ctx, field).await,
            Ok(None) => return Ok(Value::Null),
            Err(error) => error,
        };
        let error: async_graphql::Error = error.into();
        ctx.add_error(ctx.set_error_path(error.into_server_error(field.pos)));
        Ok(Value::Null)
    }
}

/// A value of a field that is never null, such as the record number: kept back only with its object.
pub(crate) async fn required<C: PhiClass, T>(
    caller: &Caller,
    at: &'static At,
    class: &Arc<Class<C>>,
    project: impl Fn(&C) -> T + Send + Sync + 'static,
) -> Result<T, ApiError> {
    let phi = Phi::new(at, class, move |opened| Some(project(opened)));
    match phi.value(caller).await {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(ApiError::new(Code::NotFound, "There is no value.")),
        Err(Kept::Redacted(reason)) => Err(reason.as_error()),
        Err(Kept::Failed(error)) => Err(error),
    }
}

/// What is computed from several classes at once; kept back as a whole where one of them is.
pub(crate) async fn together<C: PhiClass, T>(
    caller: &Caller,
    at: &'static At,
    classes: &[Arc<Class<C>>],
    compute: impl FnOnce(&[Arc<C>]) -> T,
) -> Result<Option<T>, ApiError> {
    let mut opened = Vec::with_capacity(classes.len());
    for class in classes {
        let reason = match class.subject.closed(caller, at).await? {
            Some(reason) => reason,
            None => match class.open(caller).await {
                Ok(value) => {
                    opened.push(value);
                    continue;
                }
                Err(Kept::Redacted(reason)) => reason,
                Err(Kept::Failed(error)) => return Err(error),
            },
        };
        caller.recorder().note(&at.name, reason);
        return match caller.mode() {
            RedactionMode::Silent => Ok(None),
            RedactionMode::Error => Err(reason.as_error()),
        };
    }
    Ok(Some(compute(&opened)))
}
