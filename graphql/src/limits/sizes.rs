//! Which fields of the schema return many objects and what their arguments are, read from the schema's own
//! description.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, FieldDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};

use super::InputTypes;

/// What the cost of a field depends on.
#[derive(Debug)]
pub(super) struct FieldSize {
    /// The type the field's selection is made on.
    pub(super) of: String,
    /// The field itself is a list.
    pub(super) list: bool,
    /// The field takes `first` or `last`.
    pub(super) paged: bool,
    /// The types of its arguments.
    pub(super) arguments: HashMap<String, Type>,
}

/// The output fields of a schema by type and name.
#[derive(Debug, Default)]
pub(crate) struct FieldSizes {
    fields: HashMap<String, HashMap<String, FieldSize>>,
    /// The names of the query and mutation types, when they are not the usual ones.
    roots: HashMap<&'static str, String>,
    /// What can be handed in.
    pub(crate) inputs: InputTypes,
}

impl FieldSizes {
    /// Reads the schema's description.
    pub(crate) fn read(described: &ServiceDocument) -> Self {
        let mut sizes = Self::default();
        for definition in &described.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let roots = [("Query", &schema.node.query), ("Mutation", &schema.node.mutation)];
                    for (usual, actual) in roots {
                        if let Some(actual) = actual {
                            sizes.roots.insert(usual, actual.node.to_string());
                        }
                    }
                }
                TypeSystemDefinition::Type(ty) => {
                    sizes.inputs.read(&ty.node);
                    let fields = match &ty.node.kind {
                        TypeKind::Object(object) => &object.fields,
                        TypeKind::Interface(interface) => &interface.fields,
                        _ => continue,
                    };
                    let sized = fields.iter().map(|field| size(&field.node));
                    sizes.fields.entry(ty.node.name.node.to_string()).or_default().extend(sized);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        sizes
    }

    /// The type of an operation's root, by its usual name.
    pub(super) fn root(&self, usual: &'static str) -> &str {
        self.roots.get(usual).map_or(usual, String::as_str)
    }

    /// The size of a field; unknown ones are left to validation.
    pub(super) fn get(&self, of: &str, field: &str) -> Option<&FieldSize> {
        self.fields.get(of)?.get(field)
    }
}

fn size(field: &FieldDefinition) -> (String, FieldSize) {
    let arguments: HashMap<_, _> = field
        .arguments
        .iter()
        .map(|argument| (argument.node.name.node.to_string(), argument.node.ty.node.clone()))
        .collect();
    let (of, list) = named(&field.ty.node, false);
    let paged = arguments.contains_key("first") || arguments.contains_key("last");
    (field.name.node.to_string(), FieldSize { of, list, paged, arguments })
}

fn named(ty: &Type, list: bool) -> (String, bool) {
    match &ty.base {
        BaseType::Named(name) => (name.to_string(), list),
        BaseType::List(inner) => named(inner, true),
    }
}
