//! What one request may ask for, judged before anything expensive happens to it.
//!
//! Three steps, each cheap because of the one before: a lexer bounds the text, so the parser is safe
//! to run; a memoised count bounds the document with its fragments written out, so walking it naively
//! is safe (both are [`praxis_guards`]'s); that walk ([`walk`]) finds depth, aliases and cost.
//! Validation and execution only see documents that passed.

mod inputs;
mod introspection;
mod sizes;
mod walk;

use std::collections::HashMap;

use async_graphql::{
    Name, Variables,
    parser::types::{ExecutableDocument, OperationDefinition},
};

pub(crate) use inputs::InputTypes;
use sizes::FieldSize;
pub(crate) use sizes::FieldSizes;

use praxis_guards::{Bounds, Excess as Unfit};

use crate::error::Code;

/// Mutations whose input can be guessed: only one per request, else aliases defeat the rate limit.
pub const GUESSABLE: &[&str] = &[
    "sessionStart",
    "sessionRefresh",
    "secondFactorVerify",
    "stepUpVerify",
    "passwordReset",
    "magicLinkConfirm",
    "invitationAccept",
];

/// The bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens in the document.
    pub tokens: usize,
    /// Brackets of any kind inside each other; also selections and fragments inside each other.
    pub nesting: usize,
    /// Directives written in the document.
    pub directives: usize,
    /// Operations in the document.
    pub operations: usize,
    /// Selections with every fragment written out where it is used.
    pub nodes: u64,
    /// Fields inside each other.
    pub depth: usize,
    /// The same below `__schema` and `__type`.
    pub introspection_depth: usize,
    /// Aliased fields of an operation.
    pub aliases: usize,
    /// Fields at the root of an operation.
    pub root_fields: usize,
    /// Values an operation may produce, see [`walk`].
    pub cost: u64,
    /// The same below `__schema` and `__type`, see [`introspection`].
    pub introspection_cost: u64,
    /// Comparisons in all filters of an operation.
    pub filter_terms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens: 10_000,
            // The framework's own recursion limit; below it the stack is safe.
            nesting: 32,
            directives: 10,
            operations: 10,
            nodes: 10_000,
            depth: 12,
            introspection_depth: 20,
            aliases: 30,
            root_fields: 20,
            cost: 2_000,
            introspection_cost: 3_000_000,
            filter_terms: 200,
        }
    }
}

impl Limits {
    /// What needs no schema to be judged.
    const fn bounds(&self) -> Bounds {
        let Self { tokens, nesting, directives, operations, nodes, .. } = *self;
        Bounds { tokens, nesting, directives, operations, nodes }
    }
}

/// Judges the text of a document before the parser sees it.
pub(crate) fn check_text(text: &str, limits: &Limits) -> Result<(), Excess> {
    Ok(praxis_guards::check_text(text, &limits.bounds())?)
}

/// Why a document is refused before validation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    #[error(transparent)]
    Document(#[from] Unfit),
    #[error("The operation selects fields more than {0} levels deep.")]
    Depth(usize),
    #[error("The operation uses more than {0} aliases.")]
    Aliases(usize),
    #[error("The operation selects more than {0} fields at its root.")]
    RootFields(usize),
    #[error("\"{0}\" may be called once per request.")]
    Repeated(Name),
    #[error("The mutation selects \"{0}\" twice; write its fields into one selection.")]
    DuplicateMutation(Name),
    #[error("The operation may cost {cost}; at most {limit} is allowed. Ask for smaller pages.")]
    Cost { cost: u64, limit: u64 },
    #[error("A subscription has one field at its root.")]
    SubscriptionRoots,
    #[error("The introspection query asks for too much.")]
    IntrospectionCost,
    #[error("The filters of the operation compare with more than {0} values.")]
    FilterTerms(u64),
    #[error("A text holds the character U+0000, which no stored text can hold.")]
    Unstorable,
}

impl Excess {
    pub(crate) const fn code(&self) -> Code {
        match self {
            Self::Document(Unfit::Tokens(_)) => Code::RequestTooLarge,
            Self::Document(Unfit::OpenString) => Code::GraphqlParseFailed,
            Self::Unstorable => Code::BadUserInput,
            Self::Document(Unfit::Nesting(_)) | Self::Depth(_) => Code::QueryTooDeep,
            Self::Document(
                Unfit::UnknownFragment(_) | Unfit::UnusedFragment(_) | Unfit::FragmentCycle(_),
            )
            | Self::DuplicateMutation(_) => Code::GraphqlValidationFailed,
            Self::Document(Unfit::Directives(_) | Unfit::Operations(_) | Unfit::Nodes(_))
            | Self::Aliases(_)
            | Self::RootFields(_)
            | Self::Repeated(_)
            | Self::Cost { .. }
            | Self::FilterTerms(_)
            | Self::IntrospectionCost => Code::QueryTooComplex,
            Self::SubscriptionRoots => Code::GraphqlValidationFailed,
        }
    }
}

/// What an operation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Values the answer may hold.
    pub(crate) cost: u64,
    /// Fields inside each other.
    pub(crate) depth: usize,
}

/// Judges all that can be judged of a document without its variables, and whatever its cost.
///
/// Validation visits every operation, so each has to stay within bounds.
pub(crate) fn check_shape(
    document: &ExecutableDocument,
    sizes: &FieldSizes,
    limits: &Limits,
) -> Result<(), Excess> {
    praxis_guards::check_document(document, &limits.bounds())?;
    let whatever = Limits { cost: u64::MAX, ..*limits };
    for (_, operation) in document.operations.iter() {
        walk::check(document, &operation.node, &HashMap::new(), sizes, &whatever)?;
    }
    Ok(())
}

/// Judges the operation that will run, with its variables; the document has passed [`check_shape`].
pub(crate) fn measure(
    document: &ExecutableDocument,
    selected: &OperationDefinition,
    variables: &Variables,
    sizes: &FieldSizes,
    limits: &Limits,
) -> Result<Measured, Excess> {
    let given = variables.iter().map(|(name, value)| (name.as_str(), value)).collect();
    walk::check(document, selected, &given, sizes, limits)
}

#[cfg(test)]
mod tests;
