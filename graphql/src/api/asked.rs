//! What the audit log is told of an operation: its name, and which of its fields an error belongs to.

use std::collections::BTreeSet;

use async_graphql::{
    Name, PathSegment, ServerError,
    parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};

use crate::{
    error::{Code, mask},
    policy,
    withhold::{Shape, root},
};

/// An operation of a document.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) document: &'a ExecutableDocument,
    pub(super) name: Option<&'a Name>,
    pub(super) operation: &'a OperationDefinition,
}

/// A selection and the type it is of.
type Set<'a> = (&'a str, &'a SelectionSet);

impl<'a> Asked<'a> {
    /// Its name; of a nameless one, the fields it asks for.
    pub(super) fn name(self) -> String {
        if let Some(name) = self.name {
            return name.to_string();
        }
        let fields = self.fields(vec![self.root()]);
        let names: Vec<_> = fields.iter().map(|(_, field)| field.name.node.as_str()).collect();
        names.join(" ")
    }

    /// Whether it changes something.
    pub(super) fn is_mutation(self) -> bool {
        self.operation.ty == OperationType::Mutation
    }

    /// The coordinates of what was refused or failed, each with the code that the caller is told.
    pub(super) fn lost(self, shape: &Shape, errors: &[ServerError]) -> BTreeSet<(&'static str, Code)> {
        // A list may fail in each of its rows; where is asked once.
        let places: BTreeSet<(Vec<&str>, Code)> = errors
            .iter()
            .map(|error| {
                let keys = error.path.iter().filter_map(|segment| match segment {
                    PathSegment::Field(key) => Some(key.as_str()),
                    PathSegment::Index(_) => None,
                });
                (keys.collect(), mask::code(error))
            })
            .collect();
        places.into_iter().map(|(keys, code)| (self.coordinate(shape, &keys), code)).collect()
    }

    /// The coordinate at which a path of response keys ends; the root type, where it leads nowhere.
    fn coordinate(self, shape: &Shape, keys: &[&str]) -> &'static str {
        let mut sets = vec![self.root()];
        let mut last = None;
        for key in keys {
            let mut fields = self.fields(sets);
            fields.retain(|(_, field)| field.alias.as_ref().unwrap_or(&field.name).node == *key);
            last = fields.first().map(|(of, field)| format!("{of}.{}", field.name.node)).or(last);
            let inner = fields.iter().filter_map(|(of, field)| {
                Some((shape.leads_to(of, &field.name.node)?, &field.selection_set.node))
            });
            sets = inner.collect();
        }
        let at = last.and_then(|coordinate| policy::find(&coordinate));
        at.map_or(root(self.operation.ty), |at| at.name.as_str())
    }

    fn root(self) -> Set<'a> {
        (root(self.operation.ty), &self.operation.selection_set.node)
    }

    /// The fields selected, in whichever fragments they stand, each with the type it is selected on.
    fn fields<'s>(self, mut sets: Vec<(&'s str, &'a SelectionSet)>) -> Vec<(&'s str, &'a Field)>
    where
        'a: 's,
    {
        let mut fields = Vec::new();
        while let Some((of, set)) = sets.pop() {
            for item in &set.items {
                match &item.node {
                    Selection::Field(field) => fields.push((of, &field.node)),
                    Selection::InlineFragment(inline) => {
                        let on = inline.node.type_condition.as_ref();
                        let of = on.map_or(of, |on| on.node.on.node.as_str());
                        sets.push((of, &inline.node.selection_set.node));
                    }
                    Selection::FragmentSpread(spread) => {
                        let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                        sets.extend(fragment.map(|fragment| {
                            let of = fragment.node.type_condition.node.on.node.as_str();
                            (of, &fragment.node.selection_set.node)
                        }));
                    }
                }
            }
        }
        fields
    }
}
