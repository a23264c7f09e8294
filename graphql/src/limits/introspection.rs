//! How many values an introspection query makes.
//!
//! Introspection is a graph of its own: `types { fields { type { fields … } } }` multiplies with
//! the size of the schema at every step. The factors below are those of a large schema, so the
//! tools' standard query fits with room to spare and one that re-enters the graph does not.

/// The roots of introspection, which have their own allowances.
pub(super) fn is_root(field: &str) -> bool {
    matches!(field, "__schema" | "__type")
}

/// How many objects a field of the introspection types stands for.
pub(super) fn factor(field: &str) -> u64 {
    match field {
        "types" => 1_000,
        "fields" => 15,
        "directives" | "inputFields" => 10,
        "enumValues" => 5,
        "args" | "interfaces" | "possibleTypes" => 2,
        _ => 1,
    }
}
