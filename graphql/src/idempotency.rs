//! `@idempotent(key:)` and the `Idempotency-Key` header.

use async_graphql::{Context, CustomDirective, Directive, Value};
use praxis_domain::Error;
use praxis_platform::{
    Failure, Op, Write,
    idempotency::{Claim, IdempotencyKey},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::Ask,
    error::{ApiError, Code},
};

/// Mutations that refuse to run without a key.
pub(crate) const REQUIRED: [&str; 1] = ["appointmentBook"];

struct Idempotent;

impl CustomDirective for Idempotent {}

/// Makes a retried mutation field return the first result for 24 hours.
#[Directive(location = "Field", name = "idempotent")]
pub(crate) fn idempotent(
    #[graphql(desc = "Chosen by the client, 1 to 200 characters; the same for each retry.")] key: String,
) -> impl CustomDirective {
    // The resolver reads the key itself; here it only has to be known.
    let _ = key;
    Idempotent
}

/// The client's key for the mutation field that is being resolved.
///
/// The header counts when the operation has exactly one mutation field.
pub(crate) fn given_key(ctx: &Context<'_>) -> Result<Option<String>, ApiError> {
    let directives =
        ctx.field().directives().map_err(|error| ApiError::new(Code::BadUserInput, error.message))?;
    let from_directive = directives
        .iter()
        .find(|directive| directive.name.node == "idempotent")
        .and_then(|directive| directive.get_argument("key"))
        .and_then(|value| match &value.node {
            Value::String(key) => Some(key.clone()),
            _ => None,
        });
    if from_directive.is_some() {
        return Ok(from_directive);
    }
    let header = ctx.caller()?.idempotency_key().map(str::to_owned);
    let fields = ctx.query_env.operation.node.selection_set.node.items.len();
    if header.is_some() && fields > 1 {
        let message =
            "The Idempotency-Key header needs an operation with one mutation; use @idempotent(key:) on each.";
        return Err(ApiError::new(Code::BadUserInput, message));
    }
    Ok(header)
}

/// Runs a mutation once for each key.
///
/// `input` is any stable text of the input. The outcome is stored as what `remember` makes of the
/// result (an id); a replay hands it to `recall`.
pub(crate) async fn once<T, O, R>(
    ctx: &Context<'_>,
    op: &Op<Write>,
    operation: &'static str,
    input: &str,
    run: R,
    remember: fn(&T) -> O,
    recall: impl AsyncFnOnce(O) -> Result<Option<T>, Error>,
) -> Result<Result<T, Error>, ApiError>
where
    O: Serialize + DeserializeOwned,
    R: Future<Output = Result<T, Error>>,
{
    // The futures of rules are large; on the heap they do not add up on the stack.
    let run = Box::pin(run);
    let Some(key) = given_key(ctx)? else {
        return if REQUIRED.contains(&operation) {
            Err(Failure::IdempotencyKeyRequired.into())
        } else {
            Ok(run.await)
        };
    };
    let key = IdempotencyKey::new(op, operation, &key, input).await?;
    match key.claim::<O>(op).await? {
        Claim::New => {
            let result = run.await;
            if let Ok(value) = &result {
                key.settle(op, &remember(value)).await?;
            }
            Ok(result)
        }
        Claim::Replay(outcome) => {
            // Nothing is written but the fact that somebody asked again.
            op.record(praxis_platform::audit::Entry::done("replay"));
            ctx.caller()?.note_replay(ctx.field().alias().unwrap_or_else(|| ctx.field().name()));
            recall(outcome)
                .await
                .map_err(ApiError::from)?
                .map(Ok)
                .ok_or_else(|| ApiError::new(Code::NotFound, "Not found."))
        }
    }
}
