//! Bounds a GraphQL document before a schema sees it: what the clinics' API and the control plane both stand behind.
//!
//! Two steps, each cheap because of the one before: a lexer bounds the text ([`check_text`]), so that the parser is safe
//! to run; a memoised count bounds the document with its fragments written out ([`check_document`]), so that whatever
//! walks it naively is safe. Neither knows a schema.

mod expansion;
mod tokens;

use async_graphql::{Name, SchemaBuilder, parser::types::ExecutableDocument};

/// The bounds of a document.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Tokens.
    pub tokens: usize,
    /// Selections and fragments inside each other; brackets of any kind go twice as deep.
    pub nesting: usize,
    /// Directives.
    pub directives: usize,
    /// Operations.
    pub operations: usize,
    /// Selections with every fragment written out where it is used.
    pub nodes: u64,
}

/// Why a document is refused before validation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// Too much text.
    #[error("The document has more than {0} tokens.")]
    Tokens(usize),
    /// Too many directives.
    #[error("The document has more than {0} directives.")]
    Directives(usize),
    /// Too many operations.
    #[error("The document has more than {0} operations.")]
    Operations(usize),
    /// Too deep to be read.
    #[error("The document is nested more than {0} levels deep.")]
    Nesting(usize),
    /// No end of a string.
    #[error("A string in the document does not end.")]
    OpenString,
    /// A fragment that is not there.
    #[error("Fragment \"{0}\" is unknown.")]
    UnknownFragment(Name),
    /// A fragment that nothing uses.
    #[error("Fragment \"{0}\" is never used.")]
    UnusedFragment(Name),
    /// A fragment without end.
    #[error("Fragment \"{0}\" contains itself.")]
    FragmentCycle(Name),
    /// Too large with its fragments written out.
    #[error("The document selects more than {0} fields when its fragments are written out.")]
    Nodes(u64),
}

/// Judges the text, so that the parser can be let at it.
pub fn check_text(text: &str, bounds: &Bounds) -> Result<(), Excess> {
    tokens::check(text, bounds)
}

/// Judges a document whose text has passed [`check_text`].
pub fn check_document(document: &ExecutableDocument, bounds: &Bounds) -> Result<(), Excess> {
    expansion::check(document, bounds)
}

/// Settings every schema served to the outside needs.
///
/// Suggestions name what a caller may not know of, and comparing a long name with every field is
/// slow. The recursion limit equals ours, so ours answers first.
#[must_use]
pub fn hardened<Q, M, S>(schema: SchemaBuilder<Q, M, S>, nesting: usize) -> SchemaBuilder<Q, M, S> {
    schema.disable_suggestions().limit_recursive_depth(nesting)
}
